import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, type Server, startRedis } from '../support/redis-processes.ts';

/** One client that keeps the server from answering it keeps nobody else from hearing what Redis says meanwhile. */

let server: Server;
let gate: GateProcess;

beforeAll(async () => {
  server = await startRedis(['--busy-reply-threshold', '100']);
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: server.port }] });
});
afterAll(cleanUp);

const endless = 'EVAL "while true do end" 0';

const shared = async () => (await gate.control.status()).connections.shared;

/** The connection that clients share is no longer theirs who come. */
const leftBehind = (before: number) =>
  waitFor(async () => (await shared()) < before, {
    what: 'the shared connection to be left',
    withinMs: 60_000,
  });

test('a script that never ends: others hear BUSY, in any database, and end it', async () => {
  const [scripted, other, elsewhere] = await Promise.all([
    RawClient.open(gate.port),
    RawClient.open(gate.port),
    RawClient.open(gate.port),
  ]);
  expect(await elsewhere.ask('SELECT 9')).toBe('+OK\r\n');
  expect(await other.ask('GET k')).toBe('$-1\r\n');
  const before = await shared();
  scripted.send(endless);
  await leftBehind(before);
  expect(await other.ask('GET k')).toMatch(/^-BUSY /);
  // Its connection, if it needs a new one, can't be put into its database now.
  expect(await elsewhere.ask('GET k')).toMatch(/^-BUSY /);
  expect(await elsewhere.ask('SET k 1')).toMatch(/^-BUSY /);
  const newcomer = await RawClient.open(gate.port);
  expect(await newcomer.ask('GET k')).toMatch(/^-BUSY /);
  expect(await newcomer.ask('SCRIPT KILL')).toBe('+OK\r\n');
  expect(await scripted.reply('the script')).toMatch(/^-ERR Script killed by user/);
  expect(await scripted.ask('PING')).toBe('+PONG\r\n');
  await waitFor(async () => (await elsewhere.ask('SET k 9')) === '+OK\r\n', {
    what: 'the other database',
    withinMs: 60_000,
  });
  expect(await other.ask('GET k')).toBe('$-1\r\n');
  for (const each of [scripted, other, elsewhere, newcomer]) each.close();
});

test('FUNCTION KILL reaches a function that never ends', async () => {
  const [caller, other] = await Promise.all([RawClient.open(gate.port), RawClient.open(gate.port)]);
  const library = "#!lua name=endless\nredis.register_function('endless', function() while true do end end)";
  await caller.write(writeRequest(['FUNCTION', 'LOAD', 'REPLACE', library]));
  expect(await caller.reply()).toBe('$7\r\nendless\r\n');
  const before = await shared();
  caller.send('FCALL endless 0');
  await leftBehind(before);
  expect(await other.ask('GET k')).toMatch(/^-BUSY /);
  expect(await other.ask('FUNCTION KILL')).toBe('+OK\r\n');
  expect(await caller.reply('the function')).toMatch(/^-ERR .*killed by user/i);
  expect(await caller.ask('FUNCTION DELETE endless')).toBe('+OK\r\n');
  for (const each of [caller, other]) each.close();
});

test('CLIENT PAUSE WRITE stops writes; reads and CLIENT UNPAUSE pass', async () => {
  const [writer, reader] = await Promise.all([RawClient.open(gate.port), RawClient.open(gate.port)]);
  expect(await writer.ask('SET paused before')).toBe('+OK\r\n');
  expect(await writer.ask('CLIENT PAUSE 60000 WRITE')).toBe('+OK\r\n');
  const before = await shared();
  writer.send('SET paused after');
  await leftBehind(before);
  expect(await reader.ask('GET paused')).toBe('$6\r\nbefore\r\n');
  expect(await reader.ask('GET paused')).toBe('$6\r\nbefore\r\n');
  expect(await reader.ask('CLIENT UNPAUSE')).toBe('+OK\r\n');
  expect(await writer.reply('the write')).toBe('+OK\r\n');
  expect(await reader.ask('GET paused')).toBe('$5\r\nafter\r\n');
  for (const each of [writer, reader]) each.close();
});

