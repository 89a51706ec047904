import { expect, test } from 'vitest';
import { ReplyError } from '../resp/read.ts';
import { isSetAtStartOnly } from './config-refusal.ts';
import { RedisRefused, RedisUnreachable } from './errors.ts';

const refused = (text: string) => RedisRefused(`redis-1 refused: ${text}`, { cause: new ReplyError(text) });

test.each([
  "ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config",
  'ERR Unsupported CONFIG parameter: databases',
  "ERR Unknown option or number of arguments for CONFIG SET - 'new-in-another-release'",
])('taken at a start only: %s', (text) => {
  expect(isSetAtStartOnly(refused(text))).toBe(true);
});

test.each([
  "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
  "NOPERM can't set immutable config",
  'LOADING Redis is loading the dataset in memory',
])('refused for something else: %s', (text) => {
  expect(isSetAtStartOnly(refused(text))).toBe(false);
});

test('no answer is no refusal, whatever its words', () => {
  expect(isSetAtStartOnly(RedisUnreachable("can't set immutable config"))).toBe(false);
});
