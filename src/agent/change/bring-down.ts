/**
 * Stops this host's share, so that nothing is lost: the gates first, so that no write comes in any more; then the
 * Sentinels, so that they don't take the rest for a failure; then the replicas; the primary last.
 */

import type { Deployment, LiveMember } from '../deployment.ts';
import type { Part } from '../units/part.ts';
import type { Report } from './change-context.ts';

const gateStopMs = 10_000;
const sentinelStopMs = 5_000;
/** Redis itself waits up to 10 s for lagging replicas, and may have an RDB to write. */
const memberStopMs = 120_000;

export async function bringDown(deployment: Deployment, report: Report): Promise<void> {
  const { gates, sentinels, members, events, spec } = deployment;
  await Promise.all(gates.map(({ part }) => stopPart(part, gateStopMs, report)));
  await Promise.all(sentinels.map(({ part }) => stopPart(part, sentinelStopMs, report)));
  // The last word on what each holds: the next start compares it with what is on disk.
  await Promise.all(members.filter(({ part }) => part?.process.running).map(({ watch }) => watch.look()));
  await Promise.all(members.map(({ memory, watch }) => memory?.remember(watch.seen)));
  const local = members.filter(({ part }) => part?.process.running);
  const isPrimary = ({ watch }: LiveMember) => watch.seen.role === 'primary';
  await Promise.all(
    local.filter((member) => !isPrimary(member)).map((member) => stopMember(deployment, member, report)),
  );
  await Promise.all(local.filter(isPrimary).map((member) => stopMember(deployment, member, report)));
  events.add('down', spec.name, 'stopped');
}

/**
 * Stops one redis-server gracefully. With an AOF every write is in it already; otherwise what the save points
 * promise is saved first.
 * @throws PROCESS_WOULD_NOT_STOP, for instance because the RDB can't be written.
 */
export async function stopMember(deployment: Deployment, member: LiveMember, report: Report): Promise<void> {
  const { part, watch } = member;
  const { persistence } = deployment.spec.redis;
  const save = persistence === 'rdb' ? 'SAVE' : 'NOSAVE';
  // The connection breaks instead of an answer; whether it worked shows by the process.
  const ask = async () => {
    await watch.client.connection.call('SHUTDOWN', save).catch((error: Error) => {
      if (!/no answer/.test(error.message)) throw error;
    });
  };
  await stopPart(part, memberStopMs, report, ask);
}

async function stopPart(
  part: Part | null,
  withinMs: number,
  report: Report,
  ask?: () => Promise<void>,
): Promise<void> {
  if (!part) return;
  part.wanted = false;
  if (!part.process.running) return;
  const { pid } = part.process;
  // A stopped process can't end: SIGCONT does nothing to the others.
  part.process.signal('SIGCONT');
  await part.process.stop(withinMs, ask);
  report(`${part.id} stopped (pid ${pid})`);
}