test('who asked at once behind a script that never ends hears BUSY too, and its answers stay its own', async () => {
  const [scripted, reader, writer, counter, both] = await Promise.all([
    RawClient.open(gate.port),
    RawClient.open(gate.port),
    RawClient.open(gate.port),
    RawClient.open(gate.port),
    RawClient.open(gate.port),
  ]);
  for (const each of [scripted, reader, writer, counter, both])
    expect(await each.ask('PING')).toBe('+PONG\r\n');
  scripted.send(endless);
  // In the same moment: it goes behind the script, on the same connection.
  for (const line of ['GET nothing', 'PING', 'ECHO mine']) reader.send(line);
  writer.send('SET behind 1');
  // What writes among others stays: nobody can know whether it will be executed.
  counter.send('EVAL "return redis.call(\'INCR\', KEYS[1])" 1 counted');
  await both.write(Buffer.concat([writeRequest(['GET', 'nothing']), writeRequest(['INCR', 'alone'])]));
  for (let answer = 0; answer < 3; answer++) expect(await reader.reply('BUSY')).toMatch(/^-BUSY /);
  expect(await reader.ask('SCRIPT KILL')).toBe('+OK\r\n');
  expect(await scripted.reply('the script')).toMatch(/^-ERR Script killed by user/);
  expect(await writer.reply('the write')).toBe('+OK\r\n');
  expect(await counter.reply('the other script')).toBe(':1\r\n');
  expect(await both.reply('GET')).toBe('$-1\r\n');
  expect(await both.reply('INCR')).toBe(':1\r\n');
  for (const each of [scripted, reader, writer, counter, both]) {
    expect(await each.ask('ECHO own')).toBe('$3\r\nown\r\n');
    expect(await each.ask('GET behind')).toBe('$1\r\n1\r\n');
    each.close();
  }
});

test('a server that is only slow is asked once', async () => {
  const direct = await RawClient.open(server.port);
  for (const line of ['CONFIG SET busy-reply-threshold 60000', 'CONFIG RESETSTAT'])
    expect(await direct.ask(line)).toBe('+OK\r\n');
  const slow = await RawClient.open(gate.port);
  const others = await Promise.all(Array.from({ length: 5 }, () => RawClient.open(gate.port)));
  for (const each of [slow, ...others]) expect(await each.ask('PING')).toBe('+PONG\r\n');
  const until = "local t = redis.call('TIME') repeat local n = redis.call('TIME')";
  slow.send(`EVAL "${until} until (n[1] - t[1]) * 1000000 + n[2] - t[2] > 700000" 0`);
  for (const each of others) each.send('STRLEN k');
  for (const each of others) expect(await each.reply('the length')).toMatch(/^:\d+\r\n$/);
  expect(await slow.reply('the script')).toBe('$-1\r\n');
  expect(await direct.ask('INFO commandstats')).toContain('cmdstat_strlen:calls=5,');
  for (const each of [slow, direct, ...others]) each.close();
});

test('CLIENT LIST says how much the gate keeps for a client', async () => {
  const [asking, other] = await Promise.all([RawClient.open(gate.port), RawClient.open(gate.port)]);
  await other.ask('CLIENT SETNAME kept');
  await other.ask('MULTI');
  await other.ask(`SET k ${'x'.repeat(1000)}`);
  const line = /^.* name=kept .*$/m.exec(await asking.ask('CLIENT LIST'))?.[0] ?? '';
  const field = (name: string) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1]);
  expect(field('multi-mem')).toBeGreaterThan(1000);
  expect(field('tot-mem')).toBeGreaterThan(1000);
  expect(await asking.ask('CLIENT INFO')).toMatch(/ qbuf=[1-9]\d* .* tot-mem=[1-9]\d* /);
  for (const each of [asking, other]) each.close();
});

test('the table of commands, when it could not be read at first, is asked for again soon', async () => {
  const admin = await RawClient.open(server.port);
  expect(await admin.ask('ACL SETUSER watcher on >watcher-pw +ping +role +info')).toBe('+OK\r\n');
  const memberCredentials = { username: 'watcher', password: 'watcher-pw' };
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: server.port }];
  const late = await startGate({ members, memberCredentials });
  const refused = () => late.log().includes('cannot read the table of commands');
  await waitFor(refused, { what: 'the first question', withinMs: 60_000 });
  expect(await admin.ask('ACL SETUSER watcher +command')).toBe('+OK\r\n');
  const asking = await RawClient.open(late.port);
  const known = async () => {
    await asking.ask('STRLEN k');
    return 'strlen' in (await late.control.status()).commands;
  };
  await waitFor(known, { what: 'the table', withinMs: 60_000 });
  for (const each of [admin, asking]) each.close();
});

test('SHUTDOWN NOSAVE ends a server whose script has written and never ends', async () => {
  const doomed = await startRedis(['--busy-reply-threshold', '100']);
  const members = [{ id: 'redis-1', address: '127.0.0.1', port: doomed.port }];
  const before = await startGate({ members, holdMs: 200 });
  const [scripted, other] = await Promise.all([RawClient.open(before.port), RawClient.open(before.port)]);
  expect(await other.ask('GET k')).toBe('$-1\r\n');
  scripted.send(`EVAL "redis.call('SET', 'k', '1') while true do end" 1 k`);
  await waitFor(async () => (await before.control.status()).connections.shared === 0, {
    what: 'the shared connection to be left',
    withinMs: 60_000,
  });
  expect(await other.ask('SCRIPT KILL')).toMatch(/^-UNKILLABLE /);
  other.send('SHUTDOWN NOSAVE');
  const ended = () => doomed.process.exitCode !== null || doomed.process.signalCode !== null;
  await waitFor(ended, { what: 'the server to end', withinMs: 60_000 });
  expect(await scripted.reply('the script')).toMatch(/^-UNCERTAIN /);
  for (const each of [scripted, other]) each.close();
});
