import { beforeEach, expect, test } from 'vitest';
import { aPrimary, aReplica, aView } from '../../../test/support/views.ts';
import type { ApiView } from '../../api/view.ts';
import { RedisRefused, RedisUnreachable } from '../../redis/errors.ts';
import { ReplyError } from '../../resp/read.ts';
import type { WriteTrouble } from '../../topology/view.ts';
import { writeHealth } from '../api/health.ts';
import { statusOf } from '../api/status-answer.ts';
import { WriteProbe } from './write-probe.ts';

let nowMs: number;
/** Of the writes that have no answer yet. */
let waiting: { resolve: (reply: number) => void; reject: (error: Error) => void }[];
let probe: WriteProbe;

beforeEach(() => {
  nowMs = 5000;
  waiting = [];
  const ask = () => new Promise<number>((resolve, reject) => void waiting.push({ resolve, reject }));
  probe = new WriteProbe({ ask, drop: () => {} }, { monotonicMs: () => nowMs, wallMs: () => nowMs });
});

/** The next look, at which the server answers whatever else it is asked. */
function look(afterMs = 1000): WriteTrouble | null {
  nowMs += afterMs;
  probe.look();
  return probe.trouble(nowMs);
}
const refused = (text: string) => RedisRefused('refused', { cause: new ReplyError(text) });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a write that is answered is no trouble', async () => {
  for (let i = 0; i < 3; i++) {
    look();
    waiting.shift()?.resolve(0);
    await settled();
    expect(probe.trouble(nowMs)).toBeNull();
  }
});

test('writes that are paused: as long as other questions are answered and the write is not', async () => {
  look();
  expect(look()).toEqual({ code: 'held', said: '', forMs: 1000 });
  expect(look()).toEqual({ code: 'held', said: '', forMs: 2000 });
  // One write waits, and no more.
  expect(waiting).toHaveLength(1);
  waiting.shift()?.resolve(0);
  await settled();
  expect(look()).toBeNull();
});

test('writes that are refused: from the first to the last, and until one is taken', async () => {
  look();
  waiting.shift()?.reject(refused('NOREPLICAS Not enough good replicas to write.'));
  await settled();
  // The write that was sent just now may be taken.
  expect(look()).toMatchObject({ code: 'refused', forMs: 0 });
  waiting.shift()?.reject(refused('MISCONF Errors writing to the AOF file'));
  await settled();
  expect(look()).toEqual({ code: 'refused', said: 'MISCONF Errors writing to the AOF file', forMs: 1000 });
  waiting.shift()?.resolve(0);
  await settled();
  expect(look()).toBeNull();
});

test.each(["READONLY You can't write against a read only replica.", 'NOPERM no', 'BUSY a script'])(
  'what tells of something else is none: %s',
  async (text) => {
    look();
    waiting.shift()?.reject(refused(text));
    await settled();
    expect(look()).toBeNull();
  },
);

test('a connection that breaks says nothing, nor does the answer of the process before', async () => {
  look();
  waiting.shift()?.reject(RedisUnreachable('it is gone'));
  await settled();
  expect(probe.trouble(nowMs)).toBeNull();
  look();
  const late = waiting.shift();
  probe.reset();
  look();
  late?.reject(refused('NOREPLICAS Not enough good replicas to write.'));
  await settled();
  expect(look()).toMatchObject({ code: 'held' });
});

test('it is not asked more often than is of use', async () => {
  look();
  waiting.shift()?.resolve(0);
  await settled();
  look(20);
  expect(waiting).toEqual([]);
});

test.each<[WriteTrouble, RegExp, string]>([
  [{ code: 'held', said: '', forMs: 1000 }, /^redis-1 answers no write: .*CLIENT PAUSE/, 'writes-held'],
  [
    { code: 'refused', said: 'NOREPLICAS Not enough', forMs: 1000 },
    /^redis-1 refuses every write: NOREPLICAS Not enough$/,
    'writes-refused',
  ],
])(
  'a primary that takes no write makes the deployment degraded, and not ready for writes: %o',
  (writes, text, code) => {
    const members = (changes: WriteTrouble) => [
      aPrimary('redis-1', { writes: changes }),
      aReplica('redis-2'),
    ];
    const status = statusOf(aView({ members: members(writes) }), 0);
    expect(status).toMatchObject({ state: 'degraded', problems: [expect.stringMatching(text)] });
    expect(status.members[0]?.troubleCode).toBe(code);
    const { ok, why } = writeHealth({ ...status, host: 'local' } as unknown as ApiView);
    expect([ok, why]).toEqual([false, expect.stringMatching(text)]);
    // As in a switchover, or before the first replica is there.
    const short = statusOf(aView({ members: members({ ...writes, forMs: 700 }) }), 0);
    expect(short.state).toBe('healthy');
  },
);
