import { expect, test } from 'vitest';
import { catchWords } from '../../test/support/caught-words.ts';
import { runProgram } from './program.ts';

const { printed, said, forget } = catchWords();

test('size --data answers with figures, rules and sources', async () => {
  expect(await runProgram(['size', '--data', '8gb'])).toBe(0);
  expect(printed()).toMatch(/redis\.maxMemory +10gb/);
  expect(printed()).toMatch(/disk of a host +60gb {3}6 times maxMemory/);
  expect(printed()).toContain('https://redis.io/');
});

test('with a spec, its members and hosts count', async () => {
  expect(await runProgram(['size', '--data', '1gb', 'examples/quickstart.yaml', '--json'])).toBe(0);
  const { question, figures } = JSON.parse(printed());
  expect(question).toMatchObject({ members: 3, membersOnHost: 3, persistence: 'aof-everysec' });
  expect(figures.map(({ key }: { key: string }) => key)).toContain('disk');
});

test('an RDB is sized by what its keys take in memory', async () => {
  const file = 'test/fixtures/rdb/hdt3213-cases/memory.rdb';
  expect(await runProgram(['rdb', 'memory', file, '--by-prefix', '--json'])).toBe(0);
  const { keys, bytes } = JSON.parse(printed());
  expect(keys).toBeGreaterThan(0);
  forget();
  expect(await runProgram(['size', '--rdb', file, '--json'])).toBe(0);
  expect(JSON.parse(printed()).question.dataBytes).toBe(Math.ceil(bytes));
  expect(said()).toContain(`${keys} keys`);
});

test('a broken RDB gives no figure', async () => {
  expect(await runProgram(['size', '--rdb', 'package.json'])).toBe(1);
  expect(said()).toContain('RDB_CORRUPT');
  expect(printed()).toBe('');
});

test.each([
  [['size'], 'how much data is it?'],
  [['size', '--data', 'lots'], "found 'lots'"],
  [['size', '--data', '1gb', '--outage', '5'], "found '5'"],
  [['size', '--data', '1gb', '--clients', 'x'], "found 'x'"],
  [['size', '--from', 'nowhere'], "found 'nowhere'"],
  [['size', '--rdb', 'x', '--data', '1gb'], '--rdb and --data both'],
])('%j is refused', async (args, words) => {
  expect(await runProgram(args)).toBe(2);
  expect(said()).toContain(words);
});
