import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitFor } from '../../base/retry.ts';
import { identify } from '../../process/identity.ts';
import { AgentClient } from './agent-client.ts';
import { keepSocket } from './keep-socket.ts';

let root = '';
let socket = '';
let server: Server;
let told: string[];
let stop = () => {};

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'hf-keep-'));
  const folder = path.join(root, 'folder');
  mkdirSync(folder, { mode: 0o700 });
  socket = path.join(folder, 'sock');
  told = [];
  server = createServer((_request, response) => response.end('[]'));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  stop = keepSocket(server, socket, (kind) => void told.push(kind), 10);
});
afterEach(async () => {
  stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true, force: true });
});

const agentRecord = () => path.join(root, 'agent.json');
const ask = () => new AgentClient({ agentSocket: socket, agentRecord: agentRecord() }).events(0, 0);
const isThere = () => waitFor(() => existsSync(socket), { what: 'the socket', withinMs: 10_000, everyMs: 5 });

test.each([
  ['the socket', () => rmSync(socket)],
  ['its folder', () => rmSync(path.dirname(socket), { recursive: true })],
])('%s that is removed is made anew, again and again, for its owner only', async (_what, remove) => {
  expect(await ask()).toEqual([]);
  for (let round = 1; round <= 3; round++) {
    remove();
    await isThere();
    expect(await ask()).toEqual([]);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await waitFor(() => told.length === round, { what: 'the word', withinMs: 10_000, everyMs: 5 });
  }
  expect(new Set(told)).toEqual(new Set(['socket-remade']));
});

test('whoever asks meanwhile is answered when it is there again', async () => {
  writeFileSync(agentRecord(), JSON.stringify(identify(process.pid)));
  rmSync(socket);
  expect(await ask()).toEqual([]);
});

test('what can not be made is said once, and made when it can', async () => {
  rmSync(path.dirname(socket), { recursive: true });
  writeFileSync(path.dirname(socket), 'in the way');
  await waitFor(() => told.length > 0, { what: 'the word', withinMs: 10_000, everyMs: 5 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(told).toEqual(['action-failed']);
  rmSync(path.dirname(socket));
  await isThere();
  expect(await ask()).toEqual([]);
});

test('an agent that runs and has no socket is named, with the way out', async () => {
  stop();
  writeFileSync(agentRecord(), JSON.stringify(identify(process.pid)));
  rmSync(socket);
  await expect(ask()).rejects.toMatchObject({
    code: 'AGENT_NOT_LISTENING',
    message: expect.stringContaining(`(pid ${process.pid}) runs, and nothing listens at ${socket}`),
    hint: expect.stringMatching(new RegExp(`kill -USR2 ${process.pid} .*holdfast up`)),
  });
});

test('where no agent runs nothing is waited for', async () => {
  stop();
  rmSync(socket);
  await expect(ask()).rejects.toMatchObject({ code: 'NOT_RUNNING' });
});
