import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { waitFor } from '../base/retry.ts';
import { HoldfastRig } from '../rig/holdfast-rig.ts';
import { plainName } from '../rig/plain-config.ts';
import { PlainRig } from '../rig/plain-rig.ts';
import type { Rig } from '../rig/rig.ts';
import { BenchFailed } from './errors.ts';
import { gateOf, type Target } from './own-rig.ts';

const wholeWithinMs = 60_000;
const aloneFailoverTimeoutMs = 10_000;

/** A highly available Redis whose primary is killed again and again, and how its clients reach it. */
export interface Contender {
  name: string;
  rig: Rig;
  connect(count: number): Promise<Redis[]>;
}

/** holdfast with its defaults, and clients of its gate. */
export function holdfastContender(): Contender {
  const rig = new HoldfastRig({ durability: 'async', persistence: 'aof-everysec', hosts: 'one' });
  return { name: 'holdfast', rig, connect: async (count) => connectTo(await gateOf(rig), count) };
}

/**
 * Three redis-servers and three Sentinels as their documentation sets them up, and clients that ask the Sentinels
 * themselves. Someone restarts the killed server at once, as a supervisor would.
 */
export function sentinelContender(downAfterMs: number): Contender {
  const rig = new PlainRig(
    { durability: 'async', persistence: 'aof-everysec', hosts: 'one' },
    { sentinel: { downAfterMs, failoverTimeoutMs: aloneFailoverTimeoutMs }, gates: false },
  );
  const connect = async (count: number) => {
    const retryAtOnce = { sentinelRetryStrategy: () => 20, retryStrategy: () => 20 };
    const options = { sentinels: rig.sentinels, name: plainName, maxRetriesPerRequest: 0, ...retryAtOnce };
    return Array.from({ length: count }, () => new Redis(options));
  };
  return { name: `Sentinel alone, down-after ${downAfterMs} ms`, rig, connect };
}

/** Clients that fail at once when their connection does. */
export function connectTo({ host, port }: Target, count: number): Redis[] {
  return Array.from({ length: count }, () => new Redis({ host, port, maxRetriesPerRequest: 0 }));
}

export async function killPrimary(rig: Rig): Promise<void> {
  const primary = await rig.primary();
  if (primary === null) throw BenchFailed(`${rig.name} has no primary to kill`);
  await rig.signal(primary, 'SIGKILL');
}

/** Waits until everyone is back in place, so that the next kill is fair. */
export async function waitUntilWhole(rig: Rig): Promise<void> {
  if (!rig.heals) await rig.revive();
  const isWhole = () => rig.isWhole();
  await waitFor(isWhole, { what: `${rig.name} to be whole again`, withinMs: wholeWithinMs, everyMs: 50 });
}

/** How often the Sentinels have changed the primary, by the one that has seen most. */
export function promotionsOf(rig: Rig): number {
  const logs = rig.logs().filter(({ kind }) => kind === 'sentinel');
  const counts = logs.map(({ file }) => readFileSync(file, 'utf8').match(/\+switch-master /g)?.length ?? 0);
  return Math.max(0, ...counts);
}
