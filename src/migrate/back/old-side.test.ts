import { expect, test } from 'vitest';
import { RedisRefused, RedisUnreachable } from '../../redis/errors.ts';
import { OldSide } from './old-side.ts';
import type { WayBack } from './way-back.ts';

/** Whether the old side can follow is asked of a target that may fail over meanwhile. */
const place = { id: 'back', replId: 'a'.repeat(40), offset: 1, isBegun: false };
const died = () => RedisUnreachable('no answer from 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1');

/** @param answers of the questions where it stands, the last again and again */
function oldSideWith(answers: (() => typeof place)[], write: () => Promise<void> = async () => {}) {
  let asked = 0;
  const way = {
    place: async () => answers[Math.min(asked++, answers.length - 1)]!(),
    write,
    progress: () => null,
  };
  return { old: new OldSide([], way as unknown as WayBack, null), asked: () => asked };
}

const fails = (error: () => Error) => () => {
  throw error();
};
const soon = () => performance.now() + 200;

test('a target whose primary dies around the cut-over is asked again, and the old side follows the next one', async () => {
  const { old, asked } = oldSideWith([fails(died), () => place, fails(died), fails(died), () => place]);
  await old.rehearse(performance.now() + 10_000);
  expect(old.progress.notFollowed).toBeNull();
  await old.note(performance.now() + 10_000);
  expect(old.progress).toMatchObject({ notFollowed: null, back: place });
  expect(asked()).toBe(5);
});

test.each(['rehearse', 'note'] as const)(
  '%s: one that takes no writes in time is not changed over to',
  async (step) => {
    const { old } = oldSideWith([fails(died)], async () => fails(died)());
    await expect(old[step](soon())).rejects.toMatchObject({
      ...{ code: 'CUT_OVER_NOT_NOW', message: expect.stringMatching(/takes no writes.*ECONNREFUSED/) },
    });
    expect(old.progress).toMatchObject({ notFollowed: null, back: null });
  },
);

test('one that takes writes and can’t be read, or refuses for good, is not followed', async () => {
  const unread = oldSideWith([fails(died)]).old;
  await unread.rehearse(soon());
  expect(unread.progress.notFollowed).toMatch(/can't follow the new one.*ECONNREFUSED/);
  const { old, asked } = oldSideWith([fails(() => RedisRefused('NOPERM'))]);
  await old.rehearse(performance.now() + 10_000);
  expect([old.progress.notFollowed, asked()]).toEqual([expect.stringContaining('NOPERM'), 1]);
});
