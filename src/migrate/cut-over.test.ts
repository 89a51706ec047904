import { expect, test } from 'vitest';
import type { RedisConnection } from '../redis/connection.ts';
import { cutOver, Hold } from './cut-over.ts';
import type { FollowedSource } from './followed-source.ts';

/** A source whose data is carried over when `drained` comes, and what it was told. */
function sourceWith(answer: (told: string[]) => Promise<void>, drained: () => Promise<void>) {
  const told: string[] = [];
  const connection = {
    call: async (...words: unknown[]) => {
      told.push(words.join(' '));
      await answer(told);
      return 'OK';
    },
  };
  const source: FollowedSource = {
    name: 'redis://old',
    run: async () => {},
    connections: async () => [connection as unknown as RedisConnection],
    look: async () => {},
    progress: () => ({ phase: 'following', appliedOffset: null }) as never,
    drain: drained,
    close: () => {},
  };
  return { told, source };
}

const over = (source: FollowedSource, pauseMs: number, renewEveryMs: number) =>
  cutOver({
    ...{
      sources: [source],
      target: { call: async () => '' },
      positions: 0,
      compares: false,
      withinMs: 60_000,
    },
    pace: { pauseMs, renewEveryMs },
  });

/** When the pause was asked for so often. */
async function pauses(told: readonly string[], count: number): Promise<void> {
  while (told.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('writers are kept waiting for as long as a cut-over takes, and nothing lets them go on behind it', async () => {
  const { told, source } = sourceWith(
    async () => {},
    () => pauses(told, 4),
  );
  expect(await over(source, 60_000, 2)).toBeNull();
  expect(told.length).toBeGreaterThanOrEqual(5);
  expect(new Set(told)).toEqual(new Set(['CLIENT PAUSE 60000 WRITE']));
});

test.each<[string, () => Promise<unknown>]>([
  ['was not renewed in time', () => new Promise((resolve) => setTimeout(resolve, 30))],
  ['could not be renewed', () => Promise.reject(new Error('gone'))],
])('where the pause %s it is given up, and writers go on', async (_, second) => {
  const answer = async (told: string[]) => {
    if (told.length === 2) await second();
  };
  const { told, source } = sourceWith(answer, () => pauses(told, 2));
  await expect(over(source, 25, 1)).rejects.toMatchObject({
    ...{ code: 'CUT_OVER_NOT_NOW', message: expect.stringContaining('writers may have gone on') },
  });
  expect(told.at(-1)).toBe('CLIENT UNPAUSE');
});

test('behind the cut-over each renewal keeps the writers of every server waiting for as long again', async () => {
  const sources = [0, 1].map(() =>
    sourceWith(
      async () => {},
      async () => {},
    ),
  );
  const hold = new Hold(sources.map(({ source }) => source));
  await hold.renew();
  hold.stop();
  expect(sources.map(({ told }) => told)).toEqual([
    ['CLIENT PAUSE 30000 WRITE'],
    ['CLIENT PAUSE 30000 WRITE'],
  ]);
});
