/** What the gate's own host has no room for: files, and a log that can be written. Nobody else is hit. */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, freePort, startRedis } from '../support/redis-processes.ts';

const ends: (() => void)[] = [];
afterAll(async () => {
  for (const end of ends) end();
  await cleanUp();
});

/** `holdfast gate` before one server, by a shell that says what it may have. */
async function gateBy(shell: string, stderr: 'ignore' | number = 'ignore'): Promise<number> {
  const [server, port] = [await startRedis(), await freePort()];
  const args = ['gate', '--upstream', `127.0.0.1:${server.port}`, '--listen', `127.0.0.1:${port}`];
  const command = `${shell} exec "$0" dist/cli/main.js ${args.join(' ')}`;
  const child = spawn('sh', ['-c', command, process.execPath], { stdio: ['ignore', stderr, stderr] });
  ends.push(() => child.kill('SIGKILL'));
  const answers = async () => {
    const client = await RawClient.open(port).catch(() => null);
    const told = await client?.ask('PING').catch(() => null);
    client?.close();
    return told === '+PONG\r\n';
  };
  await waitFor(answers, { what: 'the gate to answer', withinMs: 60_000, everyMs: 100 });
  return port;
}

test('out of files, who comes is refused, and those who are there are served', async () => {
  const port = await gateBy('ulimit -n 80;');
  const client = await RawClient.open(port);
  expect(await client.ask('SET k v')).toBe('+OK\r\n');
  const strangers: Socket[] = [];
  ends.push(() => {
    for (const each of strangers) each.destroy();
  });
  let refused = 0;
  for (let n = 0; n < 200; n++) {
    const stranger = connect(port, '127.0.0.1');
    stranger.on('error', () => {}).on('close', () => refused++);
    stranger.on('data', (data) => expect(String(data)).toBe('-ERR max number of clients reached\r\n'));
    strangers.push(stranger);
  }
  await waitFor(() => refused >= 140, { what: 'those who are too many to be refused', withinMs: 30_000 });
  // One that needs a connection of its own gets it, or hears why not: nobody takes the primary for lost.
  const blocked = await RawClient.open(port).catch(() => null);
  await blocked?.ask('BLPOP nothing 0.1').catch(() => {});
  const begun = performance.now();
  for (let n = 0; n < 20; n++) expect(await client.ask('GET k')).toBe('$1\r\nv\r\n');
  expect(performance.now() - begun).toBeLessThan(5000);
});

test('a log that can’t be written ends nothing', async () => {
  const port = await gateBy('', openSync('/dev/full', 'w'));
  const client = await RawClient.open(port);
  expect(await client.ask('SET k v')).toBe('+OK\r\n');
});
