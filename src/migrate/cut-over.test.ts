import { expect, test } from 'vitest';
import type { RedisConnection } from '../redis/connection.ts';
import { RedisRefused } from '../redis/errors.ts';
import { ReplyError } from '../resp/read.ts';
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
    confirm: async () => {},
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

test('where the user may not pause, it is said which right that takes, and what else can be done', async () => {
  const says = "NOPERM this user has no permissions to run the 'client|pause' command";
  const answer = () => Promise.reject(RedisRefused('refused', { cause: new ReplyError(says) }));
  const { source } = sourceWith(answer, async () => {});
  await expect(over(source, 60_000, 1000)).rejects.toMatchObject({
    code: 'CUT_OVER_NOT_NOW',
    hint: expect.stringMatching(
      /ACL SETUSER USER \+client\|pause .*stop the writers yourself.*migrate abort/,
    ),
  });
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

/** A server in memory. @param databases the keys of each, with what is left of them in ms */
function serverWith(...databases: Record<string, number>[]) {
  let selected = 0;
  return {
    call: async (command: string, ...args: unknown[]): Promise<unknown> => {
      const keys = databases[selected] ?? {};
      if (command === 'SELECT') selected = Number(args[0]);
      if (command === 'PTTL') return keys[String(args[0])] ?? -2;
      // A key may come twice.
      if (command === 'SCAN')
        return [args[0] === '0' ? '7' : '0', Object.keys(keys).filter((key) => key.startsWith('holdfast'))];
      if (command !== 'INFO') return 'OK';
      const lines = databases.map((each, db) => {
        const left = Object.values(each);
        return `db${db}:keys=${left.length},expires=${left.filter((ms) => ms >= 0).length},avg_ttl=0`;
      });
      return lines.join('\r\n');
    },
  };
}

const own = { 'holdfast:stream:{other-1}': -1, 'holdfast:stream:{moving}:1': 5000 };

test.each([
  [{ a: -1, ...own }, { a: -1 }, 3],
  [{ a: -1, b: 5000 }, { a: -1, ...own }, 3],
  [{ a: -1, 'holdfast:streams': -1, ...own }, { a: -1 }, null],
  [{ a: -1 }, { a: -1, b: -1 }, null],
])('what a scan leaves out is counted at neither side', async (there, here, keys) => {
  const { source } = sourceWith(
    async () => {},
    async () => {},
  );
  const old = serverWith(there, { c: -1, d: -1, 'holdfast:stream:other': -1, ...own });
  const connected = { ...source, connections: async () => [old as unknown as RedisConnection] };
  const target = serverWith(here, { c: -1, d: -1 });
  const counted = cutOver({
    sources: [connected],
    target,
    positions: null,
    compares: true,
    withinMs: 60_000,
  });
  if (keys === null)
    await expect(counted).rejects.toThrow(/of keys that do not expire there are \d at the old side/);
  else expect(await counted).toEqual({ sources: keys, target: keys });
});
