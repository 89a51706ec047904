import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { cleanUp, type Server, startRedis } from '../support/redis-processes.ts';
import { type Step, spoilingLines, Twins } from '../support/twin-clients.ts';

/** Whatever clients do, each is told what one connection to one Redis would tell it, and nobody gets what others left. */
let direct: Server;
let behind: Server;
let gate: GateProcess;
/** HOLDFAST_TWINS=20000 is the long proof; HOLDFAST_SEED does one again. */
const runs = Number(process.env['HOLDFAST_TWINS'] ?? 60);
const seed = process.env['HOLDFAST_SEED'];

beforeAll(async () => {
  direct = await startRedis();
  behind = await startRedis();
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }] });
});
afterAll(cleanUp);

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
  'NOSUCH x',
  'BLPOP none 0.01',
  'BLPOP l 1',
  "EVAL \"return redis.call('GET', 'marker')\" 0",
  'ACL NOSUCH',
  'SELECT',
  'ASKING',
  `APPEND long ${'x'.repeat(1_200_000)}`,
];
const line = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...plain) },
  { weight: 4, arbitrary: fc.constantFrom(...identity) },
  { weight: 4, arbitrary: fc.constantFrom(...others) },
);
const who = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      who,
      lines: fc.array(line, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('leave' as const),
      who,
      last: fc.constantFrom(...spoilingLines),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rights' as const),
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
);

test('random clients are told what a server would tell them, and leave nothing to others', async () => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    const twins = new Twins(gate, behind, direct);
    await twins.begin();
    try {
      for (const each of steps) expect(await twins.do(each)).toBeUndefined();
    } finally {
      twins.close();
    }
    await twins.begin();
    expect(await twins.probe()).toBeUndefined();
  });
  await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) });
}, 86_400_000);
