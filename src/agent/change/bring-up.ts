/**
 * Brings up what the spec places on this host. What still runs from an earlier agent is adopted and left alone.
 * When none of this host's members runs, it is a first start or a cold one: on a single host, who starts as primary
 * is worked out from the data on disk; on several, it waits for the Sentinels' word. Nothing is decided by the loop
 * before this is done.
 */
import type { HoldfastError } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import { damageIn } from '../../process/server-log.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import type { GateView, MemberView, SentinelView } from '../../topology/view.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { StartFailed } from '../errors.ts';
import { readDiskState } from '../observe/disk-state.ts';
import { putDamagedAside } from '../persistence/put-aside.ts';
import type { Part } from '../units/part.ts';
import { gateCommand, sentinelCommand } from '../units/process-commands.ts';
import { startMember } from '../units/start-member.ts';
import type { ChangeContext, Report } from './change-context.ts';
import { prepareColdStart } from './prepare-cold-start.ts';

const serversUpMs = 20_000;
/** How long one that ran before is waited for: it may hang or load, which is the loop's to deal with. */
const adoptedAnswersMs = 500;
const sentinelStopMs = 5_000;

/**
 * Starts or adopts everything and waits until the servers answer.
 * @throws START_FAILED when a process ends or stays silent; what this call started is stopped again, also when the
 * start is given up.
 */
export async function bringUp(context: ChangeContext): Promise<void> {
  const { deployment, report, operation } = context;
  const adopted = await adoptRunning(deployment, report);
  const membersRun = adopted.some((part) => deployment.members.some((member) => member.part === part));
  for (;;) {
    const started: Part[] = [];
    try {
      if (membersRun) await startMissing(context, started);
      else await startCold(context, started);
      await waitForServers(context, new Set([...adopted, ...started]), new Set(started));
      operation.signal.throwIfAborted();
      return;
    } catch (error) {
      await Promise.allSettled(started.map((part) => part.stop(10_000)));
      if (membersRun || operation.signal.aborted || !(await goOnWithout(context))) throw error;
    }
  }
}

/**
 * On a single host, where all disks are seen: members whose files are damaged put them aside, when another one has data
 * that they can copy. @returns whether there were such, so that it is worth another try.
 */
async function goOnWithout({ deployment, report }: ChangeContext): Promise<boolean> {
  const { members, setting, events } = deployment;
  const isDamaged = ({ part }: LiveMember) => damageOf(part) !== null;
  const others = members.filter((member) => !isDamaged(member));
  const damaged = members.filter(isDamaged);
  const whole = members.every(({ part }) => part !== null);
  const disks = await Promise.all(others.map(({ part }) => (part ? readDiskState(part.paths) : null)));
  const hasData = disks.some((disk) => disk?.hasData);
  if (!whole || !hasData || damaged.length === 0) return false;
  for (const { part, place } of damaged) {
    const { paths } = part as Part;
    const folder = await putDamagedAside(paths, setting.clock.wallMs());
    const text = `${place.id} can't load its files (${damageOf(part)}): they are kept in ${folder}, and it copies what the others have`;
    report(`warning: ${text}`);
    events.add('data-damaged', place.id, text);
  }
  return true;
}

/** Also of one whose end has not been told yet. */
function damageOf(part: Part | null): string | null {
  if (part === null || part.process.running) return null;
  return damageIn(lastLogLines(part.paths.log, 100));
}

async function adoptRunning(deployment: Deployment, report: Report): Promise<Part[]> {
  const adopted: Part[] = [];
  for (const part of deployment.parts) {
    if (!(await part.adopt())) continue;
    adopted.push(part);
    report(`${part.id} already runs (pid ${part.process.pid}): adopted`);
    deployment.events.add(
      'adopted',
      part.id,
      `${part.id} still runs (pid ${part.process.pid}) and was adopted`,
    );
  }
  await Promise.all(deployment.members.map((member) => checkRunId(member)));
  return adopted;
}

/** A server that answers with another run_id than the one noted is not ours, whatever its pid. */
async function checkRunId({ part, watch }: LiveMember): Promise<void> {
  if (!part?.process.running || part.process.runId === undefined) return;
  try {
    const { run_id } = await watch.client.info('server');
    if (run_id !== part.process.runId) await part.process.disown();
  } catch {
    // It may hang or be loading. The pid and its start time are proof enough; the loop deals with a hang.
  }
}

