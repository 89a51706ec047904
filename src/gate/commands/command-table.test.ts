import { expect, test } from 'vitest';
import { writeRequest } from '../../resp/write.ts';
import { CommandTable, isIdempotent } from './command-table.ts';

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

test('before the server was asked, everything may write and the special commands are known', () => {
  const table = new CommandTable();
  expect(find(table, 'GET')).toBe(table.unknown);
  expect(table.unknown.read).toBe(false);
  expect(find(table, 'MULTI').special).toBe('multi');
});

test("the server's table says what each command is, in any case of letters", () => {
  const table = new CommandTable();
  table.load([
    row('get', ['readonly', 'fast']),
    row('set', ['write']),
    row('blpop', ['write', 'blocking']),
    row('config', [], [row('config|get', ['admin']), row('config|set', ['admin'])]),
  ] as never);
  expect(find(table, 'gEt')).toMatchObject({ name: 'get', read: true, special: null });
  expect(find(table, 'SET')).toMatchObject({ read: false, write: true });
  expect(find(table, 'blpop')).toMatchObject({ special: 'blocking', blocking: true });
  expect(find(table, 'config').subcommands?.get('get')).toMatchObject({ name: 'config|get', read: true });
  expect(find(table, 'config').subcommands?.get('set')).toMatchObject({ read: false });
  expect(find(table, 'subscribe').special).toBe('subscribe');
  expect(find(table, 'nonesuch')).toBe(table.unknown);
});

test('SET is sent again only when its answer does not depend on what was there', () => {
  const table = new CommandTable();
  table.load([row('set', ['write']), row('incr', ['write'])] as never);
  const again = (...args: string[]) => isIdempotent(find(table, args[0] as string), writeRequest(args));
  expect(again('set', 'k', 'v')).toBe(true);
  expect(again('set', 'k', 'v', 'EX', '5')).toBe(true);
  expect(again('set', 'k', 'v', 'nx')).toBe(false);
  expect(again('set', 'k', 'v', 'GET')).toBe(false);
  expect(again('incr', 'k')).toBe(false);
});

test('what reads the key that it writes, or takes from it, is not sent again', () => {
  const table = new CommandTable();
  const names = ['ltrim', 'bitop', 'sdiffstore', 'zunionstore', 'zrangestore', 'del'];
  table.load(names.map((name) => row(name, ['write'])) as never);
  const again = (...args: string[]) => isIdempotent(find(table, args[0] as string), writeRequest(args));
  expect(again('ltrim', 'k', '1', '-1')).toBe(false);
  expect(again('bitop', 'xor', 'k', 'k', 'other')).toBe(false);
  expect(again('bitop', 'xor', 'k', 'a', 'b')).toBe(true);
  expect(again('sdiffstore', 'k', 'other', 'k')).toBe(false);
  expect(again('sdiffstore', 'k', 'a', 'b')).toBe(true);
  expect(again('zunionstore', 'k', '2', 'k', 'other')).toBe(false);
  expect(again('zrangestore', 'k', 'k', '1', '-1')).toBe(false);
  expect(again('del', 'k')).toBe(true);
});
