import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ApiDouble } from '../../../test/support/api-double.ts';
import { waitFor } from '../../base/retry.ts';
import { serveControl } from './server.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-gone-'));
const socket = path.join(folder, 'sockets', 'agent.sock');
const double = new ApiDouble();
const asked: string[] = [];
let server: FastifyInstance;

beforeAll(async () => {
  const run = async (command: string) => asked.push(command);
  server = await serveControl({ ...double.api, commands: ['down', 'switchover'], run }, double.services, {
    socket,
    tell: () => {},
  });
});
beforeEach(() => asked.splice(0));
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
  rmSync(double.folder, { recursive: true });
});

const post = (command: string) => `POST /${command} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`;

/** A command of a process that ends while this one stands still. */
function askAndDie(command: string): void {
  const ask = `require('net').connect(${JSON.stringify(socket)}, function () { this.write(${JSON.stringify(post(command))}, () => process.kill(process.pid, 'SIGKILL')); })`;
  expect(spawnSync(process.execPath, ['-e', ask]).signal).toBe('SIGKILL');
}

test.each(['down', 'switchover'])('%s is not begun when its command was gone before', async (command) => {
  askAndDie(command);
  // A later one, which is answered, shows that the first was looked at.
  const client = connect(socket);
  client.write(post('switchover'));
  let answer = '';
  client.on('data', (data) => (answer += data.toString()));
  await waitFor(() => answer.includes('result'), { what: 'an answer', withinMs: 10_000, everyMs: 5 });
  client.destroy();
  expect(asked).toEqual(['switchover']);
});
