import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, kill9, type Server, startRedis } from '../support/redis-processes.ts';

let direct: Server;
let behind: Server;
let gate: GateProcess;

beforeAll(async () => {
  direct = await startRedis();
  behind = await startRedis();
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }] });
});
afterAll(cleanUp);

/** What a client is told, line by line; the connections to the server are cut before a line that is CUT. */
async function talk(port: number, server: Server, lines: string[]): Promise<string[]> {
  const raw = await RawClient.open(port);
  const admin = client(server.port);
  const told: string[] = [];
  for (const line of lines) {
    if (line === 'CUT') await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    else told.push(`${line}: ${await raw.ask(line)}`);
  }
  raw.close();
  admin.disconnect();
  return told;
}

test('SELECT inside a transaction stays, and no other client gets that connection for its own database', async () => {
  const lines = ['MULTI', 'SELECT 5', 'SET in-five 1', 'EXEC', 'GET in-five', 'SELECT 0', 'GET in-five'];
  expect(await talk(gate.port, behind, lines)).toEqual(await talk(direct.port, direct, lines));
  const others = await talk(gate.port, behind, [
    'MULTI',
    'GET in-five',
    'EXEC',
    'BLPOP none 0.01',
    'GET in-five',
  ]);
  expect(others.at(2)).toBe('EXEC: *1\r\n$-1\r\n');
  expect(others.at(4)).toBe('GET in-five: $-1\r\n');
});

test('a transaction that failed before its connection was lost still fails', async () => {
  const cut = await talk(gate.port, behind, [
    'MULTI',
    'SET k 1',
    'NOSUCH',
    'CUT',
    'SET k 2',
    'EXEC',
    'GET k',
  ]);
  const whole = await talk(direct.port, direct, ['MULTI', 'SET k 1', 'NOSUCH', 'SET k 2', 'EXEC', 'GET k']);
  expect(cut).toEqual(whole);
});

test('a watch that was lost fails one EXEC, and none after UNWATCH or DISCARD', async () => {
  const lines = ['WATCH w', 'CUT', 'MULTI', 'PING', 'EXEC', 'MULTI', 'PING', 'EXEC'];
  const told = await talk(gate.port, behind, lines);
  expect(told[3]).toBe('EXEC: *-1\r\n');
  expect(told[6]).toBe('EXEC: *1\r\n+PONG\r\n');
  for (const end of [['UNWATCH'], ['MULTI', 'DISCARD']]) {
    const after = await talk(gate.port, behind, ['WATCH w', 'CUT', 'GET w', ...end, 'MULTI', 'PING', 'EXEC']);
    expect(after.at(-1)).toBe('EXEC: *1\r\n+PONG\r\n');
  }
});

test('an end that is refused, and what spoils a transaction, is as at a server, also on another connection', async () => {
  const who = 'ACL SETUSER nodiscard on >pw ~* &* +@all -discard';
  for (const server of [direct, behind]) await client(server.port).call(...(who.split(' ') as [string]));
  const talks = [
    ['MULTI', 'SET end 1', 'DISCARD x', 'SET end 2', 'EXEC', 'GET end', 'PING'],
    ['MULTI', 'SET end 1', 'EXEC x', 'SET end 3', 'GET end', 'EXEC'],
    ['EXEC x', 'DISCARD x', 'MULTI', 'PING', 'DISCARD', 'PING'],
    ['MULTI', 'PING', 'MULTI', 'WATCH k', 'EXEC', 'PING'],
    ['WATCH k', 'EXEC x', 'SET k 5', 'MULTI', 'PING', 'EXEC'],
    ['WATCH k', 'MULTI', 'PING', 'EXEC x', 'GET none'],
    ['MULTI', 'PING', 'MULTI x', 'EXEC', 'PING'],
    ['AUTH nodiscard pw', 'MULTI', 'SET end 4', 'DISCARD', 'SET end 5', 'EXEC', 'GET end'],
    ['MULTI', 'HELLO 9', 'HELLO', 'GET none', 'EXEC', 'GET none'],
    ['MULTI', 'HELLO 3 AUTH nodiscard pw', 'ACL WHOAMI', 'EXEC', 'ACL WHOAMI', 'GET none'],
  ];
  const comparable = (told: string[]) => told.map((line) => line.replace(/(\$2\r\nid\r\n:)\d+/, '$1N'));
  for (const lines of talks) {
    const wanted = comparable(await talk(direct.port, direct, lines));
    expect(comparable(await talk(gate.port, behind, lines))).toEqual(wanted);
    const exec = lines.lastIndexOf('EXEC');
    const cut = [...lines.slice(0, exec), 'CUT', ...lines.slice(exec)];
    expect(comparable(await talk(gate.port, behind, cut))).toEqual(wanted);
  }
});

test('what a transaction can not do through a gate is refused, and the transaction with it', async () => {
  const refused = ['CLIENT REPLY OFF', 'CLIENT TRACKING ON REDIRECT 1', 'SUBSCRIBE c', 'DEBUG SLEEP 0'];
  for (const line of refused) {
    const told = await talk(gate.port, behind, ['MULTI', line, 'EXEC', 'PING']);
    expect(told[1]).toMatch(/: -ERR .* inside MULTI is not possible through a gate\r\n$/);
    expect(told[2]).toMatch(/^EXEC: -EXECABORT /);
    expect(told[3]).toBe('PING: +PONG\r\n');
  }
});

