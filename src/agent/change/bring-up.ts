/**
 * Brings up what the spec places on this host. What still runs from an earlier agent is adopted and left alone.
 * When none of this host's members runs, it is a first start or a cold one: on a single host, who starts as primary
 * is worked out from the data on disk; on several, it waits for the Sentinels' word. Nothing is decided by the loop
 * before this is done.
 */
import { errorCode, errorText, type HoldfastError } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import { damageIn } from '../../process/server-log.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import type { GateView, MemberView, SentinelView } from '../../topology/view.ts';
import type { Deployment, LiveGate, LiveMember } from '../deployment.ts';
import { StartFailed } from '../errors.ts';
import { readDiskState } from '../observe/disk-state.ts';
import { putDamagedAside } from '../persistence/put-aside.ts';
import { gateCommand } from '../units/process-commands.ts';
import { stopRetired } from '../units/retired.ts';
import { sentinelCommand } from '../units/sentinel-command.ts';
import { startMember } from '../units/start-member.ts';
import type { Unit } from '../units/unit.ts';
import { stopMember } from './bring-down.ts';
import type { ChangeContext, Report } from './change-context.ts';
import { endFirstPatience } from './patience.ts';
import { prepareColdStart, prepareNew } from './prepare-cold-start.ts';

const serversUpMs = 20_000;
/** How long one that ran before is waited for: it may hang or load, which is the loop's to deal with. */
const adoptedAnswersMs = 500;
const sentinelStopMs = 5_000;
const helperStopMs = 10_000;
/** A primary with more data than it loads in this time loads it beside its replicas. */
const primaryListensMs = 200;

/**
 * Starts or adopts everything and waits until the servers answer.
 * @returns what it started
 * @throws START_FAILED when a process ends or stays silent; what this call started is stopped again, also when the
 * start is given up.
 */
export async function bringUp(context: ChangeContext): Promise<readonly Unit[]> {
  const { deployment, report, operation } = context;
  await stopRetired(deployment, report);
  const adopted = await adoptRunning(deployment, report);
  const membersRun = adopted.some((unit) => deployment.members.some((member) => member.unit === unit));
  for (;;) {
    const started: Unit[] = [];
    try {
      let patient = false;
      if (membersRun) await startMissing(context, started);
      else patient = await startCold(context, started);
      await waitForServers(context, new Set([...adopted, ...started]), new Set(started));
      operation.signal.throwIfAborted();
      // Given up, it is the end of the agent.
      if (patient) void endFirstPatience(deployment).catch(() => {});
      return started;
    } catch (error) {
      await stopAgain(context, started);
      if (membersRun || operation.signal.aborted || !(await goOnWithout(context)))
        throw withWhatRuns(error, started);
    }
  }
}

/**
 * What was started for a start that failed. Members as `down` stops them: one that writes its first AOF takes no signal for an
 * answer.
 */
export async function stopAgain(
  { deployment, report }: Pick<ChangeContext, 'deployment' | 'report'>,
  started: readonly Unit[],
): Promise<void> {
  const memberOf = (unit: Unit) => deployment.members.find((member) => member.unit === unit);
  const helpers = started.filter((unit) => memberOf(unit) === undefined);
  await Promise.allSettled(helpers.map((unit) => unit.stop(helperStopMs)));
  const members = started.flatMap((unit) => memberOf(unit) ?? []);
  await Promise.allSettled(members.map((member) => stopMember(deployment, member, report)));
}

function withWhatRuns(error: unknown, started: readonly Unit[]): unknown {
  const left = started.filter((unit) => unit.process.running).map(({ id }) => id);
  if (left.length === 0 || errorCode(error) !== 'START_FAILED') return error;
  const hint = `What was started with it has been stopped again, but ${left.join(' and ')}, which would not stop: holdfast down ends what still runs.`;
  return StartFailed(errorText(error), { hint, cause: error });
}

/**
 * On a single host, where all disks are seen: members whose files are damaged put them aside, when another one has data
 * that they can copy. @returns whether there were such, so that it is worth another try.
 */
