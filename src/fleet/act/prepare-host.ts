/** Does to a host what touches nothing that runs. Each step leaves the host as it was or as it is to be. */
import { createReadStream } from 'node:fs';
import { installedState } from '../../render/installed.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Packed } from '../bundle/pack.ts';
import { installRoot } from '../facts/facts-script.ts';
import { commandTarget } from '../facts/host-facts.ts';
import type { Packages } from '../plan/packages.ts';
import type { PrepareStep } from '../plan/steps.ts';
import { hugePagesUnitName, sysctlFile, type WantedFile } from '../plan/wanted.ts';
import { shellLine, shellWord } from '../shell.ts';
import type { SshHost } from '../ssh/connections.ts';
import { receiveScript } from './receive-file.ts';

const packagesMs = 10 * 60_000;
const uploadMs = 15 * 60_000;

export interface Supplies {
  spec: Spec;
  secret: string;
  packed: Packed | null;
}

export async function prepareHost(
  host: SshHost,
  steps: readonly PrepareStep[],
  supplies: Supplies,
  report: (line: string) => void,
): Promise<void> {
  for (const step of steps) {
    await doStep(host, step, supplies);
    if (step.kind !== 'file') report(`${host.id}: ${past(step)}`);
  }
  const files = steps.filter(({ kind }) => kind === 'file').length;
  if (files > 0) report(`${host.id}: wrote ${files} ${files === 1 ? 'file' : 'files'}`);
}

function past(step: PrepareStep): string {
  switch (step.kind) {
    case 'packages':
      return `installed ${step.packages.join(', ')}`;
    case 'user':
      return `made the user ${step.name}`;
    case 'holdfast':
      return `installed holdfast ${step.build}`;
    case 'relink':
      return `is back at holdfast ${step.build}`;
    case 'secret':
      return 'has the secret';
    case 'file':
      return `wrote ${step.file.path}`;
    case 'remove':
      return `removed ${step.paths.length === 1 ? step.paths[0] : `${step.paths.length} files`}`;
    case 'kernel':
      return 'loaded the kernel settings';
  }
}

async function doStep(host: SshHost, step: PrepareStep, { spec, secret, packed }: Supplies): Promise<void> {
  switch (step.kind) {
    case 'packages': {
      const doing = `installing ${step.packages.join(', ')}`;
      await host.run(installScript(step), { as: 'root', doing, timeoutMs: packagesMs });
      return;
    }
    case 'user':
      await host.run(makeUser(spec), { as: 'root', doing: `making the user ${spec.runAs}` });
      return;
    case 'holdfast':
      if (packed !== null) await installHoldfast(host, step.build, packed);
      return;
    case 'relink':
      await host.run(relinkScript(step.build), { as: 'root', doing: `going back to holdfast ${step.build}` });
      return;
    case 'secret': {
      const file = { path: `${installedState(spec)}/secret`, text: `${secret}\n`, mode: '600', secret: true };
      await writeFile(host, { ...file, owner: `${spec.runAs}:${spec.runAs}` }, stateFolder(spec));
      return;
    }
    case 'file':
      await writeFile(host, step.file, 'set -e');
      if (step.file.path.endsWith(`/${hugePagesUnitName}`)) await enableHugePages(host);
      return;
    case 'remove':
      await host.run(`rm -f ${shellLine(step.paths)}`, { as: 'root', doing: 'removing old passwords' });
      return;
    case 'kernel':
      await host.run(`sysctl -q -p ${sysctlFile}`, { as: 'root', doing: 'loading the kernel settings' });
  }
}

const distributionUnits = 'redis-server redis-sentinel valkey-server valkey-sentinel';

/** Version 8 of Red Hat's family has Redis 5 unless one says so. Where somebody chose another one already, that stays. */
const newerRedis = `if [ "$(rpm -E %rhel 2>/dev/null)" = 8 ]; then dnf module enable -y -q redis:6 >/dev/null 2>&1 || true; fi`;

