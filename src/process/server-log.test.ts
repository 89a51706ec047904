import { expect, test } from 'vitest';
import { damageIn, noRoomIn, refusedDirective } from './server-log.ts';

const start = '12:C 26 Nov 2026 17:07:45.123 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo';
const bad =
  '12:M 26 Nov 2026 17:07:45.130 # Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>';

test('what was wrong since the last start is told without its time', () => {
  expect(damageIn([start, bad])).toMatch(
    /^Bad file format reading the append only file appendonly.aof.1.incr.aof/,
  );
  expect(
    damageIn([bad, start.replace('Redis', 'Valkey'), '12:M 26 Nov 2026 17:08:00.000 * Ready']),
  ).toBeNull();
  expect(damageIn([])).toBeNull();
});

test.each([
  '9:M 26 Nov 2026 17:07:45.130 # Unexpected end of file reading the append only file x. You can: 1) Make a backup',
  '9:M 26 Nov 2026 17:07:45.130 # Error reading the RDB preamble of the AOF file, AOF loading aborted',
  '9:M 26 Nov 2026 17:07:45.130 # Wrong RDB checksum expected: (1) but got (2). Aborting now.',
  '9:M 26 Nov 2026 17:07:45.130 # Wrong signature trying to load DB from file',
  '9:M 26 Nov 2026 17:07:45.130 # Terminating server after rdb file reading failure.',
])('%s is damage', (line) => expect(damageIn([start, line])).not.toBeNull());

test('what it was given after it had loaded its files says nothing of them', () => {
  const given =
    '12:S 26 Nov 2026 17:09:00.000 # Short read or OOM loading DB. Unrecoverable error, aborting now.';
  const isReady = '12:M 26 Nov 2026 17:08:00.000 * Ready to accept connections unix';
  expect(damageIn([start, given])).not.toBeNull();
  expect(damageIn([start, isReady, given])).toBeNull();
  expect(damageIn([start, isReady, given, start, bad])).not.toBeNull();
});

test('a version that is too new for it, and a bad directive, are no damage', () => {
  const others = [
    "9:M 26 Nov 2026 17:07:45.130 # Can't handle RDB format version 13",
    'Bad directive or wrong number of arguments',
  ];
  expect(damageIn([start, ...others])).toBeNull();
});

test('a full disk', () => {
  const full =
    '9:S 26 Nov 2026 17:07:45.130 # Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: No space left on device';
  expect(noRoomIn([start, full])).toMatch(/^Write error or short write/);
  expect(noRoomIn([full, start])).toBeNull();
  // What was before a time does not count, and a line without a time of its own does.
  expect(noRoomIn([start, full], Date.now())).toBeNull();
  expect(noRoomIn([start, 'short of it: No space left on device'], Date.now())).not.toBeNull();
  const short = full.replace(/synchronization: .*/, 'synchronization: short write');
  expect(noRoomIn([start, short])).toMatch(/short write$/);
});

test('the directive for which a server does not start, in its own words', () => {
  const said = [
    '*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***',
    'Reading the configuration file, at line 5',
    '>>> \'loglevel "shout"\'',
    'argument(s) must be one of the following: debug, verbose, notice, warning',
  ];
  expect(refusedDirective([start, ...said])).toEqual({
    directive: 'loglevel "shout"',
    reason: 'argument(s) must be one of the following: debug, verbose, notice, warning',
  });
  expect(refusedDirective([start, bad])).toBeUndefined();
  expect(refusedDirective([])).toBeUndefined();
});
