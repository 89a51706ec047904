import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGate } from '../support/gate-process.ts';
import { cleanUp, startRedis } from '../support/redis-processes.ts';
import { mostTwins, type Step, spoilingLines, TwinLinks, Twins } from '../support/twin-clients.ts';

/** Whatever clients do, each is told what one connection to one Redis would tell it, and nobody gets what others left. */
const lanes: TwinLinks[] = [];
/** `npm run fuzz -- gate-clients` does this for long, with other seeds, on several sets of servers at a time. */
const runs = Number(process.env['HOLDFAST_TWINS'] ?? 60);
const seed = Number(process.env['HOLDFAST_SEED'] ?? 1);
const laneCount = Number(process.env['HOLDFAST_TWINS_LANES'] ?? 1);
/** How many steps a history has at most. */
const maxLength = Number(process.env['HOLDFAST_TWINS_LENGTH'] ?? 12);
/** How many clients there are at most that ask at the same moment. */
const atOnce = Math.min(mostTwins, Number(process.env['HOLDFAST_TWINS_CLIENTS'] ?? 4));
const report = process.env['HOLDFAST_TWINS_REPORT'];
/** What one client, or somebody at the servers, does once. */
let steps = 0;

beforeAll(async () => {
  for (let lane = 0; lane < laneCount; lane++) lanes.push(await openLane());
});
afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.close()));
  await cleanUp();
});

/** A server that has nothing to do looks ten times a second whether somebody has waited long enough: most would wait for that. */
const oftenAwake = ['--hz', '100'];

async function openLane(): Promise<TwinLinks> {
  const direct = await startRedis(oftenAwake);
  const first = await startRedis(oftenAwake);
  const second = await startRedis([...oftenAwake, '--replicaof', `127.0.0.1 ${first.port}`]);
  const members = [first, second].map(({ port }) => ({ id: `redis-${port}`, address: '127.0.0.1', port }));
  // What is longer than this is passed on as it comes.
  const limits = { requestBytes: 65_536 };
  return new TwinLinks({ gate: await startGate({ members, limits }), members: [first, second], direct });
}

const plain = [
  'SET k v',
  'GET k',
  'INCR c',
  'GET marker',
  'ACL WHOAMI',
  'LPUSH l 1',
  'LRANGE l 0 -1',
  'PING',
  'GET',
];
const identity = [
  'AUTH app app-pw',
  'AUTH app wrong',
  'AUTH narrow narrow-pw',
  'SELECT 0',
  'SELECT 1',
  'SELECT 9',
  'SELECT 99',
  'HELLO 2',
  'HELLO 3',
  'HELLO 9',
  'HELLO 3 AUTH app app-pw',
  'HELLO 2 AUTH app wrong',
  'RESET',
];
const others = [
  'MULTI',
  'EXEC',
  'DISCARD',
  'WATCH k',
  'UNWATCH',
  'EXEC x',
  'MULTI x',
  'NOSUCH x',
  'BLPOP none 0.01',
  'BLPOP l 0.01',
  "EVAL \"return redis.call('GET', 'marker')\" 0",
  'ACL NOSUCH',
  'SELECT',
  'ASKING',
  `APPEND long ${'x'.repeat(80_000)}`,
];
/** Subscribing and its end in one write, or left standing. */
const subscribing = [
  ['DISCARD', 'SUBSCRIBE a', 'PING', 'UNSUBSCRIBE a', 'GET marker'],
  ['DISCARD', 'PSUBSCRIBE p*', 'GET k', 'PUNSUBSCRIBE p*'],
  ['DISCARD', 'SSUBSCRIBE s', 'SUNSUBSCRIBE s'],
  ['DISCARD', 'SUBSCRIBE a'],
  ['DISCARD', 'PSUBSCRIBE p*'],
  ['RESET'],
];
const line = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...plain) },
  { weight: 4, arbitrary: fc.constantFrom(...identity) },
  { weight: 4, arbitrary: fc.constantFrom(...others) },
);
const lines = fc.array(line, { minLength: 1, maxLength: 8 });
const few = 4;
const whoOf = (clients: number) => fc.integer({ min: 0, max: clients - 1 });
const who = whoOf(few);
const elsewhere = (clients: number): { weight: number; arbitrary: fc.Arbitrary<Step> }[] => [
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('leave' as const),
      who: whoOf(clients),
      last: fc.constantFrom(...spoilingLines),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('primary' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rights' as const),
      through: fc.boolean(),
      change: fc.constantFrom(
        'app -get',
        'app +get',
        'app resetkeys ~none',
        'app resetkeys ~*',
        'narrow -@write',
        'narrow +@write',
      ),
    }),
  },
];
/** One client after the other, with the same keys: they see what others write. */
const inTurn: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('ask' as const), who, lines }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      who,
      lines: fc.constantFrom(...subscribing),
    }),
  },
  ...elsewhere(few),
);
/** Several at the same moment, on connections that they share. */
const together: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc
      .uniqueArray(
        fc.record({
          who: whoOf(atOnce),
          lines: fc.oneof(
            { weight: 6, arbitrary: lines },
            { weight: 1, arbitrary: fc.constantFrom(...subscribing) },
          ),
        }),
        { selector: (each) => each.who, minLength: 2, maxLength: atOnce, size: 'max' },
      )
      .map((asks) => ({ kind: 'together' as const, asks: asks.map(withOwnKeys) })),
  },
  ...elsewhere(atOnce),
);
/** Left alone, fast-check makes lists of ten at most, however long they may be. */
const lengths = { minLength: 1, maxLength, size: 'max' as const };
/** A step of many clients costs little more than one of a single client: most of it is the look at all connections behind it. */
const history = fc.oneof(
  { weight: 1, arbitrary: fc.array(inTurn, lengths) },
  { weight: 2, arbitrary: fc.array(together, lengths) },
);

