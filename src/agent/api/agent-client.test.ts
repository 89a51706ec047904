import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify } from '../../process/identity.ts';
import { AgentClient } from './agent-client.ts';

let folder: string;
let server: Server;
let sockets: Socket[];
let heard: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hf-client-'));
  sockets = [];
  heard = '';
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** An agent that does this with each request. */
async function agentThat(answers: (request: string, socket: Socket) => void): Promise<AgentClient> {
  const place = { agentSocket: path.join(folder, 'sock'), agentRecord: path.join(folder, 'agent.json') };
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', (data) => {
      heard += data.toString();
      answers(data.toString(), socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(place.agentSocket, resolve));
  return new AgentClient(place, 200);
}

const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n';

test('an agent that is stopped by a signal is told with its pid, and gets no command', async () => {
  const agent = await agentThat(() => {});
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  try {
    process.kill(child.pid as number, 'SIGSTOP');
    writeFileSync(path.join(folder, 'agent.json'), JSON.stringify(identify(child.pid as number)));
    const silent = { code: 'AGENT_SILENT', message: expect.stringContaining(`(pid ${child.pid})`) };
    await expect(agent.status()).rejects.toMatchObject(silent);
    await expect(agent.run('down', {}, () => {})).rejects.toMatchObject(silent);
    expect(heard).not.toContain('POST');
  } finally {
    child.kill('SIGKILL');
  }
});

test('one connection, used again and again, tells of an agent that ends as a new one does', async () => {
  let asked = 0;
  const agent = await agentThat((_request, socket) => {
    const answer = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    answer();
    socket.on('data', () => {
      asked += 1;
      if (asked < 15) answer();
      else socket.destroy();
    });
  });
  const warned: Error[] = [];
  const listen = (warning: Error) => void warned.push(warning);
  process.on('warning', listen);
  for (let i = 0; i < 15; i++) await agent.status();
  expect(sockets).toHaveLength(1);
  await expect(agent.status()).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: expect.stringContaining('ended before'),
  });
  // Warnings are told a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  expect(warned).toEqual([]);
});

test.each([
  ['before it answers', '', 'no step yet'],
  ['after a step', `${head}{"step":"writes are held"}\n`, 'its last step was: writes are held'],
  ['in the middle of a line', `${head}{"step":"one"}\n{"res`, 'its last step was: one'],
])('an agent that ends %s is the same error, with what is known', async (_when, text, known) => {
  const agent = await agentThat((request, socket) => {
    if (request.startsWith('GET')) socket.end(`${head}{}`);
    else if (text === '') socket.destroy();
    else socket.end(text);
  });
  await expect(agent.run('restore', {}, () => {})).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: expect.stringContaining(known),
  });
});
