/** What serves others outlives the disk under its log: every write to /dev/full fails as one to a full disk does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { gateConfig } from '../../src/gate/config.ts';
import { TestDeployment } from '../support/deployment.ts';
import { cleanUp, client, freePort, startRedis, tempFolder } from '../support/redis-processes.ts';

const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await cleanUp();
});

function startOnFullDisk(args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const full = openSync('/dev/full', 'a');
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', full, full],
    env: { ...process.env, ...env },
  });
  closeSync(full);
  children.push(child);
  return child;
}

test('a gate', async () => {
  const redis = await startRedis();
  const port = await freePort();
  const file = path.join(tempFolder(), 'gate.json');
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: redis.port }];
  const listen = { host: '127.0.0.1', port };
  writeFileSync(file, JSON.stringify(gateConfig({ deployment: 'x', id: 'gate-1', listen, members })), {
    mode: 0o600,
  });
  // It says who is primary before it takes anyone in.
  const gate = startOnFullDisk(['dist/gate/main.js', '--config', file]);
  const isServed = () =>
    client(port)
      .ping()
      .then(
        () => true,
        () => false,
      );
  await waitFor(isServed, { what: 'the gate to serve', withinMs: 60_000 });
  expect(gate.exitCode).toBeNull();
});

test('an agent that runs in the background', async () => {
  const deployment = await TestDeployment.create();
  const args = ['dist/cli/main.js', 'up', deployment.specFile, '--state-dir', deployment.stateDir];
  const agent = startOnFullDisk(args, { HOLDFAST_DETACHED: '1' });
  try {
    const isUp = async () => (await deployment.run('status')).status === 0;
    await waitFor(isUp, { what: 'a healthy deployment', withinMs: 60_000 });
    process.kill((await deployment.primary()).pid as number, 'SIGKILL');
    await waitFor(() => deployment.events().some(({ kind }) => kind === 'promoted'), {
      what: 'a new primary',
      withinMs: 60_000,
    });
    expect(agent.exitCode).toBeNull();
    expect((await deployment.run('down')).status).toBe(0);
  } finally {
    await deployment.destroy();
  }
});