/** What one client does must not depend on who is first. */
function withOwnKeys(ask: { who: number; lines: string[] }): { who: number; lines: string[] } {
  return {
    who: ask.who,
    lines: ask.lines.map((each) => each.replace(/ (k|c|l|long)(?= |$)/, ` $1${ask.who}`)),
  };
}

/** What was found once, in its shortest form. */
const found: Step[][] = [
  // EXEC without MULTI, after a WATCH that was lost.
  [
    { kind: 'ask', who: 3, lines: ['WATCH k'] },
    { kind: 'cut' },
    { kind: 'ask', who: 3, lines: ['EXEC', 'MULTI', 'GET k', 'EXEC'] },
  ],
  // What comes behind a MULTI that is refused.
  [{ kind: 'ask', who: 3, lines: ['AUTH app app-pw', 'MULTI x', 'SELECT 1'] }],
  [{ kind: 'ask', who: 3, lines: ['MULTI', 'GET k', 'EXEC', 'MULTI x', 'AUTH app app-pw'] }],
  [
    { kind: 'ask', who: 3, lines: ['MULTI x', 'EXEC x', 'MULTI', 'SET k v'] },
    { kind: 'ask', who: 3, lines: ['AUTH app app-pw'] },
    { kind: 'ask', who: 3, lines: ['EXEC', 'ACL WHOAMI'] },
  ],
  // A transaction that can't be put up again ends with the words that a server has for what came just then.
  [
    { kind: 'ask', who: 1, lines: ['AUTH app app-pw', 'MULTI', 'SET k1 v'] },
    { kind: 'rights', through: false, change: 'app resetkeys ~none' },
    { kind: 'primary' },
    { kind: 'ask', who: 1, lines: ['WATCH k1', 'AUTH app app-pw'] },
  ],
  // So it does when a server refuses the same request: that the gate ended shows with the next.
  [
    { kind: 'ask', who: 1, lines: ['AUTH app app-pw', 'MULTI', 'SET k1 v'] },
    { kind: 'rights', through: false, change: 'app resetkeys ~none' },
    { kind: 'primary' },
    { kind: 'ask', who: 1, lines: ['SET k1 v'] },
    { kind: 'ask', who: 1, lines: ['SET k1 v'] },
  ],
  [
    { kind: 'ask', who: 3, lines: ['WATCH k', 'EXEC x', 'MULTI'] },
    { kind: 'cut' },
    { kind: 'ask', who: 3, lines: ['EXEC'] },
  ],
];

async function tryOnce(links: TwinLinks, all: readonly Step[]): Promise<number> {
  let done = 0;
  const twins = new Twins(links);
  await twins.begin();
  try {
    for (const each of all) {
      done += each.kind === 'together' ? each.asks.length : 1;
      expect(await twins.do(each)).toBeUndefined();
      if (twins.apart) break;
    }
  } finally {
    twins.close();
  }
  await twins.begin();
  expect(await twins.probe()).toBeUndefined();
  return done;
}

test('random clients are told what a server would tell them, and leave nothing to others', async () => {
  const examples = found.map((each): [Step[]] => [each]);
  await Promise.all(
    lanes.map(async (links, lane) => {
      const property = fc.asyncProperty(history, async (all) => {
        const done = await tryOnce(links, all);
        steps += done;
        if (report !== undefined) writeFileSync(report, `${steps}`);
      });
      await fc.assert(property, { numRuns: runs, examples, seed: seed + lane });
    }),
  );
}, 86_400_000);
