import { expect, test } from 'vitest';
import { RedisRefused, RedisUnreachable } from '../redis/errors.ts';
import { ReplyError } from '../resp/read.ts';
import { StreamConflict } from './errors.ts';
import { firstStep, pauseBehind } from './next-step.ts';
import { decodePosition, encodePosition, isPositionKey, positionKey } from './position.ts';
import { psyncRequest, readPsyncAnswer } from './psync.ts';

const place = { replId: 'a'.repeat(40), offset: 41, db: 3 };

test('what follows our place is asked for by the byte behind it', () => {
  expect(psyncRequest(place)).toEqual(['PSYNC', place.replId, '42']);
  expect(psyncRequest(null)).toEqual(['PSYNC', '?', '-1']);
});

test('each answer of PSYNC', () => {
  const other = 'b'.repeat(40);
  expect(readPsyncAnswer('+CONTINUE', place)).toEqual({ kind: 'goes-on', place });
  expect(readPsyncAnswer(`+CONTINUE ${other}`, place)).toEqual({
    kind: 'goes-on',
    place: { ...place, replId: other },
  });
  expect(readPsyncAnswer(`+FULLRESYNC ${other} 7`, place)).toEqual({
    kind: 'everything',
    place: { replId: other, offset: 7, db: 0 },
  });
  expect(readPsyncAnswer('+CONTINUE', null)).toEqual({ kind: 'refused', isForNow: false });
  for (const reply of ['-LOADING wait', '-NOMASTERLINK no link']) {
    expect(readPsyncAnswer(reply, place)).toEqual({ kind: 'refused', isForNow: true });
  }
  expect(readPsyncAnswer("-ERR unknown command 'PSYNC'", place)).toMatchObject({ isForNow: false });
});

test('a position is read as it was written, and nothing else is taken for one', () => {
  const position = { phase: 'streaming', run: 'x', ...place } as const;
  expect(decodePosition(encodePosition(position), 'k')).toEqual(position);
  expect(decodePosition(null, 'k')).toBeNull();
  for (const text of ['', 'null', '[]', '{"version":1}', encodePosition({ ...position, offset: -1 })]) {
    expect(() => decodePosition(text, 'k')).toThrow(
      expect.objectContaining({ code: 'STREAM_POSITION_UNREADABLE' }),
    );
  }
  expect(isPositionKey(Buffer.from(positionKey('orders-1')))).toBe(true);
  expect(() => positionKey('a}b')).toThrow(RangeError);
});

test('where to begin, and when to try again', () => {
  const position = { phase: 'copying', run: 'x', ...place } as const;
  expect(firstStep(null)).toEqual({ kind: 'begin' });
  expect(firstStep(position)).toEqual({ kind: 'begin-anew' });
  expect(firstStep({ ...position, phase: 'mixed' })).toEqual({ kind: 'begin-anew' });
  expect(firstStep({ ...position, phase: 'streaming' })).toEqual({ kind: 'go-on', place });
  expect(pauseBehind(RedisUnreachable('gone'), 0)).toBe(50);
  expect(pauseBehind(RedisUnreachable('gone'), 99)).toBe(2000);
  // What a gate answers while its primary is replaced, and a server whose memory is full; not what stays refused.
  for (const text of [
    'UNCERTAIN the connection to the primary was lost',
    'NOPRIMARY none',
    'OOM no memory',
    'READONLY no',
  ])
    expect(pauseBehind(RedisRefused('refused', { cause: new ReplyError(text) }), 0), text).toBe(50);
  const noRight = RedisRefused('refused', { cause: new ReplyError('NOPERM no right') });
  expect(pauseBehind(noRight, 0)).toBeUndefined();
  expect(pauseBehind(StreamConflict('there'), 0)).toBeUndefined();
  expect(pauseBehind(new TypeError('a fault of ours'), 0)).toBeUndefined();
});
