/**
 * Hosts that are not there, reached by an `ssh` that is a script: it answers what `holdfast apply` asks a host, as one does on
 * which everything is as the spec says. What is measured is this machine's part: planning, and a process of ssh for each
 * question; not the network, and not the cryptography of ssh.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { bundleContents } from '../src/fleet/bundle/contents.ts';
import { kernelPath } from '../src/fleet/facts/facts-script.ts';
import { commandTarget } from '../src/fleet/facts/host-facts.ts';
import { sha256 } from '../src/fleet/plan/plan.ts';
import { wantedFiles } from '../src/fleet/plan/wanted.ts';
import { answersApart } from '../src/fleet/survey.ts';
import { kernelSettings } from '../src/render/host-settings.ts';
import { parseSpec } from '../src/spec/parse.ts';
import type { Spec } from '../src/spec/spec.ts';

/** Writes holdfast.yaml and bin/ssh there. @param root of the project, with dist/ */
export function simulateHosts(folder: string, root: string, count: number): void {
  const names = Array.from({ length: count }, (_, index) => `h${index + 1}`);
  const text = stringify({
    name: 'orders',
    hosts: Object.fromEntries(
      names.map((name, index) => {
        const address = `10.0.${Math.floor(index / 200)}.${(index % 200) + 1}`;
        return [name, { address, ssh: `ops@${name}` }];
      }),
    ),
    redis: { on: names },
    sentinel: { on: names.slice(0, 5) },
    gate: { on: names.slice(0, 3) },
  });
  writeFileSync(path.join(folder, 'holdfast.yaml'), text);
  const spec = parseSpec(text, 'holdfast.yaml');
  const { build } = bundleContents(root);
  const answers = path.join(folder, 'answers');
  mkdirSync(answers);
  mkdirSync(path.join(folder, 'bin'));
  for (const name of names) writeFileSync(path.join(answers, `${name}.facts`), factsOf(spec, name, build));
  const changes = '{"changes":[],"applied":false}\n';
  const status = '{"state":"healthy","primary":"redis-1","problems":[]}\n';
  writeFileSync(path.join(answers, 'agent'), `${changes}${answersApart}\n${status}`);
  const ssh = path.join(folder, 'bin', 'ssh');
  writeFileSync(ssh, program(answers));
  chmodSync(ssh, 0o755);
}

/** The last two arguments of ssh are the target and the command. */
function program(answers: string): string {
  return `#!/bin/sh
for each; do host=\${line#*@}; line=$each; done
case $line in
  *'say machine'*) exec cat "${answers}/$host.facts" ;;
  *'flock -n 9'*) echo taken; exec cat >/dev/null ;;
  *--dry-run*) cat >/dev/null; exec cat "${answers}/agent" ;;
  *'cat /var/lib/holdfast/orders/secret'*) echo secret ;;
  *) exit 0 ;;
esac
`;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function filesOf(spec: Spec, name: string) {
  return wantedFiles(
    spec,
    { host: name, systemd: false, device: 'eth0' },
    { users: {}, formerUsers: {}, elsewhere: {}, tls: new Map(), isNewAuthority: false },
  );
}

function factsOf(spec: Spec, name: string, build: string): string {
  const lines: [key: string, value: string][] = [
    ['machine', `${os.type()} ${os.machine()}`],
    ['os', 'debian '],
    ...['runuser', 'useradd', 'flock', 'timeout', 'tar', 'gzip', 'sha256sum'].map(
      (each): [string, string] => ['program', each],
    ),
    ['server /usr/bin/redis-server', 'Redis server v=7.0.15 sha=00000000:0'],
    ['current', build],
    ['command', commandTarget],
    ['user', 'yes'],
    ['secret', sha256('secret\n')],
    ['agent', `/opt/holdfast/${build}/node`],
    ['free', '100000000'],
    ['freeopt', '100000000'],
    ['now', String(Math.round(Date.now() / 1000))],
    ['comm', 'chronyd'],
    ...kernelSettings.map(({ name: setting }): [string, string] => [`text ${kernelPath(setting)}`, '']),
  ];
  for (const { path: file, mode, owner, text } of filesOf(spec, name)) {
    lines.push([`rights ${file}`, `${mode} ${owner}`], [`text ${file}`, base64(text)]);
  }
  return `${[...lines, ['end', 'yes']].map((line) => line.join('\t')).join('\n')}\n`;
}
