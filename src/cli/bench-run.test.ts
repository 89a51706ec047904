import { expect, test } from 'vitest';
import { readCounts, readDuration, readPercent, readWords } from './bench-options.ts';
import { commandLine } from './bench-run.ts';

test('the command in a report leaves out where its results went', () => {
  const args = ['bench', 'doors', '--csv', 'my file.csv', '--json', '--html=x.html', '--tests', 'set,get'];
  expect(commandLine(args)).toBe('holdfast bench doors --tests set,get');
  expect(commandLine(['bench', 'kill', '--instances', 'a b'])).toBe("holdfast bench kill --instances 'a b'");
});

test('options are read, or refused with what is allowed', () => {
  expect(readCounts('--ramp', '100, 200')).toEqual([100, 200]);
  expect(readWords('--tests', 'SET,get', ['set', 'get'])).toEqual(['set', 'get']);
  expect(readDuration('--think', '200ms')).toBe(200);
  expect(readPercent('--reads', '0')).toBe(0);
  const refused: (() => unknown)[] = [
    () => readCounts('--ramp', '100,'),
    () => readCounts('--ramp', '1e400'),
    () => readWords('--tests', 'set,fly', ['set', 'get']),
    () => readDuration('--think', '200'),
    () => readPercent('--reads', '101'),
  ];
  for (const read of refused) expect(read).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }));
});