async function goOnWithout({ deployment, report }: ChangeContext): Promise<boolean> {
  const { members, setting, events } = deployment;
  const isDamaged = ({ unit }: LiveMember) => damageOf(unit) !== null;
  const others = members.filter((member) => !isDamaged(member));
  const damaged = members.filter(isDamaged);
  const whole = members.every(({ unit }) => unit !== null);
  const disks = await Promise.all(others.map(({ unit }) => (unit ? readDiskState(unit.paths) : null)));
  const hasData = disks.some((disk) => disk?.hasData);
  if (!whole || !hasData || damaged.length === 0) return false;
  for (const { unit, place } of damaged) {
    const { paths } = unit as Unit;
    const folder = await putDamagedAside(paths, setting.clock.wallMs());
    const text = `${place.id} can't load its files (${damageOf(unit)}): they are kept in ${folder}, and it copies what the others have`;
    report(`warning: ${text}`);
    events.add('data-damaged', place.id, text);
  }
  return true;
}

/** Also of one whose end has not been told yet. */
function damageOf(unit: Unit | null): string | null {
  if (unit === null || unit.process.running) return null;
  return damageIn(lastLogLines(unit.paths.log, 100));
}

async function adoptRunning(deployment: Deployment, report: Report): Promise<Unit[]> {
  const adopted: Unit[] = [];
  for (const unit of deployment.units) {
    if (!(await unit.adopt())) continue;
    adopted.push(unit);
    report(`${unit.id} already runs (pid ${unit.process.pid}): adopted`);
    deployment.events.add(
      'adopted',
      unit.id,
      `${unit.id} still runs (pid ${unit.process.pid}) and was adopted`,
    );
  }
  await Promise.all([
    ...deployment.members.map((member) => checkRunId(member)),
    ...deployment.gates.map((gate) => tellPlaces(deployment, gate)),
  ]);
  return adopted;
}

/** The spec may have other hosts than the one that the gate was started with. */
async function tellPlaces({ events }: Deployment, { place, unit, adapter }: LiveGate): Promise<void> {
  if (!unit?.process.running) return;
  const why = await adapter.tellPlaces();
  if (why === null) return;
  events.add('hint', place.id, `${place.id} was not told who belongs to the deployment: ${why}`);
}

/** A server that answers with another run_id than the one noted is not ours, whatever its pid. */
async function checkRunId({ unit, watch }: LiveMember): Promise<void> {
  if (!unit?.process.running || unit.process.runId === undefined) return;
  try {
    const { run_id } = await watch.client.info('server');
    if (run_id !== unit.process.runId) await unit.process.disown();
  } catch {
    // It may hang or be loading. The pid and its start time are proof enough; the loop deals with a hang.
  }
}

/** Some members run: those that don't are restarted by the loop's rules, after it has seen who is primary. */
async function startMissing(context: ChangeContext, started: Unit[]): Promise<void> {
  const { deployment } = context;
  await prepareNew(deployment);
  const dead = [...deployment.sentinels, ...deployment.gates].filter(
    ({ unit }) => unit && !unit.process.running,
  );
  for (const { place, unit } of dead) {
    const isSentinel = deployment.sentinels.some((sentinel) => sentinel.place.id === place.id);
    await startUnit(context, unit as Unit, isSentinel, started);
  }
}

/** @returns whether the Sentinels were made patient for now */
async function startCold(context: ChangeContext, started: Unit[]): Promise<boolean> {
  const { deployment, report } = context;
  await stopSentinels(deployment);
  const unitsOf = (places: readonly { unit: Unit | null }[]) => places.flatMap(({ unit }) => unit ?? []);
  // A gate takes longest to start, and needs nothing that is worked out here.
  const starts = unitsOf(deployment.gates).map((unit) => startUnit(context, unit, false, started));
  const { leader, patient } = await prepareColdStart(deployment, report).catch(async (error) => {
    await Promise.allSettled(starts);
    throw error;
  });
  starts.push(...unitsOf(deployment.sentinels).map((unit) => startUnit(context, unit, true, started)));
  // Not started here, members are the loop's to start, once it has seen who is primary.
  if (leader !== null) starts.push(startMembers(context, deployment.member(leader), started));
  const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return patient;
}

