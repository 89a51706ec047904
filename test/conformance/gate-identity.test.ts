import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { writeRequest } from '../../src/resp/write.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';

/** Who a client is, is never what another client was. */
let behind: Server;
let gate: GateProcess;
const users = [
  'ACL SETUSER root on >root-pw ~* &* +@all',
  'ACL SETUSER app on >app-pw ~* &* +@all -@admin',
  'ACL SETUSER narrow on >narrow-pw ~* &* +@all -select',
];

beforeAll(async () => {
  behind = await startRedis();
  const admin = client(behind.port);
  for (const line of users) await admin.call(...(line.split(' ') as [string, ...string[]]));
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }] });
});
afterAll(cleanUp);

const whoami = 'ACL WHOAMI';
const nameOf = (reply: string) => reply.split('\r\n')[1];

/** What one client after another is told by ACL WHOAMI on a connection of its own, which it may get from the pool. */
async function pooledUsers(count: number): Promise<Set<string | undefined>> {
  const seen = new Set<string | undefined>();
  for (let index = 0; index < count; index++) {
    const raw = await RawClient.open(gate.port);
    await raw.ask('WATCH k');
    seen.add(nameOf(await raw.ask(whoami)));
    raw.close();
  }
  return seen;
}

for (const line of [
  'HELLO 2 AUTH root root-pw SETNAME "my app"',
  'HELLO 3 AUTH root root-pw NOSUCH',
  'HELLO 2 AUTH root root-pw AUTH app wrong',
]) {
  test(`what is refused after it logged in leaves nobody else logged in: ${line}`, async () => {
    const raw = await RawClient.open(gate.port);
    expect(await raw.ask(line)).toMatch(/^-/);
    await raw.ask('WATCH k');
    await raw.ask('UNWATCH');
    expect(await pooledUsers(4)).toEqual(new Set(['default']));
    raw.close();
    expect(await pooledUsers(4)).toEqual(new Set(['default']));
  });

  test(`the same inside a transaction: ${line}`, async () => {
    const raw = await RawClient.open(gate.port);
    await raw.ask('MULTI');
    expect(await raw.ask(line)).toBe('+QUEUED\r\n');
    expect(await raw.ask('EXEC')).toMatch(/^\*1\r\n-/);
    expect(await pooledUsers(4)).toEqual(new Set(['default']));
    raw.close();
    expect(await pooledUsers(4)).toEqual(new Set(['default']));
  });
}

test('who logs in again and again, each time with another password, keeps no connections without end', async () => {
  const raw = await RawClient.open(gate.port);
  // The default user has no password, so any is good.
  for (let index = 0; index < 250; index++) {
    expect(await raw.ask(`AUTH default anything-${index}`)).toBe('+OK\r\n');
    expect(await raw.ask('ECHO a')).toBe('$1\r\na\r\n');
  }
  const clients = /connected_clients:(\d+)/.exec(await client(behind.port).info('clients'))?.[1];
  expect(Number(clients)).toBeLessThan(230);
  expect(await raw.ask('ACL WHOAMI')).toBe('$7\r\ndefault\r\n');
  raw.close();
});

test.each([
  'AUTH root root-pw',
  'SELECT 5',
  'HELLO 3 AUTH root root-pw',
  'WATCH k',
  'MULTI',
  'CLIENT TRACKING ON BCAST',
  'BLPOP none 0.01',
])('what comes behind a MULTI that is refused, in the same write, is what it is: %s', async (line) => {
  const admin = client(behind.port);
  const raws: RawClient[] = [];
  const told = async (port: number) => {
    await admin.flushall();
    await admin.set('marker', 0);
    const raw = await RawClient.open(port);
    raws.push(raw);
    const lines = ['MULTI x', line, 'INCR behind', 'ACL WHOAMI', 'GET marker'];
    for (const each of lines) raw.send(each);
    const answers = await Promise.all(lines.map((each) => raw.reply(each)));
    return answers.map((each) => each.replace(/(\$2\r\nid\r\n:)\d+/, '$1N'));
  };
  expect(await told(gate.port)).toEqual(await told(behind.port));
  expect(await pooledUsers(4)).toEqual(new Set(['default']));
  await admin.set('k', line);
  const other = await RawClient.open(gate.port);
  const answers: string[] = [];
  for (const each of ['WATCH other', 'GET marker', 'MULTI', 'PING', 'EXEC'])
    answers.push(await other.ask(each));
  expect(answers.join('')).toBe('+OK\r\n$1\r\n0\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n');
  for (const each of [...raws, other]) each.close();
});

