/** Ctrl-C while a verb asks one host after the other. Stands in for ssh: what it would run on a host is a script here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { cleanUp, tempFolder } from '../support/redis-processes.ts';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
afterAll(cleanUp);

const spec = `name: elsewhere
hosts:
  a: { address: 10.9.0.1, ssh: someone@host-a }
  b: { address: 10.9.0.2, ssh: someone@host-b }
  c: { address: 10.9.0.3, ssh: someone@host-c }
`;
const members = ['a', 'b', 'c'].map((host, index) => ({ id: `redis-${index + 1}`, host }));
const status = { primary: 'redis-1', members, sentinels: [], gates: [] };

test('down says at which host it was interrupted, and which were not asked', async () => {
  const folder = tempFolder();
  const programs = path.join(folder, 'bin');
  mkdirSync(programs);
  writeFileSync(path.join(folder, 'holdfast.yaml'), spec);
  writeFileSync(path.join(folder, 'status.json'), JSON.stringify(status));
  const ssh = `#!/bin/sh
case "$*" in
  *status*) cat ${folder}/status.json ;;
  *host-b*down*) touch ${folder}/begun; exec sleep 60 ;;
esac
`;
  writeFileSync(path.join(programs, 'ssh'), ssh, { mode: 0o755 });
  const child = spawn(process.execPath, [command, 'down', 'holdfast.yaml'], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1', PATH: `${programs}:${process.env['PATH']}` },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  const hasBegun = () => existsSync(path.join(folder, 'begun'));
  await waitFor(hasBegun, { what: 'host b to be asked', withinMs: 60_000 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${said}`);
  });
  // As a terminal does it: to the whole group.
  process.kill(-(child.pid as number), 'SIGINT');
  expect(await ended).toEqual([1, null]);
  expect(said).toContain('holdfast down was interrupted at host b: what has begun there goes on to its end');
  expect(said).toContain('and c, a were not asked');
});