test('CLIENT and MONITOR in a transaction answer as at a server, also when its connection is lost before EXEC', async () => {
  const block = [
    'CLIENT SETNAME "not good"',
    'CLIENT SETNAME mine',
    'CLIENT GETNAME',
    'CLIENT KILL ID 123456',
    'CLIENT UNBLOCK 123456',
    'CLIENT NO-EVICT ON',
    'CLIENT TRACKING ON BCAST PREFIX none',
    'CLIENT TRACKINGINFO',
    'CLIENT CACHING YES',
    'CLIENT LIST ID 123456',
    'CLIENT NOSUCH',
    'MONITOR',
    'SET k 1',
  ];
  const after = ['CLIENT GETNAME', 'CLIENT TRACKINGINFO', 'CLIENT TRACKING OFF', 'CLIENT NO-EVICT OFF'];
  for (const protocol of [2, 3]) {
    const lines = ['MULTI', ...block, 'EXEC', ...after];
    const wanted = await talk(direct.port, direct, [`HELLO ${protocol}`, ...lines]);
    const told = await talk(gate.port, behind, [`HELLO ${protocol}`, ...lines]);
    expect(told.slice(1)).toEqual(wanted.slice(1));
    const cut = ['MULTI', ...block.slice(0, 9), 'CUT', ...block.slice(9), 'EXEC', ...after];
    expect((await talk(gate.port, behind, [`HELLO ${protocol}`, ...cut])).slice(1)).toEqual(wanted.slice(1));
  }
  const [, , id] = await talk(gate.port, behind, ['MULTI', 'CLIENT ID', 'EXEC', 'CLIENT ID']);
  expect(id).toMatch(/^EXEC: \*1\r\n:\d+\r\n$/);
  const listed = await talk(gate.port, behind, ['SELECT 3', 'MULTI', 'CLIENT INFO', 'EXEC']);
  expect(listed[3]).toMatch(/^EXEC: \*1\r\n\$\d+\r\nid=\d+ .* db=3 .*\n\r\n$/);
});

test('a client that publishes to itself in a transaction gets the message among the answers, and all of them', async () => {
  const lines = [
    'HELLO 3',
    'SUBSCRIBE news',
    'MULTI',
    'PUBLISH news a',
    'CLIENT GETNAME',
    'ECHO b',
    'EXEC',
    'PING',
  ];
  const [wanted, told] = [await talk(direct.port, direct, lines), await talk(gate.port, behind, lines)];
  expect(told.slice(1)).toEqual(wanted.slice(1));
  expect(told[6]).toContain('message');
});

test('a transaction that is too long to be kept is aborted when its connection is lost, and works when not', async () => {
  const long = `SET long ${'x'.repeat(400_000)}`;
  const lines = ['MULTI', long, long, long, 'SELECT 4'];
  const told = await talk(gate.port, behind, [...lines, 'EXEC', 'SET four 1', 'SELECT 0', 'GET four']);
  expect(told[5]).toBe('EXEC: *4\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n');
  expect(told.at(-1)).toBe('GET four: $-1\r\n');
  const cut = await talk(gate.port, behind, [...lines, 'CUT', 'SET k 1', 'EXEC', 'PING']);
  expect(cut.at(-2)).toMatch(/^EXEC: -EXECABORT Transaction discarded because of: the primary changed/);
  expect(cut.at(-1)).toBe('PING: +PONG\r\n');
});

test('a transaction that waits in vain for a primary is over after its EXEC', async () => {
  const lonely = await startRedis();
  const impatient = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: lonely.port }],
    holdMs: 200,
  });
  const raw = await RawClient.open(impatient.port);
  expect(await raw.ask('MULTI')).toBe('+OK\r\n');
  expect(await raw.ask('SET k 1')).toBe('+QUEUED\r\n');
  await kill9(lonely.process);
  expect(await raw.ask('EXEC')).toMatch(/^-EXECABORT Transaction discarded because of: NOPRIMARY /);
  expect(await raw.ask('GET k')).toMatch(/^-NOPRIMARY /);
  await startRedis([], { port: lonely.port, folder: lonely.folder, args: lonely.args });
  const open = async () => (await raw.ask('PING')) === '+PONG\r\n';
  await waitFor(open, { what: 'the gate to open again', withinMs: 60_000 });
  expect(await raw.ask('GET k')).toBe('$-1\r\n');
  raw.close();
});

test('a transaction that fails is counted by the server as one that it had itself', async () => {
  const errorsOf = async (port: number, server: Server) => {
    const admin = client(server.port);
    await admin.config('RESETSTAT');
    await talk(port, server, ['MULTI', 'GET', 'EXEC', 'EXEC', 'DISCARD', 'MULTI', 'NOSUCH x', 'EXEC']);
    const [errors, commands] = await Promise.all([admin.info('errorstats'), admin.info('commandstats')]);
    return [
      errors,
      /cmdstat_exec:calls=\d+/.exec(commands)?.[0],
      /cmdstat_multi:calls=\d+/.exec(commands)?.[0],
    ];
  };
  expect(await errorsOf(gate.port, behind)).toEqual(await errorsOf(direct.port, direct));
});
