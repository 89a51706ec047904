import { expect, test } from 'vitest';
import { writeRequest } from '../../resp/write.ts';
import { CommandTable } from './command-table.ts';

const row = (name: string, flags: string[], children: unknown[] = []) => [
  name,
  1,
  flags,
  0,
  0,
  0,
  [],
  [],
  [],
  children,
];
const find = (table: CommandTable, name: string) => table.find(Buffer.from(name), 0, name.length);

test('before the server was asked, what is not known may write, and is not sent twice', () => {
  const table = new CommandTable();
  expect(find(table, 'NEWER')).toBe(table.unknown);
  expect(table.unknown).toMatchObject({ read: false, behaviour: { kind: 'foreign' } });
  expect(find(table, 'GET')).toMatchObject({ read: true, write: false, plain: true });
  expect(find(table, 'LPUSH')).toMatchObject({ read: false, write: true, plain: true });
  expect(find(table, 'BLPOP')).toMatchObject({ blocking: true, behaviour: { kind: 'blocking' } });
  expect(find(table, 'SCAN')).toMatchObject({ read: true, behaviour: { kind: 'scan' } });
  expect(find(table, 'MULTI').behaviour).toEqual({ kind: 'transaction', verb: 'multi' });
  expect(find(table, 'SCRIPT').subcommands?.get('debug')?.behaviour).toEqual({ kind: 'refused' });
});

test("the server's table says what each command is, in any case of letters", () => {
  const table = new CommandTable();
  table.load([
    row('get', ['readonly', 'fast']),
    row('set', ['write']),
    row('blpop', ['write', 'blocking']),
    row('config', [], [row('config|get', ['admin']), row('config|set', ['admin'])]),
  ] as never);
  expect(find(table, 'gEt')).toMatchObject({ name: 'get', read: true, behaviour: { kind: 'plain' } });
  expect(find(table, 'SET')).toMatchObject({ read: false, write: true });
  expect(find(table, 'blpop')).toMatchObject({ behaviour: { kind: 'blocking' }, blocking: true });
  expect(find(table, 'config').subcommands?.get('get')).toMatchObject({ name: 'config|get', read: true });
  expect(find(table, 'config').subcommands?.get('set')).toMatchObject({ read: false });
  expect(find(table, 'subscribe').behaviour).toEqual({ kind: 'subscription' });
  expect(find(table, 'nonesuch')).toBe(table.unknown);
});

/** Rows as Redis 6.2 gives them: seven fields, no subcommands, no flag `blocking`, and neither QUIT nor what is newer. */
function tableOf62(): CommandTable {
  const flags: Record<string, string[]> = {
    'readonly random': ['object', 'memory', 'xinfo', 'scan', 'hscan', 'sscan', 'zscan'],
    readonly: ['get', 'xread'],
    'readonly loading stale': ['host:', 'post'],
    write: ['set', 'xgroup', 'xreadgroup'],
    'write noscript': ['blpop', 'brpop', 'brpoplpush', 'blmove', 'bzpopmin', 'bzpopmax'],
    'noscript movablekeys': ['eval', 'evalsha'],
    noscript: ['script', 'multi', 'exec', 'discard', 'watch', 'wait'],
    fast: ['unwatch', 'publish'],
    'loading stale fast': ['select', 'auth', 'hello', 'reset'],
    'pubsub noscript loading stale': ['subscribe', 'psubscribe', 'unsubscribe', 'punsubscribe'],
    'admin noscript loading stale': [
      ...[
        'acl',
        'client',
        'config',
        'module',
        'latency',
        'slowlog',
        'monitor',
        'replconf',
        'shutdown',
        'debug',
      ],
    ],
    'admin noscript': ['sync', 'psync'],
  };
  const rows = Object.entries(flags).flatMap(([each, names]) =>
    names.map((name) => [name, -2, each.split(' '), 0, 0, 0, ['@slow']]),
  );
  const table = new CommandTable();
  table.load(rows as never);
  return table;
}

test.each([
  ['refused', 'SCRIPT DEBUG YES', 'SYNC', 'PSYNC ? -1', 'REPLCONF ACK 0'],
  ['rescue', 'SCRIPT KILL', 'FUNCTION KILL', 'SHUTDOWN NOSAVE', 'CLIENT UNPAUSE'],
  ['mode', 'CLIENT TRACKING ON', 'CLIENT CACHING YES', 'CLIENT NO-EVICT ON', 'CLIENT NO-TOUCH ON'],
  ['clients', 'CLIENT REPLY OFF', 'CLIENT SETNAME a', 'CLIENT KILL a:1', 'CLIENT UNBLOCK 1', 'CLIENT LIST'],
  ['foreign', 'CLIENT NOSUCH', 'CLIENT', 'NOSUCH a', 'ASKING', 'READONLY'],
  ['access', 'ACL SETUSER a', 'ACL DELUSER a', 'ACL LOAD', 'CONFIG SET requirepass a'],
  ['identity', 'AUTH a', 'HELLO 3', 'SELECT 1', 'RESET'],
  ['transaction', 'MULTI', 'EXEC', 'DISCARD', 'WATCH k', 'UNWATCH'],
  ['subscription', 'SUBSCRIBE a', 'PSUBSCRIBE a', 'UNSUBSCRIBE', 'PUNSUBSCRIBE', 'SSUBSCRIBE a'],
  [
    'blocking',
    'BLPOP k 0',
    'BRPOP k 0',
    'BRPOPLPUSH a b 0',
    'BLMOVE a b LEFT LEFT 0',
    'BZPOPMIN k 0',
    'BZPOPMAX k 0',
  ],
  ['maybe-blocking', 'XREAD BLOCK 0 STREAMS s $', 'XREADGROUP GROUP g c STREAMS s >'],
  ['wait', 'WAIT 1 0'],
  ['monitor', 'MONITOR'],
  ['debug', 'DEBUG SLEEP 1'],
  ['browser', 'POST / HTTP/1.1', 'HOST: a'],
  ['quit', 'QUIT'],
])('with the table of Redis 6.2, which lists no subcommands, these are %s: %s, …', (kind, ...lines) => {
  const table = tableOf62();
  for (const line of lines) {
    for (const words of [
      line,
      line.toLowerCase(),
      line.replace(/[A-Z]{2}/g, ([a = '', b = '']) => a + b.toLowerCase()),
    ]) {
      const command = table.commandIn(writeRequest(words.split(' ')));
      expect(command, words).toMatchObject({ behaviour: { kind }, plain: false });
    }
  }
});

test('with that table what leaves nothing behind is plain, and what it lists no subcommands of is known by them', () => {
  const table = tableOf62();
  for (const line of [
    'GET k',
    'SET k v',
    'EVAL x 0',
    'SCRIPT LOAD x',
    'CONFIG GET x',
    'ACL WHOAMI',
    'CLIENT PAUSE 1',
  ]) {
    expect(table.commandIn(writeRequest(line.split(' '))).behaviour.kind, line).toBe('plain');
  }
  for (const name of ['script', 'client', 'acl', 'config']) expect(find(table, name).plain).toBe(false);
});
