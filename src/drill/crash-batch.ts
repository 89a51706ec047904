/**
 * Many crashes of the primary on one deployment, one after the other: each as soon as everyone is back in place after the
 * one before. A thousand of them, each on a deployment of its own, would take hours. The load goes on all the time, and
 * every write of it is accounted for at the end of the batch.
 */
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import { isAlive } from '../testbed/leftovers.ts';
import { conclude, type Finding } from './finding.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { readAll, readLogs } from './run.ts';
import type { DrillSettings } from './scenario.ts';
import { Stage } from './stage.ts';

export interface Crash {
  /** From the kill to the first acknowledged write after it, and to the moment when everyone was back in place; ms. */
  gapMs: number;
  healedMs: number;
  promotions: number;
  /** Failovers that Sentinels began by themselves. */
  ownFailovers: number;
}

/** One line of the log that a long series is resumed from. */
export interface Batch {
  at: string;
  busy: boolean;
  /** `sentinel.detectAfter`, where it was not the usual one. */
  detectAfterMs?: number | null;
  durability: DrillSettings['durability'];
  crashes: Crash[];
  acknowledged: number;
  lost: number;
  /** Reads that can't have been, refused or doubled writes, replicas that differ in the end. */
  wrong: number;
  dropped: number;
  errors: Record<string, number>;
}

export interface BatchOptions {
  settings: DrillSettings;
  crashes: number;
  busy: boolean;
  /** `sentinel.detectAfter`; null for the usual one. */
  detectAfterMs: number | null;
  /** Where logs are kept when it goes wrong. */
  logFolder: string;
  report: (line: string) => void;
  signal: AbortSignal;
}

const prefix = 'drill:';
const leadMs = 1000;
/** Of writes that were lost so many are named. */
const toldLost = 20;
/** The pause before a restart would double with each crash; here they are meant to follow each other. */
const agent = { restarts: { limit: 1000, within: '1s' } };

export async function runCrashBatch(options: BatchOptions): Promise<Batch> {
  const { durability, persistence } = options.settings;
  const { detectAfterMs } = options;
  const sections =
    detectAfterMs === null ? { agent } : { agent, sentinel: { detectAfter: `${detectAfterMs}ms` } };
  const testbed = new HoldfastTestbed({ durability, persistence, hosts: 'one', sections });
  try {
    await testbed.start();
    const batch = await crashRepeatedly(testbed, options);
    if (batch.lost > 0 || batch.wrong > 0) await keepLogs(testbed, options);
    return batch;
  } catch (error) {
    if (!options.signal.aborted) await keepLogs(testbed, options);
    throw error;
  } finally {
    await testbed.stop();
  }
}

/** The deployment is thrown away: without its logs nobody could tell what went wrong. */
async function keepLogs(testbed: HoldfastTestbed, { logFolder, report }: BatchOptions): Promise<void> {
  await makeFolder(logFolder, 0o700);
  for (const { process: name, kind, file } of testbed.logs()) {
    const kept = path.join(logFolder, `${name}-${kind}${path.extname(file) || '.log'}`);
    const keep = (from: string, to: string) =>
      copyFile(from, to).catch((error) => report(`${from} could not be kept: ${errorText(error)}`));
    await keep(file, kept);
    // What the agent said last, when it died.
    if (kind === 'events')
      await keep(path.join(path.dirname(file), 'agent.log'), path.join(logFolder, `${name}-agent.log`));
  }
  for (const host of testbed.hosts) {
    const pid = await testbed.agentPid(host).catch(() => null);
    report(
      pid !== null && isAlive(pid)
        ? `the agent of ${host} runs (pid ${pid})`
        : `the agent of ${host} is gone`,
    );
  }
  report(`the logs are kept in ${logFolder}`);
}

async function crashRepeatedly(testbed: HoldfastTestbed, options: BatchOptions): Promise<Batch> {
  const { settings, crashes, busy, detectAfterMs, report, signal } = options;
  const ledger = new Ledger();
  const stage = new Stage(testbed, ledger, report, signal);
  const load = new Load(ledger, await testbed.listeners(testbed.hosts), { ...settings, prefix });
  const startedMs = performance.now();
  const killedMs: number[] = [];
  const wholeMs: number[] = [];
  try {
    await stage.pause(leadMs);
    while (killedMs.length < crashes) {
      const primary = await stage.primary();
      killedMs.push(performance.now());
      await stage.inject(`crash ${killedMs.length} of ${crashes}: ${primary} is killed`, () =>
        stage.kill(primary),
      );
      await stage.until(`another primary than ${primary}`, async () => {
        const now = await testbed.primary();
        return now !== null && now !== primary;
      });
      await stage.until('everyone to be back in place', () => testbed.isWhole());
      wholeMs.push(performance.now());
    }
  } finally {
    await load.stop();
  }
  const endedMs = performance.now();
  const timeline = await readLogs(testbed, performance.timeOrigin + startedMs);
  const { holdings, differing } = await readAll(stage, null);
  const originMs = performance.timeOrigin;
  const { marks, struckMs } = stage;
  const seen = { ledger, startedMs, struckMs, endedMs, holdings, differing, marks, timeline, originMs };
  const finding = conclude({ ...seen, cutOff: null, healedMs: (wholeMs.at(-1) ?? endedMs) - struckMs });
  for (const each of finding.account.lost.slice(0, toldLost)) {
    const at = new Date(originMs + each.acknowledgedMs).toISOString();
    report(`lost: ${each.key} = ${each.value}, acknowledged at ${at} by ${each.listener}`);
  }
  const endsMs = ledger.writes
    .filter(({ outcome }) => outcome === 'acknowledged')
    .map(({ endMs }) => endMs)
    .toSorted((a, b) => a - b);
  return {
    at: new Date().toISOString(),
    busy,
    detectAfterMs,
    durability: settings.durability,
    crashes: killedMs.map((fromMs, i) => {
      const untilMs = killedMs[i + 1] ?? endedMs;
      const within = (afterMs: number) =>
        afterMs + struckMs >= fromMs - 1 && afterMs + struckMs < untilMs - 1;
      return {
        gapMs: longestGapMs(endsMs, fromMs, untilMs),
        healedMs: Math.round((wholeMs[i] ?? endedMs) - fromMs),
        promotions: finding.promotions.filter(({ afterMs }) => within(afterMs)).length,
        ownFailovers: finding.steps.filter(({ kind, afterMs }) => kind === '+try-failover' && within(afterMs))
          .length,
      };
    }),
    ...totals(finding),
  };
}

function totals(finding: Finding): Omit<Batch, 'at' | 'busy' | 'detectAfterMs' | 'durability' | 'crashes'> {
  const { account, anomalies, differing, errors, lost, droppedConnections } = finding;
  return {
    acknowledged: account.acknowledged,
    lost,
    wrong:
      anomalies.stale +
      anomalies.refused +
      anomalies.impossible +
      account.presentRefused.length +
      account.duplicated.length +
      differing.length,
    dropped: droppedConnections,
    errors,
  };
}

/** The longest time without an acknowledged write that begins between the two; ms. @param endsMs in order */
export function longestGapMs(endsMs: readonly number[], fromMs: number, untilMs: number): number {
  let lastMs = fromMs;
  let longest = 0;
  for (const endMs of endsMs) {
    if (endMs <= fromMs) continue;
    longest = Math.max(longest, endMs - lastMs);
    lastMs = endMs;
    if (endMs > untilMs) break;
  }
  return Math.round(longest * 10) / 10;
}