/**
 * The primary first. A replica asks its primary as soon as it starts, and then once a second (replicationCron in
 * replication.c): one that is there a moment too early costs writes, which wait for a replica, that second.
 */
async function startMembers(
  { deployment, operation }: ChangeContext,
  leader: LiveMember,
  started: Unit[],
): Promise<void> {
  const start = async (member: LiveMember, primary: LiveMember | null) => {
    operation.signal.throwIfAborted();
    if (member.unit === null) return;
    await startMember(deployment.setting, member, primary, 'start');
    started.push(member.unit);
  };
  await start(leader, null);
  const until = performance.now() + primaryListensMs;
  const isUp = () => leader.watch.seen.reachable && !leader.watch.seen.busy;
  for (; !isUp() && performance.now() < until; await pause(5, operation.signal)) await leader.watch.look();
  const replicas = deployment.members.filter((member) => member !== leader);
  await Promise.all(replicas.map((member) => start(member, leader)));
}

/** A Sentinel that runs writes over the file that is prepared for it; without members it is of no use. */
async function stopSentinels({ sentinels }: Deployment): Promise<void> {
  const running = sentinels.flatMap(({ unit }) => (unit?.process.running ? [unit] : []));
  for (const unit of running) {
    await unit.stop(sentinelStopMs);
  }
}

async function startUnit(
  { deployment, operation }: ChangeContext,
  unit: Unit,
  isSentinel: boolean,
  started: Unit[],
): Promise<void> {
  if (unit.process.running) return;
  const command = isSentinel
    ? await sentinelCommand(deployment, unit)
    : await gateCommand(deployment, unit.id);
  operation.signal.throwIfAborted();
  await unit.start(command);
  started.push(unit);
}

/**
 * Waits until every process that was started here answers, and a moment for the others. Loading data may take as long as
 * it takes.
 */
async function waitForServers(
  { deployment, observer, report, operation }: ChangeContext,
  waiting: Set<Unit>,
  started: ReadonlySet<Unit>,
): Promise<void> {
  const adoptedUntil = performance.now() + adoptedAnswersMs;
  let deadline = performance.now() + serversUpMs;
  while (waiting.size > 0) {
    await observer.lookAtAll();
    const { members, sentinels, gates } = deployment.view();
    if (members.some(({ process, busy }) => process?.running && busy))
      deadline = performance.now() + serversUpMs;
    for (const unit of waiting) {
      const view = [...members, ...sentinels, ...gates].find(({ id }) => id === unit.id);
      if (!view || !answers(view)) {
        if (started.has(unit)) {
          if (!unit.process.running) throw startFailure(unit, 'ended as soon as it was started');
        } else if (!unit.process.running || performance.now() > adoptedUntil) {
          waiting.delete(unit);
          report(`${unit.id} does not answer yet`);
        }
        continue;
      }
      waiting.delete(unit);
      report(`${unit.id} answers on ${view.address}:${view.port} (pid ${unit.process.pid})`);
    }
    const [late] = waiting;
    if (late && performance.now() > deadline) throw startFailure(late, 'does not answer');
    if (late) await pause(15, operation.signal);
  }
}

function answers(view: MemberView | SentinelView | GateView): boolean {
  if ('state' in view) return view.state !== 'down';
  // What it is to watch is told it by the loop.
  if ('watchesNothing' in view && view.watchesNothing) return true;
  return view.reachable && !('busy' in view && view.busy);
}

function startFailure(unit: Unit, what: string): HoldfastError {
  const tail = lastLogLines(unit.paths.log, 5).join('\n  ');
  const damage = damageOf(unit);
  if (damage !== null) {
    return StartFailed(
      `${unit.id} can't load its files, and no other member has data. Its log says: ${damage}`,
      {
        hint: `Nothing was changed. Repair them: redis-check-aof --fix on the manifest, or redis-check-rdb, in ${unit.paths.dataDir}, with a copy kept; or move them away and restore a backup.`,
      },
    );
  }
  return StartFailed(`${unit.id} ${what}. The end of its log (${unit.paths.log}):\n  ${tail}`, {
    hint: 'Everything that was started with it has been stopped again.',
  });
}
