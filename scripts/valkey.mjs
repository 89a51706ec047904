// Brings a valkey-server for the tests, beside the system's redis-server and without installing it: the package is
// downloaded by apt with a configuration of its own, and unpacked here. Debian 12 has it in its backports. Where it can't
// be had, nothing fails: the tests say why they are skipped.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), '.setup', 'valkey');
const server = path.join(folder, 'usr', 'bin', 'valkey-server');
/** Why it is not there, for the tests. */
const reasonFile = path.join(folder, 'why-not');
/** What could not be had is not asked for again at once: without a network it takes long to find out. */
const askAgainAfterMs = 24 * 3_600_000;

const packages = ['valkey-server', 'valkey-tools'];

export function ensureValkey() {
  if (existsSync(server) || wasTriedLately()) return;
  console.error('Unpacking Valkey for the tests, beside the system’s Redis…');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const reason = bring();
  if (reason !== undefined) writeFileSync(reasonFile, `${reason}\n`);
}

function wasTriedLately() {
  if (!existsSync(reasonFile)) return false;
  return Date.now() - Number(readFileSync(`${reasonFile}.at`, 'utf8').trim() || 0) < askAgainAfterMs;
}

/** @returns why it could not be had. */
function bring() {
  writeFileSync(`${reasonFile}.at`, `${Date.now()}\n`);
  const mirror = output('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(CODENAME)',
    'Identifier: Packages',
  ])
    ?.split('\n')
    .map((line) => line.split(' '))
    .find(([, codename]) => /^[a-z]+$/.test(codename ?? ''));
  if (mirror === undefined) return 'there is no apt here, and the tests’ Valkey is a package of Debian';
  const [uri, codename] = mirror;
  const suite = codename === 'bookworm' ? 'bookworm-backports' : codename;
  const apt = path.join(folder, 'apt');
  for (const each of ['lists/partial', 'archives/partial'])
    mkdirSync(path.join(apt, each), { recursive: true });
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(path.join(apt, 'sources.list'), `deb [signed-by=${key}] ${uri} ${suite} main\n`);
  const settings = { State: apt, 'State::lists': `${apt}/lists`, 'State::status': '/var/lib/dpkg/status' };
  const more = { Cache: apt, 'Etc::sourcelist': `${apt}/sources.list`, 'Etc::sourceparts': '-' };
  const conf = path.join(apt, 'apt.conf');
  const lines = Object.entries({ ...settings, ...more }).map(([name, value]) => `Dir::${name} "${value}";`);
  writeFileSync(conf, `${lines.join('\n')}\n`);
  const options = { cwd: apt, env: { ...process.env, APT_CONFIG: conf } };
  if (output('apt-get', ['update'], options) === undefined) return `apt can't read ${suite}`;
  if (output('apt-get', ['download', ...packages], options) === undefined)
    return `${suite} has no ${packages.join(', ')}`;
  for (const file of readdirSync(apt).filter((name) => name.endsWith('.deb')))
    if (output('dpkg-deb', ['-x', path.join(apt, file), folder]) === undefined)
      return `${file} can't be unpacked`;
  rmSync(apt, { recursive: true, force: true });
  if (output(server, ['--version']) !== undefined) return undefined;
  rmSync(server, { force: true });
  return 'the valkey-server of the package does not run here; it may lack a library';
}

function output(program, args, options = {}) {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  });
  return result.status === 0 ? result.stdout : undefined;
}