test('a name in HELLO is its client alone, and no other is called so at the member', async () => {
  const raw = await RawClient.open(gate.port);
  const named = 'HELLO 3 AUTH app app-pw SETNAME';
  expect(await raw.ask(`${named} alice`)).toMatch(/^%/);
  expect(await raw.ask('CLIENT GETNAME')).toBe('$5\r\nalice\r\n');
  for (const line of ['MULTI', `${named} bob`, 'EXEC']) await raw.ask(line);
  expect(await raw.ask('CLIENT GETNAME')).toBe('$3\r\nbob\r\n');
  expect(await raw.ask('HELLO 3 SETNAME ""')).toMatch(/^%/);
  expect(await raw.ask('CLIENT GETNAME')).toBe('_\r\n');
  raw.close();
  expect(await client(behind.port).call('CLIENT', 'LIST')).not.toMatch(/name=(alice|bob) /);
});

test('SELECT, AUTH and RESET that fail leave no connection to others', async () => {
  const raw = await RawClient.open(gate.port);
  for (const line of ['SELECT 99', 'SELECT x', 'AUTH app wrong', 'RESET now', 'HELLO 9']) {
    expect(await raw.ask(line), line).toMatch(/^-/);
  }
  expect(await pooledUsers(4)).toEqual(new Set(['default']));
  raw.close();
});

test('users and passwords that differ in bytes are not the same user', async () => {
  const admin = await RawClient.open(behind.port);
  const bytes = (...parts: (string | number)[]) =>
    writeRequest(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
  const joined = (text: string, byte: number) => Buffer.concat([Buffer.from(text), Buffer.from([byte])]);
  for (const [byte, password] of [
    [0xff, 'one'],
    [0xfe, 'two'],
  ] as const) {
    await admin.write(
      writeRequest([
        'ACL',
        'SETUSER',
        Buffer.from([byte]),
        'on',
        joined(`>${password}`, byte),
        '~*',
        '&*',
        '+@all',
      ]),
    );
    expect(await admin.reply()).toBe('+OK\r\n');
  }
  for (const [byte, password] of [
    [0xff, 'one'],
    [0xfe, 'two'],
  ] as const) {
    const raw = await RawClient.open(gate.port);
    await raw.write(writeRequest(['AUTH', Buffer.from([byte]), joined(password, byte)]));
    expect(await raw.reply()).toBe('+OK\r\n');
    await raw.write(bytes('ACL', 'WHOAMI'));
    expect(await raw.reply()).toBe(`$1\r\n${String.fromCharCode(byte)}\r\n`);
    expect(await raw.ask('CLIENT LIST')).toContain(` user=${String.fromCharCode(byte)} `);
    raw.close();
  }
  admin.close();
});

test('who logged in with an old password does not go on with the new one of somebody else', async () => {
  const admin = client(behind.port);
  await admin.call('ACL', 'SETUSER', 'turn', 'on', '>old', '~*', '&*', '+@all');
  const early = await RawClient.open(gate.port);
  expect(await early.ask('AUTH turn old')).toBe('+OK\r\n');
  expect(nameOf(await early.ask(whoami))).toBe('turn');
  await admin.call('ACL', 'SETUSER', 'turn', 'resetpass', '>new');
  const late = await RawClient.open(gate.port);
  expect(await late.ask('AUTH turn new')).toBe('+OK\r\n');
  expect(nameOf(await late.ask(whoami))).toBe('turn');
  await admin.call('CLIENT', 'KILL', 'USER', 'turn');
  expect(nameOf(await late.ask(whoami))).toBe('turn');
  // Its connection is gone, and it can't be let in again with the password that it gave.
  expect(await early.ask(whoami)).toMatch(/^-WRONGPASS/);
  expect(await early.reply()).toBe('(closed)');
  late.close();
});

test('a database that was chosen before a log-in without the right to choose stays', async () => {
  const raw = await RawClient.open(gate.port);
  expect(await raw.ask('SELECT 9')).toBe('+OK\r\n');
  expect(await raw.ask('SET in-nine yes')).toBe('+OK\r\n');
  expect(await raw.ask('AUTH narrow narrow-pw')).toBe('+OK\r\n');
  expect(await raw.ask('GET in-nine')).toBe('$3\r\nyes\r\n');
  expect(await raw.ask('SELECT 0')).toMatch(/^-NOPERM/);
  const admin = client(behind.port);
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
  expect(await raw.ask('GET in-nine')).toBe('$3\r\nyes\r\n');
  raw.close();
});

test('what follows a log-in in the same write is what a client may send that has logged in', async () => {
  await client(behind.port).config('SET', 'requirepass', 'door-pw');
  const closed = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }],
    memberCredentials: { username: 'default', password: 'door-pw' },
  });
  const six = writeRequest(['MSET', ...Array.from({ length: 12 }, (_, index) => `k${index}`)]);
  const long = writeRequest(['SET', 'k', 'x'.repeat(20_000)]);
  for (const login of [
    ['AUTH', 'door-pw'],
    ['HELLO', '2', 'AUTH', 'default', 'door-pw'],
  ]) {
    for (const request of [six, long]) {
      const raw = await RawClient.open(closed.port);
      await raw.write(Buffer.concat([writeRequest(login), request]));
      expect(await raw.reply()).toMatch(/^[+*]/);
      expect(await raw.reply()).toBe('+OK\r\n');
      raw.close();
    }
  }
  const stranger = await RawClient.open(closed.port);
  await stranger.write(six);
  expect(await stranger.reply()).toBe('-ERR Protocol error: unauthenticated multibulk length\r\n');
  const admin = client(behind.port, { password: 'door-pw' });
  await admin.config('SET', 'requirepass', '');
});

