/**
 * Stops this host's share, so that nothing is lost: the gates first, so that no write comes in any more; then the
 * Sentinels, so that they don't take the rest for a failure; then the replicas; the primary last.
 */

import { errorCode, errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import { ProcessWouldNotStop } from '../../process/errors.ts';
import { noRoomIn } from '../../process/server-log.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import type { Caller } from '../../redis/connection.ts';
import { parseInfo } from '../../redis/info.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { noteSaved, type ShutdownMode, shutdownMode } from '../persistence/stop-saving.ts';
import type { Unit } from '../units/unit.ts';
import type { Report } from './change-context.ts';
import { isLoginRefused } from './locked-out.ts';

/** A gate gives its clients `gate.hold` to finish, and then a worker two seconds. */
const afterHoldMs = 4000;
const sentinelStopMs = 5_000;
/** Redis itself waits up to 10 s for lagging replicas, and may have an RDB to write. */
const memberStopMs = 120_000;
/** A server that has heard SHUTDOWN has closed its connections by then, or is at work on it, and a signal does no harm. */
const heardWithinMs = 500;
/** What it answers when it can't stop, for a reason that only its log says. */
const cannotYet = /Errors trying to SHUTDOWN/;
const askAgainMs = 100;
const leastAttempts = 5;
const logLines = 20;

/**
 * @throws PROCESS_WOULD_NOT_STOP. Then everything is meant to run that was before: the agent goes on, and starts again
 * what has ended.
 */
export async function bringDown(deployment: Deployment, report: Report): Promise<void> {
  await allOrNone(deployment.units, () => stopAll(deployment, report));
}

/** @throws what `stop` throws; then the units are meant to run that were before. */
export async function allOrNone(units: readonly Unit[], stop: () => Promise<void>): Promise<void> {
  const wanted = units.filter((unit) => unit.wanted);
  try {
    await stop();
  } catch (error) {
    for (const unit of wanted) unit.wantAgain();
    throw error;
  }
}

async function stopAll(deployment: Deployment, report: Report): Promise<void> {
  const { gates, sentinels, members, events, spec } = deployment;
  await Promise.all(gates.map(({ unit }) => unit && stopGate(unit, spec.gate, report)));
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
    // It was just started, hangs, or does not let us in: SHUTDOWN would not reach it either.
    if (errorCode(error) === 'REDIS_UNREACHABLE' || isLoginRefused(error)) return 'by-signal';
    return spec.redis.persistence === 'rdb' ? 'SAVE' : 'NOSAVE';
  });
  if (mode === 'by-signal') return stopUnit(unit, memberStopMs, report);
  // The connection breaks instead of an answer; whether it worked shows by the process.
  const ask = async () => {
    await askToShutDown(client.connection, mode).catch((error) => {
      throw cannotYet.test(errorText(error)) ? wouldNotStop(unit, error) : error;
    });
    // Or it never arrived: the server was started a moment ago, and the connection was that of the one before.
    await unit.process.waitForExit(heardWithinMs).catch(() => {});
    if (unit.process.running) unit.process.signal('SIGTERM');
  };
  await stopUnit(unit, memberStopMs, report, ask);
  await noteSaved(unit, mode);
}

/** It said so, more than once, and why is in its log. */
function wouldNotStop({ id, process: { pid }, paths, view }: Unit, cause: unknown): Error {
  const log = lastLogLines(paths.log, logLines);
  const why = view.noRoom ?? noRoomIn(log) ?? log.slice(-3).join('\n  ');
  return ProcessWouldNotStop(`${id} (pid ${pid}) can't stop, for it could not save its data: ${why}`, {
    hint: `Nothing is lost: it runs on. Its log, ${paths.log}, says more. Put that right, then ask again.`,
    cause,
  });
}

/**
 * Returns when it was heard, or could not be. A replica that has just copied everything writes its first AOF, and refuses
 * to stop before it has ("Writing initial AOF, can't exit", finishShutdown in server.c): it is asked again until then.
 * @throws REDIS_REFUSED, also when it says again and again that it can't stop
 */
async function askToShutDown(connection: Caller, mode: ShutdownMode): Promise<void> {
  const until = performance.now() + memberStopMs;
  for (let attempt = 1; ; attempt++) {
    try {
      await connection.call('SHUTDOWN', mode);
      return;
    } catch (error) {
      if (errorCode(error) === 'REDIS_UNREACHABLE') return;
      if (!cannotYet.test(errorText(error)) || performance.now() > until) throw error;
      if (attempt > leastAttempts && !(await writesAof(connection))) throw error;
    }
    await pause(askAgainMs);
  }
}

async function writesAof(connection: Caller): Promise<boolean> {
  const info = parseInfo(String(await connection.call('INFO', 'persistence').catch(() => '')));
  return info['aof_rewrite_in_progress'] === '1' || info['aof_rewrite_scheduled'] === '1';
}

/** It keeps nothing, and its clients had their time: it may not hold up what comes after it. */
export async function stopGate(
  unit: Unit,
  { holdMs }: Pick<Spec['gate'], 'holdMs'>,
  report: Report,
): Promise<void> {
  const { running, pid } = unit.process;
  const withinMs = holdMs + afterHoldMs;
  const killed = await unit.end(withinMs);
  if (killed)
    report(`${unit.id} was killed (pid ${pid}): it still ran ${withinMs} ms after it was asked to stop`);
  else if (running) report(`${unit.id} stopped (pid ${pid})`);
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
