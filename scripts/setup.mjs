// Makes the machine ready: system packages, npm dependencies, the build. Each step looks first and does
// nothing when nothing is missing, so the second run is quick.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** A program we need, and the package that brings it, by package manager. */
const runtimePrograms = {
  'redis-server': { apt: 'redis-server', dnf: 'redis', brew: 'redis' },
  'redis-sentinel': { apt: 'redis-sentinel', dnf: 'redis', brew: 'redis' },
  'redis-cli': { apt: 'redis-tools', dnf: 'redis', brew: 'redis' },
};
const testPrograms = {
  ...runtimePrograms,
  haproxy: { apt: 'haproxy', dnf: 'haproxy', brew: 'haproxy' },
  monit: { apt: 'monit', dnf: 'monit', brew: 'monit' },
  keepalived: { apt: 'keepalived', dnf: 'keepalived', brew: undefined },
  openssl: { apt: 'openssl', dnf: 'openssl', brew: 'openssl' },
  promtool: { apt: 'prometheus', dnf: undefined, brew: 'prometheus' },
  ip: { apt: 'iproute2', dnf: 'iproute', brew: undefined },
  ssh: { apt: 'openssh-client', dnf: 'openssh-clients', brew: undefined },
  sshd: { apt: 'openssh-server', dnf: 'openssh-server', brew: undefined },
  zstd: { apt: 'zstd', dnf: 'zstd', brew: 'zstd' },
  age: { apt: 'age', dnf: 'age', brew: 'age' },
  nutcracker: { apt: 'nutcracker', dnf: undefined, brew: undefined },
  mariadbd: { apt: 'mariadb-server-core', dnf: 'mariadb-server', brew: 'mariadb' },
  // mariadb-install-db looks for it.
  my_print_defaults: { apt: 'mariadb-client-core', dnf: 'mariadb', brew: 'mariadb' },
  chromium: { apt: 'chromium', dnf: 'chromium', brew: undefined },
};

const managers = {
  apt: { program: 'apt-get', refresh: ['update'], install: ['install', '-y', '--no-install-recommends'] },
  dnf: { program: 'dnf', install: ['install', '-y'] },
  brew: { program: 'brew', install: ['install'], noRoot: true },
};

/** Installs the programs that are missing; `purpose` is 'run' or 'test'. */
export function ensurePrograms(purpose) {
  const wanted = purpose === 'test' ? testPrograms : runtimePrograms;
  const missing = Object.keys(wanted).filter((program) => !findProgram(program));
  if (missing.length === 0) return;
  const [managerName, manager] = Object.entries(managers).find(([, each]) => findProgram(each.program)) ?? [];
  const packages = [
    ...new Set(missing.map((program) => wanted[program][managerName ?? 'apt']).filter(Boolean)),
  ];
  if (packages.length === 0) return;
  if (!manager)
    fail(`missing: ${missing.join(', ')}. Install them with your package manager, then run this again.`);
  const sudo = process.getuid?.() === 0 || manager.noRoot ? [] : ['sudo'];
  const manual = [...sudo, manager.program, ...manager.install, ...packages].join(' ');
  if (sudo.length > 0 && !findProgram('sudo'))
    fail(`missing: ${missing.join(', ')}. As root, run: ${manual}`);
  console.error(`Installing ${packages.join(', ')} (for ${missing.join(', ')}) with ${manager.program}…`);
  const quiet = {
    stdio: ['inherit', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const call = (args) =>
    spawnSync(sudo[0] ?? manager.program, [...(sudo[0] ? [manager.program] : []), ...args], quiet);
  if (manager.refresh) call(manager.refresh);
  call([...manager.install, ...packages]);
  const still = missing.filter((program) => !findProgram(program) && wanted[program][managerName]);
  if (still.length > 0)
    fail(`could not install ${still.join(', ')}. Run this yourself, then try again: ${manual}`);
}

/** npm's dependencies as locked, unless they already are. */
export function ensureDependencies() {
  const lock = path.join(root, 'package-lock.json');
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('Installing dependencies…');
  const result = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) fail('npm ci failed; its own message is above.');
}

/** Builds src/ and dashboard/ to dist/ when a source is newer than the last build. */
export function ensureBuild() {
  const stamp = path.join(root, 'dist', '.built');
  const newest = Math.max(
    ...[
      ...['src', 'dashboard', 'scripts/bundle.mjs', 'scripts/dashboard.mjs'],
      ...['tsconfig.json', 'tsconfig.build.json'],
    ].map((each) => newestMtime(path.join(root, each))),
  );
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= newest) return;
  console.error('Building…');
  run('npm', ['run', '--silent', 'build']);
}

export function markBuilt() {
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  writeFileSync(path.join(root, 'dist', '.built'), '');
}

/** Runs a program with our terminal, and ends this process with its status when it fails. */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function newestMtime(file) {
  const stat = statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(file).map((name) => newestMtime(path.join(file, name))));
}

function findProgram(program) {
  const folders = [
    ...(process.env.PATH ?? '').split(path.delimiter),
    '/usr/sbin',
    '/sbin',
    '/usr/local/sbin',
  ];
  return folders.some((folder) => folder !== '' && existsSync(path.join(folder, program)));
}

function fail(message) {
  console.error(`holdfast setup: ${message}`);
  process.exit(1);
}
