import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

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

test('it is one file, but for what a test loads to break it', () => {
  const text = readFileSync('dist/gate/main.js', 'utf8');
  const imported = [...text.matchAll(/^import .*? from ['"](.+?)['"]|import\(['"](.+?)['"]\)/gm)];
  const own = imported.map(([, name, later]) => name ?? later).filter((name) => !name?.startsWith('node:'));
  expect(own).toEqual(['../base/sabotage.js']);
});