export function installScript({ manager, packages, instead }: Packages): string {
  const names = shellLine(packages);
  const install = (each: string) => `dnf install -y -q ${each}`;
  if (manager === 'dnf' && instead !== null) {
    const others = shellLine(packages.map((each) => (each === 'redis' ? instead : each)));
    return `${newerRedis}
if dnf repoquery -q redis | grep -q .; then ${install(names)}; else ${install(others)}; fi`;
  }
  if (manager === 'dnf')
    return packages.includes('redis') ? `${newerRedis}\n${install(names)}` : install(names);
  // Debian starts a server of its own on 6379, which is in the way of ours. What ran before is somebody's.
  return `set -e
export DEBIAN_FRONTEND=noninteractive
ran=
for each in ${distributionUnits}; do
  if systemctl is-active -q "$each" 2>/dev/null; then ran="$ran $each "; fi
done
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends ${names} >/dev/null
if [ -d /run/systemd/system ]; then
  for each in ${distributionUnits}; do
    case $ran in *" $each "*) continue ;; esac
    systemctl disable -q --now "$each" 2>/dev/null || true
  done
fi`;
}

const makeUser = ({ runAs }: Spec) => `set -e
shell=$(command -v nologin || echo /bin/false)
useradd --system --user-group --home-dir /var/lib/holdfast --no-create-home --shell "$shell" ${runAs}`;

function stateFolder(spec: Spec): string {
  const state = installedState(spec);
  return `set -e
mkdir -p ${state}
chown ${spec.runAs}:${spec.runAs} /var/lib/holdfast ${state}
chmod 700 /var/lib/holdfast ${state}`;
}

/** What is secret comes by standard input and is never readable by others. */
async function writeFile(host: SshHost, file: WantedFile, before: string): Promise<void> {
  const folder = shellWord(file.path.slice(0, file.path.lastIndexOf('/')));
  const script = `${before}
umask 022
[ -d ${folder} ] || mkdir -p ${folder}
${receiveScript(file)}`;
  await host.run(script, { as: 'root', doing: `writing ${file.path}`, input: file.text });
}

/** What is current now stays as the previous one. */
function turnLinks(build: string): string {
  return `old=$(readlink current || true)
ln -sfn ${build} .current && mv -T .current current
if [ -n "$old" ] && [ "$old" != ${build} ]; then ln -sfn "$old" .previous && mv -T .previous previous; fi`;
}

/** It is tried before the link turns, as at its installation. */
function relinkScript(build: string): string {
  return `set -e
cd ${installRoot}
${shellWord(`./${build}/bin/holdfast`)} --version >/dev/null
${turnLinks(shellWord(build))}`;
}

async function enableHugePages(host: SshHost): Promise<void> {
  const script = `systemctl daemon-reload && systemctl enable -q --now ${hugePagesUnitName}`;
  await host.run(script, { as: 'root', doing: `enabling ${hugePagesUnitName}` });
}

/**
 * Checked by its digest and tried before the link `current` turns to it. One that is there and does not work is replaced. What
 * was current becomes `previous`; builds that are neither, and that nothing runs from, are removed.
 */
async function installHoldfast(host: SshHost, build: string, { file, sha256 }: Packed): Promise<void> {
  const script = `set -e
umask 022
mkdir -p ${installRoot}
cd ${installRoot}
find . -maxdepth 1 -name '.new-*' -mmin +60 -exec rm -rf {} +
works() { ./${build}/bin/holdfast --version >/dev/null 2>&1; }
if ! works; then
  new=$(mktemp -d .new-XXXXXX)
  trap 'rm -rf "$new"' EXIT
  cat > "$new/packed"
  echo '${sha256}  '"$new/packed" | sha256sum -c --quiet >&2
  mkdir "$new/build"
  tar -x -z -o -f "$new/packed" -C "$new/build"
  "$new/build/bin/holdfast" --version >/dev/null
  works || { rm -rf ${build}; mv "$new/build" ${build}; }
else
  cat > /dev/null
fi
# SELinux has systemd start a program for what its path is, and nothing else says so of one that was moved there.
if command -v restorecon >/dev/null; then restorecon -R ${installRoot}/${build}; fi
${turnLinks(build)}
mkdir -p /usr/local/bin
ln -sfn ${commandTarget} /usr/local/bin/holdfast
for each in */; do
  each=\${each%/}
  case $each in current|previous|"$(readlink current)"|"$(readlink previous)") continue ;; esac
  readlink /proc/[0-9]*/exe 2>/dev/null | grep -q "^${installRoot}/$each/" || rm -rf "$each"
done`;
  const options = { as: 'root', doing: `installing holdfast ${build}`, timeoutMs: uploadMs } as const;
  await host.run(script, { ...options, input: createReadStream(file) });
}
