import { expect, test } from 'vitest';
import { backlogBytes, diskFactor, type SizeQuestion, sizeFor } from './sizing.ts';

const gb = 2 ** 30;
const question: SizeQuestion = {
  dataBytes: 8 * gb,
  members: 3,
  membersOnHost: 1,
  persistence: 'aof-everysec',
  clients: 1000,
  writeBytesPerSecond: null,
  outageSeconds: 600,
};
const bytesOf = (changed: Partial<SizeQuestion> = {}) =>
  Object.fromEntries(sizeFor({ ...question, ...changed }).map(({ key, bytes }) => [key, bytes]));

test('8gb of data: maxMemory 10gb, memory 2.5 and disk 6 times that on each host', () => {
  expect(bytesOf()).toMatchObject({
    maxMemory: 10 * gb,
    backlog: gb,
    memory: 25 * gb + gb / 2,
    disk: 60 * gb,
  });
});

test('three members on one host need three times the memory and disk', () => {
  expect(bytesOf({ membersOnHost: 3 })).toMatchObject({ memory: 75 * gb + gb / 2, disk: 180 * gb });
});

test('of standalone members the stream of each is a process beside it', () => {
  const mb = 2 ** 20;
  const more = (membersOnHost: number) =>
    (bytesOf({ standalone: true, membersOnHost })['memory'] ?? 0) -
    (bytesOf({ membersOnHost })['memory'] ?? 0);
  expect([more(1), more(2)]).toEqual([128 * mb, 256 * mb]);
});

test('disk follows persistence, the backlog follows the write rate when it is known', () => {
  expect(bytesOf({ persistence: 'rdb' })['disk']).toBe(30 * gb);
  expect(bytesOf({ persistence: 'none' })['disk']).toBe(gb);
  expect(bytesOf({ writeBytesPerSecond: 2 * 2 ** 20 })['backlog']).toBe(1200 * 2 ** 20);
  expect(bytesOf({ writeBytesPerSecond: 0 })['backlog']).toBe(64 * 2 ** 20);
  expect(diskFactor('aof-always')).toBe(6);
});

test('the backlog stays between 64 MiB and 1 GiB', () => {
  expect(backlogBytes(null)).toBe(64 * 2 ** 20);
  expect(backlogBytes(2 * gb)).toBe(205 * 2 ** 20);
  expect(backlogBytes(100 * gb)).toBe(gb);
});

test('every figure has a rule and a source', () => {
  for (const { rule, source } of sizeFor(question)) expect(rule.length * source.length).toBeGreaterThan(0);
});
