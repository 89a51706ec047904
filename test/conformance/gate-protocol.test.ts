import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pause, waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { untilKnownToWait } from '../support/known-to-wait.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

let direct: Server;
let behind: Server;
let gate: GateProcess;
const users = [
  '--requirepass',
  'secret',
  '--user',
  'eve',
  'on',
  '>pw',
  '~e:*',
  '+@all',
  '-@admin',
  '-client|kill',
];
users.push('--user', 'reader', 'on', '>pw', '~*', '+@read', '+ping', '+hello');
let directUsers: Server;
let gateUsers: GateProcess;

beforeAll(async () => {
  direct = await startRedis();
  behind = await startRedis();
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }] });
  directUsers = await startRedis(users);
  const behindUsers = await startRedis(users);
  gateUsers = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behindUsers.port }] });
});
afterAll(cleanUp);

/** What a fresh connection answers to these bytes, until it is closed or `replies` came. */
async function answers(port: number, bytes: string, replies: number): Promise<string[]> {
  const raw = await RawClient.open(port);
  raw.write(bytes);
  const all: string[] = [];
  for (let index = 0; index < replies; index++) all.push(await raw.reply(bytes.slice(0, 60)));
  raw.close();
  return all;
}

describe('bytes that are no clean requests get the same answer', () => {
  test.each([
    ['PING\r\n', 1],
    ['PING\n', 1],
    ['\r\n\r\nPING\r\n', 1],
    ['SET inline "a b"\r\nGET inline\r\n', 2],
    ["SET inline 'a b'\r\nGET inline\r\n", 2],
    ['SET x "unbalanced\r\n', 2],
    ['*0\r\nPING\r\n', 1],
    ['*-1\r\n*1\r\n$4\r\nPING\r\n', 1],
    ['*1\r\n$4\r\nPING\r\n*x\r\n', 3],
    ['*1\r\n:4\r\nPING\r\n', 2],
    ['*1\r\n$x\r\nPING\r\n', 2],
    ['*1\r\n$-5\r\nPING\r\n', 2],
    ['*9999999999\r\n', 2],
    ['*1\r\n$999999999999\r\n', 2],
    ['*1\r\n$0\r\n\r\n', 1],
    ['*2\r\n$3\r\nGET\r\n$5\r\na\r\nb\0\r\n', 1],
    ['QUIT\r\nPING\r\n', 2],
    [`*1\r\n$4\r\nPING\r\n${'x'.repeat(70_000)}`, 3],
  ])('%j', async (bytes, replies) => {
    expect(await answers(gate.port, bytes, replies)).toEqual(await answers(direct.port, bytes, replies));
  });
});

test('users and passwords answer as they do directly', async () => {
  const lines = [
    'PING',
    'GET e:1',
    'HELLO 3',
    'AUTH wrong',
    'AUTH eve wrong',
    'AUTH eve pw',
    'ACL WHOAMI',
    'PING',
    'SET e:1 v',
    'GET e:1',
    'SET other v',
    'ACL LIST',
    'CLIENT KILL ID 1',
    'CLIENT GETNAME',
    'CLIENT SETNAME me',
    'CLIENT GETNAME',
    'MULTI',
    'GET other',
    'EXEC',
    'AUTH secret',
    'SET other v',
    'AUTH reader pw',
    'GET other',
    'SET other w',
    'CLIENT ID',
    'SELECT 1',
    'MULTI',
    'SUBSCRIBE c',
    'HELLO 2 AUTH eve pw SETNAME two',
    'CLIENT GETNAME',
    'RESET',
    'GET e:1',
    'HELLO 3 AUTH nobody pw',
    'AUTH a b c d',
    'AUTH',
  ];
  const talk = async (port: number) => {
    const raw = await RawClient.open(port);
    const all: string[] = [];
    for (const line of lines) {
      all.push(`${line}: ${(await raw.ask(line)).replace(/(\$2\r\nid\r\n:)\d+/, '$1N')}`);
    }
    raw.close();
    return all;
  };
  expect(await talk(gateUsers.port)).toEqual(await talk(directUsers.port));
});

test('a client that has not authenticated may not send much', async () => {
  for (const bytes of ['*11\r\n', '*1\r\n$16385\r\n']) {
    expect(await answers(gateUsers.port, bytes, 2)).toEqual(await answers(directUsers.port, bytes, 2));
  }
});

test('CLIENT LIST, INFO and KILL are about the clients of the gate', async () => {
  const one = await RawClient.open(gate.port);
  const two = await RawClient.open(gate.port);
  const idOf = async (raw: RawClient) => (await raw.ask('CLIENT ID')).slice(1, -2);
  const [first, second] = [await idOf(one), await idOf(two)];
  expect(Number(second)).toBeGreaterThan(Number(first));
  await two.ask('CLIENT SETNAME victim');
  expect(await one.ask('CLIENT LIST')).toContain(`id=${second} `);
  expect(await one.ask('CLIENT LIST')).toContain('name=victim');
  expect(await two.ask('CLIENT INFO')).toContain(`id=${second} `);
  expect(await one.ask(`CLIENT KILL ID ${second}`)).toBe(':1\r\n');
  await waitFor(() => two.closed, { what: 'the killed client to be closed', withinMs: 60_000 });
  expect(await one.ask('PING')).toBe('+PONG\r\n');
  one.close();
});

