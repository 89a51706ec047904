import { expect, test } from 'vitest';
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

test('a server that lists no subcommands, as before 7.0, makes none of theirs plain', () => {
  const table = new CommandTable();
  const flagless = ['script', 'client', 'acl', 'config', 'function'].map((name) => row(name, ['noscript']));
  table.load([row('get', ['readonly']), ...flagless] as never);
  const kindOf = (name: string, sub: string) => find(table, name).subcommands?.get(sub)?.behaviour.kind;
  expect(kindOf('script', 'debug')).toBe('refused');
  expect(kindOf('script', 'kill')).toBe('rescue');
  expect(kindOf('client', 'tracking')).toBe('mode');
  expect(kindOf('client', 'reply')).toBe('clients');
  expect(kindOf('acl', 'setuser')).toBe('access');
  expect(kindOf('config', 'set')).toBe('access');
  for (const name of ['script', 'client', 'acl', 'config']) expect(find(table, name).plain).toBe(false);
});
