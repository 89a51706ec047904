import { afterAll, beforeAll, expect, test } from 'vitest';
import { pause, waitFor } from '../../src/base/retry.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, kill9, type Server, startRedis } from '../support/redis-processes.ts';

/** A request that is longer than the gate keeps is still what its name says. */
let behind: Server;
let replica: Server;
let gate: GateProcess;
const long = 'x'.repeat(2 * 2 ** 20);

beforeAll(async () => {
  behind = await startRedis();
  replica = await startRedis(['--replicaof', '127.0.0.1', `${behind.port}`]);
  gate = await startGate({
    members: [behind, replica].map(({ port }, index) => ({
      id: `redis-${index + 1}`,
      address: '127.0.0.1',
      port,
    })),
  });
});
afterAll(cleanUp);

/** Sends words of which one is long, in pieces that arrive one after the other. */
async function askLong(raw: RawClient, ...words: string[]): Promise<string> {
  const request = writeRequest(words);
  for (let at = 0; at < request.length; at += 300_000) await raw.write(request.subarray(at, at + 300_000));
  return raw.reply(words[0]);
}

async function whoIsNext(): Promise<string[]> {
  const raw = await RawClient.open(gate.port);
  const told: string[] = [];
  for (const line of ['MULTI', 'ACL WHOAMI', 'PING', 'EXEC']) told.push(await raw.ask(line));
  raw.close();
  return told.slice(3);
}

test('a long WATCH watches', async () => {
  const raw = await RawClient.open(gate.port);
  expect(await askLong(raw, 'WATCH', 'watched', long)).toBe('+OK\r\n');
  await client(gate.port).set('watched', 'changed');
  await raw.ask('MULTI');
  await raw.ask('PING');
  expect(await raw.ask('EXEC')).toBe('*-1\r\n');
  raw.close();
});

test('a long SUBSCRIBE subscribes, and its connection is no other client', async () => {
  const raw = await RawClient.open(gate.port);
  expect(await askLong(raw, 'SUBSCRIBE', 'news', long)).toBe('*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n');
  expect(await raw.reply()).toContain(':2\r\n');
  await client(gate.port).publish('news', 'one');
  expect(await raw.reply()).toBe('*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\none\r\n');
  raw.close();
  expect(await whoIsNext()).toEqual(['*2\r\n$7\r\ndefault\r\n+PONG\r\n']);
});

test('a long HELLO logs in only its client', async () => {
  await client(behind.port).call('ACL', 'SETUSER', 'root', 'on', '>root-pw', '~*', '&*', '+@all');
  for (const name of [long, 'bad name']) {
    const raw = await RawClient.open(gate.port);
    const filling = name === long ? [] : ['AUTH', 'root', 'root-pw', 'SETNAME', long];
    await askLong(raw, 'HELLO', '2', 'AUTH', 'root', 'root-pw', ...filling, 'SETNAME', name);
    await raw.ask('PING');
    expect(await whoIsNext()).toEqual(['*2\r\n$7\r\ndefault\r\n+PONG\r\n']);
    raw.close();
    expect(await whoIsNext()).toEqual(['*2\r\n$7\r\ndefault\r\n+PONG\r\n']);
  }
});

test('what a gate refuses it refuses at any length', async () => {
  const raw = await RawClient.open(gate.port);
  expect(await askLong(raw, 'PSYNC', '?', '-1', long)).toBe('-ERR PSYNC is not possible through a gate\r\n');
  expect(await askLong(raw, 'SCRIPT', 'DEBUG', long)).toMatch(/^-ERR SCRIPT DEBUG is not possible/);
  expect(await askLong(raw, 'DEBUG', 'SLEEP', long)).toBe('-ERR DEBUG is not allowed through this gate\r\n');
  expect(await askLong(raw, 'CLIENT', 'REPLY', long)).toMatch(/^-ERR/);
  expect(await askLong(raw, long, 'k')).toMatch(/^-ERR unknown command/);
  expect(await raw.ask('PING')).toBe('+PONG\r\n');
  await raw.ask('MULTI');
  expect(await askLong(raw, 'SUBSCRIBE', long)).toMatch(/inside MULTI is not possible/);
  expect(await raw.ask('EXEC')).toMatch(/^-EXECABORT/);
  raw.close();
});

