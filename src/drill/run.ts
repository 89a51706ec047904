/** One run of one drill: a testbed under load, the failure, the healing, the reading back, the conclusion. */
import { readFile } from 'node:fs/promises';
import { errorCode, errorText } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { DrillFailed } from './errors.ts';
import { conclude, type Finding } from './finding.ts';
import { type Holdings, Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { alwaysPromised, type Judgement, judge } from './promises.ts';
import { differingKeys, keysOf, readBack, removeKeys } from './read-back.ts';
import type { DrillSettings, Scenario } from './scenario.ts';
import { type Series, seriesOf } from './series.ts';
import { Stage } from './stage.ts';
import { parseLog, type TimelineEntry } from './timeline.ts';

export interface DrillRun {
  scenario: string;
  testbed: string;
  finding: Finding;
  judgements: Judgement[];
  /** Why the scenario did not come to its end, or null. */
  trouble: string | null;
  series: Series;
}

export interface RunOptions {
  scenario: Scenario;
  settings: DrillSettings;
  /** Started already. */
  testbed: Testbed;
  /** The start of every key. */
  prefix: string;
  report: (line: string) => void;
  signal: AbortSignal;
}

const loadRunsWithinMs = 15_000;
/** The load runs undisturbed for this long before the failure, and goes on for this long after the healing. */
const leadMs = 1000;
const tailMs = 500;
const healWithinMs = 60_000;
const alikeWithinMs = 10_000;

export async function runDrill(options: RunOptions): Promise<DrillRun> {
  const ledger = new Ledger();
  try {
    return await runUnderLoad(options, ledger);
  } finally {
    await forget(options, ledger);
  }
}

/** Nothing of a drill stays in a database that others use. */
async function forget({ testbed, prefix, report }: RunOptions, ledger: Ledger): Promise<void> {
  const keys = keysOf(ledger).keys();
  try {
    const primary = await testbed.primary();
    if (primary !== null) await removeKeys(testbed.direct(primary), keys);
  } catch (error) {
    report(`keys that begin with ${prefix} may be left: ${errorText(error)}`);
  }
}

async function runUnderLoad(options: RunOptions, ledger: Ledger): Promise<DrillRun> {
  const { scenario, settings, testbed, prefix, signal } = options;
  const stage = new Stage(testbed, ledger, options.report, signal);
  const clientsOn = (await scenario.clientsOn?.(stage)) ?? testbed.hosts;
  const load = new Load(ledger, await testbed.listeners(clientsOn), { ...settings, prefix });
  const startedMs = performance.now();
  let healedMs: number | null = null;
  let trouble: string | null = null;
  try {
    const runs = () => ledger.acknowledged > settings.clients * 5 && performance.now() - startedMs > leadMs;
    await waitFor(runs, { what: 'the load to run', withinMs: loadRunsWithinMs, signal }).catch((cause) => {
      if (signal.aborted) throw cause;
      throw noLoad(ledger, cause);
    });
    const steps = [
      () => scenario.act(stage, settings),
      async () => {
        healedMs = await heal(stage);
      },
    ];
    for (const step of steps) {
      await step().catch((error: unknown) => {
        if (signal.aborted || errorCode(error) === 'TESTBED_UNFIT') throw error;
        trouble ??= errorText(error);
        options.report(errorText(error));
      });
    }
    await stage.pause(Math.max(tailMs, startedMs + settings.durationMs - performance.now()));
  } finally {
    await load.stop();
  }
  const endedMs = performance.now();
  const { holdings, differing } = await readAll(stage, trouble);
  const timeline = await readLogs(testbed, performance.timeOrigin + startedMs);
  const { marks, cutOff, struckMs } = stage;
  const originMs = performance.timeOrigin;
  const seen = {
    ledger,
    startedMs,
    struckMs,
    endedMs,
    holdings,
    differing,
    marks,
    timeline,
    cutOff,
    healedMs,
    originMs,
  };
  const finding = conclude(seen);
  const promises = [...scenario.thenHolds(settings), ...alwaysPromised];
  return {
    scenario: scenario.name,
    testbed: testbed.name,
    finding,
    judgements: judge(promises, finding),
    trouble,
    series: seriesOf(seen),
  };
}

function noLoad({ writes, acknowledged }: Ledger, cause: unknown): Error {
  const words = [...new Set(writes.map(({ error }) => error))].filter((word) => word !== undefined);
  return DrillFailed(
    `the load does not run: ${acknowledged} of ${writes.length} writes were taken within ${loadRunsWithinMs / 1000} s; errors: ${words.join(', ') || 'none'}`,
    {
      hint: 'NOPERM, NOAUTH, WRONGPASS: --user names whom the clients log in as. Otherwise the machine may be too busy.',
      cause,
    },
  );
}

/** @returns how long after the failure everyone was back in place, ms. */
async function heal(stage: Stage): Promise<number> {
  const isWhole = () => stage.testbed.isWhole();
  const what = 'everyone to be back in place';
  await waitFor(isWhole, { what, withinMs: healWithinMs, everyMs: 50, signal: stage.signal });
  if (stage.cutOff) stage.cutOff.trustedMs = performance.now();
  stage.mark('everyone is back in place');
  return performance.now() - stage.struckMs;
}

/** What the primary holds, and who holds something else once there was time to catch up. */
export async function readAll(stage: Stage, trouble: string | null) {
  const { testbed, ledger } = stage;
  const keys = keysOf(ledger);
  const primary = await testbed.primary();
  if (primary === null) throw DrillFailed(`nobody is primary in the end: ${trouble ?? 'none is named'}`);
  let holdings: Holdings | null = null;
  let differing: { member: string; keys: string[] }[] = [];
  const compare = async () => {
    const own = await readBack(testbed.direct(primary), keys);
    holdings = own;
    differing = [];
    for (const member of await stage.members()) {
      if (member === primary) continue;
      const found = await readBack(testbed.direct(member), keys).then(
        (theirs) => differingKeys(own, theirs),
        () => [...keys.keys()],
      );
      if (found.length > 0) differing.push({ member, keys: found });
    }
    return differing.length === 0;
  };
  const what = 'the replicas to hold what the primary holds';
  await waitFor(compare, { what, withinMs: alikeWithinMs, everyMs: 200, signal: stage.signal }).catch(
    (error) => {
      // Who was interrupted before it was compared to its end found nothing.
      if (holdings === null || stage.signal.aborted) throw error;
    },
  );
  return { holdings: holdings as unknown as Holdings, differing };
}

export async function readLogs(testbed: Testbed, sinceMs: number): Promise<TimelineEntry[]> {
  const entries: TimelineEntry[] = [];
  for (const log of testbed.logs()) {
    const text = await readFile(log.file, 'utf8').catch(() => '');
    entries.push(...parseLog(log, text).filter(({ atMs }) => atMs >= sinceMs));
  }
  return entries.toSorted((a, b) => a.atMs - b.atMs);
}