test('CLIENT UNBLOCK reaches the client that is blocked', async () => {
  const one = await RawClient.open(gate.port);
  const two = await RawClient.open(gate.port);
  const id = (await two.ask('CLIENT ID')).slice(1, -2);
  two.send('BLPOP nothing 0');
  const unblocked = async () => (await one.ask(`CLIENT UNBLOCK ${id} ERROR`)) === ':1\r\n';
  await waitFor(unblocked, { what: 'the client to be blocked and unblocked', withinMs: 60_000 });
  expect(await two.reply()).toMatch(/^-UNBLOCKED client unblocked via CLIENT UNBLOCK/);
  for (const each of [one, two]) each.close();
});

test('CLIENT REPLY OFF, SKIP and ON', async () => {
  const lines = [
    'CLIENT REPLY OFF',
    'PING a',
    'SET k 1',
    'CLIENT REPLY ON',
    'PING b',
    'CLIENT REPLY SKIP',
    'PING c',
    'PING d',
    'CLIENT REPLY SKIP',
    'RESET',
    'PING e',
    'CLIENT REPLY OFF',
    'RESET',
  ];
  const talk = async (port: number) => {
    const raw = await RawClient.open(port);
    for (const line of lines) raw.send(line);
    const seen = [];
    for (let count = 0; count < 5; count++) seen.push(await raw.reply());
    raw.close();
    return seen;
  };
  expect(await talk(gate.port)).toEqual(await talk(direct.port));
});

test('a blocked client does not hold up the others', async () => {
  const blocked = client(gate.port);
  const other = client(gate.port);
  const popped = blocked.blpop('later', 0);
  expect(await other.ping()).toBe('PONG');
  await other.rpush('later', 'x');
  expect(await popped).toEqual(['later', 'x']);
});

test('who goes while it waits in a blocking command takes nothing of what comes then', async () => {
  const other = client(gate.port);
  for (const how of ['destroy', 'end'] as const) {
    const waiting = connect({ port: gate.port, host: '127.0.0.1', allowHalfOpen: true });
    waiting.write('BLPOP gone 0\r\n');
    await untilKnownToWait(gate, behind);
    waiting[how]();
    await pause(30);
    await other.rpush('gone', how);
    expect(await other.lpop('gone'), how).toBe(how);
    waiting.destroy();
  }
});

test('WAIT counts the replicas that have what this client wrote', async () => {
  const raw = await RawClient.open(gate.port);
  await raw.ask('SET w 1');
  expect(await raw.ask('WAIT 0 100')).toBe(':0\r\n');
  raw.close();
});

test('what a server answers by closing, or not at all, disturbs no connection that others share', async () => {
  const other = await RawClient.open(gate.port);
  await other.ask('SET mine 1');
  const before = (await gate.control.status()).counters.uncertain;
  for (const line of ['POST', 'Host: example']) {
    const raw = await RawClient.open(gate.port);
    raw.send(line);
    expect(await raw.reply(line)).toBe('(closed)');
    expect(await other.ask('INCR mine')).toMatch(/^:/);
  }
  const raw = await RawClient.open(gate.port);
  expect(await raw.ask('REPLCONF ACK 1')).toBe('-ERR REPLCONF is not possible through a gate\r\n');
  expect(await raw.ask('DEBUG')).toBe("-ERR wrong number of arguments for 'debug' command\r\n");
  expect(await raw.ask('SCRIPT DEBUG YES')).toBe('-ERR SCRIPT DEBUG is not possible through a gate\r\n');
  expect(await raw.ask('EVAL "return 1" 0')).toBe(':1\r\n');
  expect(await other.ask('GET mine')).toBe('$1\r\n3\r\n');
  expect((await gate.control.status()).counters.uncertain).toBe(before);
  for (const each of [raw, other]) each.close();
});

test('CLIENT UNBLOCK with a number that the gate never gave unblocks nobody', async () => {
  const blocked = await RawClient.open(gate.port);
  const other = await RawClient.open(gate.port);
  const id = Number((await blocked.ask('CLIENT ID')).slice(1, -2));
  blocked.send('BLPOP unblock-list 0');
  const numbers = Array.from({ length: 200 }, (_, index) => index + 1).filter((number) => number !== id);
  for (const number of numbers) expect(await other.ask(`CLIENT UNBLOCK ${number}`)).toBe(':0\r\n');
  await other.ask('RPUSH unblock-list x');
  expect(await blocked.reply()).toContain('unblock-list');
  for (const each of [blocked, other]) each.close();
});

test('a user who may not say MULTI is in no transaction', async () => {
  const raw = await RawClient.open(gateUsers.port);
  await raw.ask('AUTH reader pw');
  expect(await raw.ask('MULTI')).toMatch(/^-NOPERM /);
  expect(await raw.ask('GET e:none')).toBe('$-1\r\n');
  expect(await raw.ask('EXEC')).toMatch(/ NOPERM this user/);
  raw.close();
});
