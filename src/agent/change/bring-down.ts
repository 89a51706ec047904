/**
 * Stops this host's share, so that nothing is lost: the gates first, so that no write comes in any more; then the
 * Sentinels, so that they don't take the rest for a failure; then the replicas; the primary last.
 */

import { errorCode } from '../../base/errors.ts';
import type { Caller } from '../../redis/connection.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { noteSaved, shutdownMode } from '../persistence/stop-saving.ts';
import type { Unit } from '../units/unit.ts';
import type { Report } from './change-context.ts';

const gateStopMs = 10_000;
const sentinelStopMs = 5_000;
/** Redis itself waits up to 10 s for lagging replicas, and may have an RDB to write. */
const memberStopMs = 120_000;

export async function bringDown(deployment: Deployment, report: Report): Promise<void> {
  const { gates, sentinels, members, events, spec } = deployment;
  await Promise.all(gates.map(({ unit }) => stopUnit(unit, gateStopMs, report)));
  await Promise.all(sentinels.map(({ unit }) => stopUnit(unit, sentinelStopMs, report)));
  // The last word on what each holds: the next start compares it with what is on disk.
  await Promise.all(members.filter(({ unit }) => unit?.process.running).map(({ watch }) => watch.look()));
  await Promise.all(members.map(({ memory, watch }) => memory?.remember(watch.seen)));
  const local = members.filter(({ unit }) => unit?.process.running);
  const isPrimary = ({ watch }: LiveMember) => watch.seen.role === 'primary';
  await Promise.all(
    local.filter((member) => !isPrimary(member)).map((member) => stopMember(deployment, member, report)),
  );
  await Promise.all(local.filter(isPrimary).map((member) => stopMember(deployment, member, report)));
  events.add('down', spec.name, 'stopped');
}

/** A member that can be stopped. */
export interface Stoppable {
  readonly unit: Unit | null;
  readonly watch: {
    readonly client: Pick<MemberClient, 'getConfig' | 'setConfig'> & { readonly connection: Caller };
  };
}

/**
 * Stops one redis-server gracefully, with everything that it promises to keep on disk.
 * @throws PROCESS_WOULD_NOT_STOP, for instance because the RDB can't be written.
 */
export async function stopMember(
  { spec }: { spec: { redis: Pick<Spec['redis'], 'persistence'> } },
  { unit, watch }: Stoppable,
  report: Report,
): Promise<void> {
  if (!unit) return;
  const { client } = watch;
  const mode = await shutdownMode(unit, client).catch((error) => {
    // It was just started, or hangs: SHUTDOWN would not reach it either.
    if (errorCode(error) === 'REDIS_UNREACHABLE') return 'by-signal';
    return spec.redis.persistence === 'rdb' ? 'SAVE' : 'NOSAVE';
  });
  if (mode === 'by-signal') return stopUnit(unit, memberStopMs, report);
  // The connection breaks instead of an answer; whether it worked shows by the process.
  const ask = async () => {
    await client.connection.call('SHUTDOWN', mode).catch((error) => {
      if (errorCode(error) !== 'REDIS_UNREACHABLE') throw error;
    });
  };
  await stopUnit(unit, memberStopMs, report, ask);
  await noteSaved(unit, mode);
}

async function stopUnit(
  unit: Unit | null,
  withinMs: number,
  report: Report,
  ask?: () => Promise<void>,
): Promise<void> {
  if (!unit) return;
  const { running, pid } = unit.process;
  await unit.stop(withinMs, ask);
  if (running) report(`${unit.id} stopped (pid ${pid})`);
}
