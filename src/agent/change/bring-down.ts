/**
 * Stops this host's share, so that nothing is lost: the gates first, so that no write comes in any more; then the
 * Sentinels, so that they don't take the rest for a failure; then the replicas; the primary last.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../../base/errors.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { noteSaved, shutdownMode } from '../persistence/stop-saving.ts';
import type { Unit } from '../units/unit.ts';
import type { Report } from './change-context.ts';

const gateStopMs = 10_000;
const sentinelStopMs = 5_000;
/** Redis itself waits up to 10 s for lagging replicas, and may have an RDB to write. */
const memberStopMs = 120_000;
const askAgainMs = 500;
const askAttempts = 5;

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

/**
 * Stops one redis-server gracefully, with everything that it promises to keep on disk.
 * @throws PROCESS_WOULD_NOT_STOP, for instance because the RDB can't be written.
 */
export async function stopMember(
  { spec }: Deployment,
  { unit, watch }: LiveMember,
  report: Report,
): Promise<void> {
  if (!unit) return;
  const { client } = watch;
  // One that can't be asked is stopped by a signal, and goes by its own settings then.
  const mode = await shutdownMode(unit, client).catch(() =>
    spec.redis.persistence === 'rdb' ? 'SAVE' : 'NOSAVE',
  );
  // The connection breaks instead of an answer; whether it worked shows by the process.
  const ask = async () => {
    for (let attempt = 0; attempt < askAttempts && unit.process.running; attempt++) {
      await client.connection.call('SHUTDOWN', mode).catch((error) => {
        if (errorCode(error) !== 'REDIS_UNREACHABLE') throw error;
      });
      // A server that was just started may not have heard it: the connection was that of the one before.
      await Promise.race([unit.process.waitForExit(askAgainMs).catch(() => {}), delay(askAgainMs)]);
    }
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