test('a password that the default user gets is asked of everybody who comes, and of who was there', async () => {
  const early = await RawClient.open(gate.port);
  expect(await early.ask('SET k v')).toBe('+OK\r\n');
  const other = await RawClient.open(gate.port);
  expect(await other.ask('CONFIG SET requirepass late-pw')).toBe('+OK\r\n');
  const late = await RawClient.open(gate.port);
  expect(await late.ask('GET k')).toMatch(/^-NOAUTH/);
  expect(await early.ask('GET k')).toMatch(/^-NOAUTH/);
  expect(await late.ask('AUTH late-pw')).toBe('+OK\r\n');
  expect(await late.ask('CONFIG SET requirepass ""')).toBe('+OK\r\n');
  // The same done at the member itself.
  const admin = client(behind.port);
  const again = await RawClient.open(gate.port);
  expect(await again.ask('GET k')).toBe('$1\r\nv\r\n');
  await admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>more-pw');
  const refused = async () => (await again.ask('GET k')).startsWith('-NOAUTH');
  await waitFor(refused, { what: 'the gate to ask for the password', withinMs: 60_000 });
  await admin.call('ACL', 'SETUSER', 'default', 'nopass');
  for (const raw of [early, other, late, again]) raw.close();
});

test('a subscription that its user may no longer have ends the client', async () => {
  const admin = client(behind.port);
  await admin.call('ACL', 'SETUSER', 'hearer', 'on', '>hear-pw', '~*', '&news', '+@all');
  const raw = await RawClient.open(gate.port);
  await raw.ask('AUTH hearer hear-pw');
  expect(await raw.ask('SUBSCRIBE news')).toContain('subscribe');
  await admin.call('ACL', 'SETUSER', 'hearer', 'resetchannels', '&other');
  await waitFor(() => raw.closed, { what: 'the gate to close the client', withinMs: 60_000 });
});

test('what the gate asks for itself is neither refused to a user nor seen as a request of one', async () => {
  const admin = client(behind.port);
  await admin.call(
    'ACL',
    'SETUSER',
    'little',
    'on',
    '>little-pw',
    '~*',
    '+get',
    '+set',
    '+watch',
    '+multi',
    '+exec',
  );
  await admin.call('ACL', 'LOG', 'RESET');
  const monitor = await RawClient.open(behind.port);
  expect(await monitor.ask('MONITOR')).toBe('+OK\r\n');
  const raw = await RawClient.open(gate.port);
  const asked = ['AUTH little little-pw', 'SET own 1', 'WATCH own', 'MULTI', 'GET own', 'EXEC', 'GET own'];
  for (const line of asked) expect(await raw.ask(line), line).toMatch(/^[+*$]/);
  // A connection of its own that broke is opened anew, as its user.
  await raw.ask('WATCH own');
  await admin.call('CLIENT', 'KILL', 'USER', 'little');
  await waitFor(async () => (await raw.ask('GET own')) === '$1\r\n1\r\n', {
    what: 'the new connection',
    withinMs: 60_000,
  });
  raw.close();
  await admin.call('PING', 'the end of it');
  let seen = '';
  while (!seen.includes('the end of it')) seen += await monitor.reply();
  monitor.close();
  // A HELLO opens a connection, under the name of the gate.
  expect(seen).not.toMatch(/"client"/i);
  expect(await admin.call('ACL', 'LOG')).toEqual([]);
});

test('an inline command behind a log-in without the right to choose a database is answered, and opens no connections', async () => {
  const admin = client(behind.port);
  const opened = async () => Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
  const before = await opened();
  const raw = await RawClient.open(gate.port);
  await raw.write(
    'SELECT 9\r\nAUTH narrow narrow-pw\r\nSET inline yes\r\nGET inline\r\nWATCH inline\r\nPING\r\n',
  );
  for (const wanted of ['+OK', '+OK', '+OK', '$3\r\nyes', '+OK', '+PONG'])
    expect(await raw.reply(wanted)).toBe(`${wanted}\r\n`);
  raw.close();
  expect((await opened()) - before).toBeLessThan(10);
});
