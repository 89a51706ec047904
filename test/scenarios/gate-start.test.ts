import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { gateConfig } from '../../src/gate/config.ts';
import { spawnLoaded } from '../../src/process/spawn-held.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import {
  cleanUp,
  client,
  freePort,
  type Server,
  startRedis,
  tempFolder,
} from '../support/redis-processes.ts';

/** What a gate does in its first moments, in which it does not know yet which commands the server has. */
let server: Server;
let gate: GateProcess;
beforeAll(async () => {
  server = await startRedis([]);
  const member = { id: 'redis-1', address: '127.0.0.1', port: server.port };
  gate = await startGate({ members: [member] }, false);
});
afterAll(cleanUp);

test('what writes is refused by the read-only port from the first command on, with only a primary behind it', async () => {
  const early = await RawClient.open(gate.replicaPort);
  expect(await early.ask('SET early 1')).toMatch(/^-READONLY /);
  expect(await early.ask('GET early')).toBe('$-1\r\n');
  expect(await client(server.port).exists('early')).toBe(0);
});

test('started before it is needed it waits, and listens when it is let go; it ends with who holds it', async () => {
  const folder = tempFolder();
  const port = await freePort();
  const logFile = path.join(folder, 'log');
  const file = path.join(folder, 'gate.json');
  const args = ['dist/gate/main.js', '--config', file];
  const command = { program: process.execPath, args, cwd: process.cwd(), logFile };
  const [held, left] = [spawnLoaded(command), spawnLoaded(command)];
  const leftEnds = once(left.child, 'exit');
  left.child.stdio[3]?.destroy();
  expect(await leftEnds).toEqual([0, null]);
  // What it is to be is written only now.
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: server.port }];
  const input = { deployment: 'orders', id: 'gate-2', members, listen: { host: '127.0.0.1', port } };
  writeFileSync(file, JSON.stringify(gateConfig({ ...input, controlSocket: path.join(folder, 'sock') })));
  expect(held.child.exitCode).toBeNull();
  held.letGo();
  const listens = async () => (await RawClient.open(port)).ask('PING').then((said) => said === '+PONG\r\n');
  await waitFor(listens, { what: 'it to listen', withinMs: 60_000 });
  const ends = once(held.child, 'exit');
  held.child.kill('SIGTERM');
  expect(await ends).toEqual([0, null]);
  expect(readFileSync(logFile, 'utf8')).toMatch(/^\S+ gate-2 /);
});

test('it is one file, but for what a test loads to break it', () => {
  const text = readFileSync('dist/gate/main.js', 'utf8');
  const imported = [...text.matchAll(/^import .*? from ['"](.+?)['"]|import\(['"](.+?)['"]\)/gm)];
  const own = imported.map(([, name, later]) => name ?? later).filter((name) => !name?.startsWith('node:'));
  expect(own).toEqual(['../base/sabotage.js']);
});
