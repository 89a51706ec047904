import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import type { DrillRun } from './run.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const settings = {
  ...({ durability: 'async', persistence: 'none', tls: false } as const),
  standalone: { sentinels: true, onSplit: 'refuse' } as const,
  ...{ clients: 1, writesPerSecond: 100, valueBytes: 10, durationMs: 1000 },
};
const chosen = ['primary-crash', 'replica-crash'].map(
  (name) => scenarios.find((each) => each.name === name) as Scenario,
);

function runOf(scenario: Scenario, held = true): DrillRun {
  const finding = {
    account: { acknowledged: 500 },
    lost: 0,
    longestWaitMs: 41.6,
    promotions: [{ member: 'redis-2' }],
  };
  const judgements = [{ promise: 'it heals', held, found: held ? 'whole' : 'it did not heal' }];
  return {
    scenario: scenario.name,
    testbed: 'holdfast',
    finding,
    judgements,
    trouble: null,
  } as unknown as DrillRun;
}

/** Three runs of each, of which this one does not come to its end. */
async function campaign(endsAt: number, end: (stop: AbortController) => void) {
  const stop = new AbortController();
  const lines: string[] = [];
  let count = 0;
  const running = runCampaign({
    ...{ scenarios: chosen, settings, times: 3, live: null, besidePlain: false },
    report: (line) => lines.push(line),
    signal: stop.signal,
    run: async (scenario) => {
      count += 1;
      if (count === endsAt) end(stop);
      stop.signal.throwIfAborted();
      return runOf(scenario, count !== 2);
    },
  });
  return { campaign: await running, lines };
}

const interrupted = (stop: AbortController) => stop.abort(new Error('stopped by SIGINT'));

test('what ran before it was interrupted is given, and why there is no more', async () => {
  const { campaign: found } = await campaign(5, interrupted);
  expect(found.brokenOff).toBe('stopped by SIGINT');
  expect(found.results.map(({ scenario, runs }) => [scenario.name, runs.length])).toEqual([
    ['primary-crash', 3],
    ['replica-crash', 1],
  ]);
});

test('a scenario of which nothing ran is left out', async () => {
  const { campaign: found } = await campaign(4, interrupted);
  expect(found.results.map(({ scenario, runs }) => [scenario.name, runs.length])).toEqual([
    ['primary-crash', 3],
  ]);
});

test('when nothing ran, what ended it is thrown', async () => {
  await expect(campaign(1, interrupted)).rejects.toThrow('stopped by SIGINT');
});

test('a run that fails is counted, and the others go on', async () => {
  const { campaign: found } = await campaign(2, () => {
    throw new Error('the machine is too slow');
  });
  expect(found.brokenOff).toBeNull();
  expect(found.results.map(({ runs, failures }) => [runs.length, failures])).toEqual([
    [2, ['the machine is too slow']],
    [3, []],
  ]);
});

test('each run is told when it is over, also when nobody hears of the end', async () => {
  const { lines } = await campaign(5, interrupted);
  expect(lines).toEqual([
    'primary-crash 1/3, holdfast: kept: 500 writes, 0 lost, longest wait 42 ms, promoted: redis-2',
    'primary-crash 2/3, holdfast: BROKEN (it heals: it did not heal): 500 writes, 0 lost, longest wait 42 ms, promoted: redis-2',
    'primary-crash 3/3, holdfast: kept: 500 writes, 0 lost, longest wait 42 ms, promoted: redis-2',
    'replica-crash 1/3, holdfast: kept: 500 writes, 0 lost, longest wait 42 ms, promoted: redis-2',
  ]);
});
