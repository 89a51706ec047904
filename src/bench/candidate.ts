import { readFileSync } from 'node:fs';
import { waitFor } from '../base/retry.ts';
import { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import type { Listener } from '../testbed/listener.ts';
import { plainName } from '../testbed/plain-config.ts';
import { PlainTestbed } from '../testbed/plain-testbed.ts';
import type { Testbed, TestbedSettings } from '../testbed/testbed.ts';
import { BenchClient, openAt, openBySentinels } from './bench-client.ts';
import { BenchFailed } from './errors.ts';
import { listenerOf } from './own-testbed.ts';

const wholeWithinMs = 60_000;
const aloneFailoverTimeoutMs = 10_000;

/** Makes a client; what it is given is called when a connection of it is dropped. */
export type Connect = (onDrop: () => void) => BenchClient;

/** A highly available Redis whose primary is killed again and again, and how its clients reach it. */
export interface Candidate {
  name: string;
  testbed: Testbed;
  connect(count: number): Promise<Connect[]>;
}

/** holdfast with its defaults, and clients of its gate. */
export function holdfastCandidate(hosts: TestbedSettings['hosts']): Candidate {
  const testbed = new HoldfastTestbed({ durability: 'async', persistence: 'aof-everysec', hosts });
  const name = hosts === 'one' ? 'holdfast' : 'holdfast on three hosts';
  return { name, testbed, connect: async (count) => connectTo(await listenerOf(testbed), count) };
}

/**
 * Three redis-servers and three Sentinels as their documentation sets them up, and clients that ask the Sentinels
 * themselves. Someone restarts the killed server at once, as a supervisor would.
 */
export function sentinelCandidate(downAfterMs: number): Candidate {
  const testbed = new PlainTestbed(
    { durability: 'async', persistence: 'aof-everysec', hosts: 'one' },
    { sentinel: { downAfterMs, failoverTimeoutMs: aloneFailoverTimeoutMs }, gates: false },
  );
  const connect = async (count: number) => {
    const open = () => openBySentinels(testbed.sentinels, plainName);
    return Array.from({ length: count }, (): Connect => (onDrop) => new BenchClient(open, onDrop));
  };
  return { name: `Sentinel alone, down-after ${downAfterMs} ms`, testbed, connect };
}

/** Clients of a place that always leads to the primary. */
export function connectTo(listener: Listener, count: number): Connect[] {
  const open = () => openAt(listener);
  return Array.from({ length: count }, (): Connect => (onDrop) => new BenchClient(open, onDrop));
}

export async function killPrimary(testbed: Testbed): Promise<void> {
  const primary = await testbed.primary();
  if (primary === null) throw BenchFailed(`${testbed.name} has no primary to kill`);
  await testbed.signal(primary, 'SIGKILL');
}

/** Waits until everyone is back in place, so that the next kill is fair. */
export async function waitUntilWhole(testbed: Testbed): Promise<void> {
  if (!testbed.heals) await testbed.revive();
  const isWhole = () => testbed.isWhole();
  await waitFor(isWhole, { what: `${testbed.name} to be whole again`, withinMs: wholeWithinMs, everyMs: 50 });
}

/** How often the Sentinels have changed the primary, by the one that has seen most. */
export function promotionsOf(testbed: Testbed): number {
  const logs = testbed.logs().filter(({ kind }) => kind === 'sentinel');
  const counts = logs.map(({ file }) => readFileSync(file, 'utf8').match(/\+switch-master /g)?.length ?? 0);
  return Math.max(0, ...counts);
}