/** Some members run: those that don't are restarted by the loop's rules, after it has seen who is primary. */
async function startMissing(context: ChangeContext, started: Part[]): Promise<void> {
  const { deployment } = context;
  const dead = [...deployment.sentinels, ...deployment.gates].filter(
    ({ part }) => part && !part.process.running,
  );
  for (const { place, part } of dead) {
    const isSentinel = deployment.sentinels.some((sentinel) => sentinel.place.id === place.id);
    await startPart(context, part as Part, isSentinel, started);
  }
}

async function startCold(context: ChangeContext, started: Part[]): Promise<void> {
  const { deployment, report, operation } = context;
  await stopSentinels(deployment);
  const leader = await prepareColdStart(deployment, report);
  for (const member of deployment.members) {
    const { place, part } = member;
    // Not started here, it is the loop's to start, once it has seen who is primary.
    if (!part || leader === null) continue;
    const primary = place.id === leader ? null : deployment.member(leader);
    operation.signal.throwIfAborted();
    await startMember(deployment.setting, member, primary, 'start');
    started.push(part);
  }
  // All at once: a gate takes as long to start as the servers do.
  const isSentinel = (part: Part) => deployment.sentinels.some((each) => each.part === part);
  const others = [...deployment.gates, ...deployment.sentinels].flatMap(({ part }) => part ?? []);
  const starts = others.map((part) => startPart(context, part, isSentinel(part), started));
  const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

/** A Sentinel that runs writes over the file that is prepared for it; without members it is of no use. */
async function stopSentinels({ sentinels }: Deployment): Promise<void> {
  const running = sentinels.flatMap(({ part }) => (part?.process.running ? [part] : []));
  for (const part of running) {
    await part.stop(sentinelStopMs);
  }
}

async function startPart(
  { deployment, operation }: ChangeContext,
  part: Part,
  isSentinel: boolean,
  started: Part[],
): Promise<void> {
  if (part.process.running) return;
  const { setting } = deployment;
  const command = isSentinel ? sentinelCommand(setting, part.paths) : await gateCommand(deployment, part.id);
  operation.signal.throwIfAborted();
  await part.start(command);
  started.push(part);
}

/**
 * Waits until every process that was started here answers, and a moment for the others. Loading data may take as long as
 * it takes.
 */
async function waitForServers(
  { deployment, observer, report, operation }: ChangeContext,
  waiting: Set<Part>,
  started: ReadonlySet<Part>,
): Promise<void> {
  const adoptedUntil = performance.now() + adoptedAnswersMs;
  let deadline = performance.now() + serversUpMs;
  while (waiting.size > 0) {
    await observer.lookAtAll();
    const { members, sentinels, gates } = deployment.view();
    if (members.some(({ process, busy }) => process?.running && busy))
      deadline = performance.now() + serversUpMs;
    for (const part of waiting) {
      const view = [...members, ...sentinels, ...gates].find(({ id }) => id === part.id);
      if (!view || !answers(view)) {
        if (started.has(part)) {
          if (!part.process.running) throw startFailure(part, 'ended as soon as it was started');
        } else if (!part.process.running || performance.now() > adoptedUntil) {
          waiting.delete(part);
          report(`${part.id} does not answer yet`);
        }
        continue;
      }
      waiting.delete(part);
      report(`${part.id} answers on ${view.address}:${view.port} (pid ${part.process.pid})`);
    }
    const [late] = waiting;
    if (late && performance.now() > deadline) throw startFailure(late, 'does not answer');
    if (late) await pause(15, operation.signal);
  }
}

function answers(view: MemberView | SentinelView | GateView): boolean {
  if ('state' in view) return view.state !== 'down';
  return view.reachable && !('busy' in view && view.busy);
}

function startFailure(part: Part, what: string): HoldfastError {
  const tail = lastLogLines(part.paths.log, 5).join('\n  ');
  const damage = damageOf(part);
  if (damage !== null) {
    return StartFailed(
      `${part.id} can't load its files, and no other member has data. Its log says: ${damage}`,
      {
        hint: `Nothing was changed. Repair them: redis-check-aof --fix on the manifest, or redis-check-rdb, in ${part.paths.dataDir}, with a copy kept; or move them away and restore a backup.`,
      },
    );
  }
  return StartFailed(`${part.id} ${what}. The end of its log (${part.paths.log}):\n  ${tail}`, {
    hint: 'Everything that was started with it has been stopped again.',
  });
}
