/**
 * Moves the primary many times under a write load, by the command that people use: how long writes waited, how long the
 * command ran, and whether a write was lost or failed. Beside
 * each switchover stands an equally long time in which nothing was done: on a busy machine writes wait then, too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../base/retry.ts';
import { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import type { TestbedSettings } from '../testbed/testbed.ts';
import { BenchClient, openAt } from './bench-client.ts';
import { connectTo } from './candidate.ts';
import { type Distribution, describe, sumErrors } from './distribution.ts';
import { BenchFailed } from './errors.ts';
import { listenerOf } from './own-testbed.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';
import { GapMeter } from './write-gap.ts';

export interface SwitchoverOptions {
  times: number;
  clients: number;
  hosts: TestbedSettings['hosts'];
}

export interface SwitchoverRound {
  from: string;
  to: string;
  /** The longest wait of any write from the request until the Sentinels agreed. */
  waitMs: number;
  /** For how long writes were held back, by the agent's own clock. */
  heldMs: number;
  tookMs: number;
  /** Every other time it says who is to become primary. */
  asked: 'any' | '--to';
  /** How long `holdfast switchover` ran, from its start to its end. */
  commandMs: number;
  /** Whether every Sentinel named the new primary when it had ended. */
  agreed: boolean;
  /** The longest wait in the same time before it, in which nothing was done. */
  calmWaitMs: number;
}

export interface SwitchoverReport extends BenchHead {
  options: SwitchoverOptions;
  rounds: SwitchoverRound[];
  wait: Distribution;
  held: Distribution;
  calm: Distribution;
  /** The command's own time, where it chose by itself and where it was told whom. */
  commandTime: Distribution;
  commandToTime: Distribution;
  took: Distribution;
  acknowledged: number;
  /** Keys that hold an older value than one that was acknowledged. */
  lost: string[];
  droppedConnections: number;
  errors: Record<string, number>;
}

const recoverWithinMs = 60_000;
const firstCalmMs = 2000;

export async function benchSwitchover(
  options: SwitchoverOptions,
  context: BenchContext,
): Promise<SwitchoverReport> {
  const head = headOf('switchover', context);
  const testbed = new HoldfastTestbed({
    durability: 'async',
    persistence: 'aof-everysec',
    hosts: options.hosts,
  });
  try {
    await testbed.start();
    const listener = await listenerOf(testbed);
    const meter = new GapMeter(connectTo(listener, options.clients));
    const rounds: SwitchoverRound[] = [];
    const seen: GapMeter['seen'][] = [];
    try {
      for (let round = 1; round <= options.times; round++) {
        context.signal.throwIfAborted();
        const result = await oneRound(testbed, meter, rounds, context.signal);
        rounds.push(result.round);
        seen.push(...result.seen);
        const { from, to, waitMs, calmWaitMs, commandMs } = result.round;
        context.report(
          `${round}/${options.times} ${from} → ${to}: longest wait ${waitMs} ms (${calmWaitMs} ms when nothing was done), the command ${commandMs} ms`,
        );
      }
    } finally {
      await meter.stop();
    }
    const reader = new BenchClient(
      () => openAt(listener),
      () => {},
    );
    const lost = await meter.lost(reader);
    reader.close();
    return { ...head, options, rounds, ...summarise(rounds, seen), lost };
  } finally {
    await testbed.stop();
  }
}

async function oneRound(
  testbed: HoldfastTestbed,
  meter: GapMeter,
  before: readonly SwitchoverRound[],
  signal: AbortSignal,
): Promise<{ round: SwitchoverRound; seen: GapMeter['seen'][] }> {
  meter.mark();
  await waitFor(() => meter.seen.acknowledged > 200, { what: 'the load to run', withinMs: recoverWithinMs });
  meter.mark();
  await delay(before.at(-1)?.commandMs ?? firstCalmMs, undefined, { signal });
  const calm = meter.seen;
  meter.mark();
  const target = before.length % 2 === 1 ? await anotherMember(testbed) : null;
  meter.mark();
  const startedMs = performance.now();
  const { from, to, heldMs, tookMs } = await testbed.runSwitchover(target);
  const commandMs = Math.round(performance.now() - startedMs);
  const { seen } = meter;
  const agreed = await testbed.sentinelsName(to);
  const round = {
    ...{ from, to, heldMs, tookMs, commandMs, agreed },
    asked: target === null ? ('any' as const) : ('--to' as const),
    waitMs: Math.round(seen.waitMs),
    calmWaitMs: Math.round(calm.waitMs),
  };
  return { round, seen: [calm, seen] };
}

async function anotherMember(testbed: HoldfastTestbed): Promise<string> {
  const primary = await testbed.primary();
  const members = (await testbed.processes()).filter(({ kind }) => kind === 'member');
  const found = members.find(({ id }) => id !== primary);
  if (found === undefined) throw BenchFailed('there is no member to move the primary to');
  return found.id;
}

function summarise(rounds: SwitchoverRound[], seen: GapMeter['seen'][]) {
  return {
    wait: describe(rounds.map(({ waitMs }) => waitMs)),
    held: describe(rounds.map(({ heldMs }) => heldMs)),
    calm: describe(rounds.map(({ calmWaitMs }) => calmWaitMs)),
    commandTime: describe(rounds.flatMap(({ asked, commandMs }) => (asked === 'any' ? [commandMs] : []))),
    commandToTime: describe(rounds.flatMap(({ asked, commandMs }) => (asked === '--to' ? [commandMs] : []))),
    took: describe(rounds.map(({ tookMs }) => tookMs)),
    acknowledged: seen.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    droppedConnections: seen.reduce((sum, { dropped }) => sum + dropped, 0),
    errors: sumErrors(seen),
  };
}