test('the read-only port takes no long write, nor a script that writes while no replica is fit', async () => {
  const raw = await RawClient.open(gate.replicaPort);
  const script = `return redis.call('SET', 'script', 'was here') -- ${long}`;
  expect(await askLong(raw, 'SET', 'readonly', long)).toMatch(/^-READONLY/);
  expect(await askLong(raw, 'EVAL', script, '0')).toMatch(/^-(READONLY|ERR Write commands)|^-.*read only/);
  replica.process.kill('SIGKILL');
  const admin = client(behind.port);
  for (let wait = 0; wait < 200 && (await admin.info('replication')).includes('slave0'); wait++) {
    await raw.ask('PING');
  }
  expect(await askLong(raw, 'EVAL', script, '0')).toMatch(/^-READONLY/);
  expect(await raw.ask(`EVAL "return redis.call('SET', 'script', 'was here')" 0`)).toMatch(/^-READONLY/);
  expect(await raw.ask('GET k')).toBe('$-1\r\n');
  expect(await admin.exists('script', 'readonly')).toBe(0);
  raw.close();
});

/** A gate of its own before two servers, and a client of it that has sent half of a long SET, which the first server has. */
async function halfSent() {
  const [first, second] = [await startRedis(), await startRedis()];
  const members = [first, second].map(({ port }, index) => ({
    ...{ id: `redis-${index + 1}`, address: '127.0.0.1', port },
  }));
  const own = await startGate({ members });
  const raw = await RawClient.open(own.port);
  const request = writeRequest(['SET', 'half', long]);
  await raw.write(request.subarray(0, -1_000_000));
  const admin = client(first.port);
  const received = async () => / qbuf=\d{6,} /.test(String(await admin.call('CLIENT', 'LIST')));
  await waitFor(received, { what: 'half of it to be at the server', withinMs: 60_000 });
  return { first, second, own, raw, rest: request.subarray(-1_000_000) };
}

test('a long write that has only begun keeps no planned change waiting, and is not written in the meantime', async () => {
  const { first, own, raw, rest } = await halfSent();
  expect(await own.control.hold({ reason: 'switchover', maxMs: 20_000 })).toEqual({ drained: true });
  const sending = raw.write(rest);
  await pause(300);
  expect(await client(first.port).exists('half')).toBe(0);
  await own.control.release();
  await sending;
  expect(await raw.reply()).toBe('+OK\r\n');
  raw.close();
});

test('a long write that had only begun when another server took over is written at neither, and UNCERTAIN', async () => {
  const { first, second, own, raw, rest } = await halfSent();
  await own.control.hold({ reason: 'switchover', maxMs: 20_000 });
  const sending = raw.write(rest);
  await own.control.switch({ address: '127.0.0.1', port: second.port });
  await sending;
  expect(await raw.reply()).toMatch(/^-UNCERTAIN/);
  expect(await raw.ask('PING')).toBe('+PONG\r\n');
  for (const { port } of [first, second]) expect(await client(port).exists('half')).toBe(0);
  raw.close();
});

test('a long SET whose server is lost while it takes nothing more is read to its end, and UNCERTAIN', async () => {
  const [first, second] = [await startRedis(), await startRedis()];
  const members = [first, second].map(({ port }, index) => ({
    ...{ id: `redis-${index + 1}`, address: '127.0.0.1', port },
  }));
  const own = await startGate({ members });
  const raw = await RawClient.open(own.port);
  expect(await raw.ask('SET k v')).toBe('+OK\r\n');
  const request = writeRequest(['SET', 'k', 'x'.repeat(64 * 2 ** 20)]);
  const beginning = 4 * 2 ** 20;
  await raw.write(request.subarray(0, beginning));
  const begun = async () =>
    Number(/total_net_input_bytes:(\d+)/.exec(await client(first.port).info('stats'))?.[1]) > beginning / 2;
  await waitFor(begun, { what: 'the server to have a part of it', withinMs: 60_000 });
  first.process.kill('SIGSTOP');
  const sending = raw.write(request.subarray(beginning));
  // The buffers of the kernel are full, and the gate reads nothing more of it.
  let before = -1;
  const stands = () => {
    const moved = raw.bytesSent !== before;
    before = raw.bytesSent;
    return !moved;
  };
  await waitFor(stands, { what: 'the server to take nothing more', withinMs: 60_000, everyMs: 200 });
  await kill9(first.process);
  await own.control.switch({ address: '127.0.0.1', port: second.port });
  await sending;
  expect(await raw.reply()).toMatch(/^-UNCERTAIN/);
  expect(await raw.ask('PING')).toBe('+PONG\r\n');
  raw.close();
});
