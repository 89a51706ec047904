/** One agent from start to stop: takes the state directory, brings everything up, watches, serves, stops. */
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { systemClock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { activeSabotages } from '../base/sabotage.ts';
import { OutputOwners } from '../process/output-owners.ts';
import { checkTls, currentTls } from '../redis/tls.ts';
import { loadSecrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { Tokens } from './access/tokens.ts';
import { Actions } from './act.ts';
import type { Commands } from './api/agent-commands.ts';
import { makeSocketFolder } from './api/socket-folder.ts';
import { assemble } from './assemble.ts';
import { bringDown } from './change/bring-down.ts';
import { bringUp, stopAgain } from './change/bring-up.ts';
import { refuseStopWithoutRoom } from './change/can-save.ts';
import type { Report } from './change/change-context.ts';
import { handOver } from './change/hand-over.ts';
import { OneStop } from './change/one-stop.ts';
import { waitUntilReady } from './change/ready.ts';
import type { Deployment } from './deployment.ts';
import { runIdMarks } from './election/run-ids.ts';
import { Loop } from './loop.ts';
import { MemberStreams } from './mirrors/member-streams.ts';
import { watchActivity } from './observe/activity-watch.ts';
import { watchClock } from './observe/clock-watch.ts';
import { noteRoom, watchDisks } from './observe/disk-watch.ts';
import { watchMemory } from './observe/memory-watch.ts';
import { Observer } from './observe/observer.ts';
import { checkEngineReads } from './persistence/engine-reads.ts';
import { checkPorts, checkStateDir, findHaproxy, wantedPorts } from './preflight.ts';
import { endInterruptedRestore, isRestoreInterrupted } from './restore/restore-end.ts';
import { hasAclSelectors, type ServerProgram } from './server-program.ts';
import type { SideServices } from './side-services.ts';
import { readRecord } from './state/agent-record.ts';
import { EventLog } from './state/event-log.ts';
import { makeFirstSecret } from './state/first-secret.ts';
import { housekeeping } from './state/housekeeping.ts';
import { statePaths } from './state/paths.ts';
import { takeLock } from './state/state-lock.ts';
import { claimState } from './state/state-owner.ts';
import { renewServerTls } from './units/renew-server-tls.ts';
import { runsFromBefore } from './units/runs-from-before.ts';
import { keepSpareGates } from './units/spare-gates.ts';
import type { Unit } from './units/unit.ts';

export interface AgentOptions {
  spec: Spec;
  /** Full path of the file that it was read from. */
  specFile: string;
  host: string;
  stateDir: string;
  /** What is run as redis-server; it may still be asked for its version. */
  server: Promise<ServerProgram>;
  report: Report;
  /** How long a start may wait for the first write to be taken, in ms. */
  readyWithinMs: number;
  /**
   * Gives the start up. Until the servers answer, what it started is stopped again and the start fails; after that it only
   * waits no longer, and `down` is for the caller.
   */
  signal?: AbortSignal;
}

export interface RunningAgent {
  readonly deployment: Deployment;
  readonly api: Commands;
  /** Why the gate did not take a write in time, or null. Everything runs all the same. */
  readonly notReady: string | null;
  /** Resolves when the agent ends because it was told to by `down`. */
  readonly ended: Promise<void>;
  /** Ends what is under way, then stops everything on this host, then the agent. Asked again, by whomever, it is the same stop. */
  down(report: Report): Promise<void>;
  /** Ends what is under way, then the agent, and leaves everything else running. */
  leave(): Promise<void>;
}

/** Starts an agent. @throws before anything is started when something is missing; START_FAILED and the like after. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { host, stateDir, report, spec } = options;
  // What is new and short-lived has 1 MB instead of 16, before it is collected: an agent makes little, and runs for long.
  setFlagsFromString('--semi-space-growth-factor=1');
  const broken = activeSabotages();
  for (const each of broken) report(`warning: ${each}`);
  const paths = statePaths(stateDir);
  const { program: redisServer, version } = await options.server;
  const gatesHere = spec.gates.filter((gate) => gate.host === host);
  const haproxy = spec.gate.kind === 'haproxy' && gatesHere.length > 0 ? findHaproxy() : null;
  await checkTls(spec.security.tls);
  await checkTls(spec.agent.tls, 'agent.tls');
  await checkStateDir(stateDir, () => runsFromBefore(spec, host, paths));
  // Where it will listen, too, is looked at before anything is started.
  await makeSocketFolder(paths.agentSocket);
  const membersHere = spec.members.filter((member) => member.host === host);
  await checkEngineReads(
    membersHere.map(({ id }) => ({ id, paths: paths.member(id) })),
    version,
  );
  const before = await readRecord(paths.agentRecord);
  const release = await takeLock(paths.agentRecord);
  try {
    await claimState(paths, spec.name);
    const isNew = await makeFirstSecret(spec, paths);
    const secrets = await loadSecrets(spec, paths.secret);
    if (isNew && spec.hosts.length > 1) {
      report(`made a secret in ${paths.secret}: the other hosts need the same file before they start`);
    }
    await new Tokens(paths, secrets)
      .writeOwn()
      .catch((error) => report(`warning: no token is valid: ${errorText(error)}`));
    const events = new EventLog(paths.events, systemClock);
    const aclSelectors = hasAclSelectors(version);
    const clock = systemClock;
    const setting = {
      spec,
      specFile: options.specFile,
      host,
      paths,
      secrets,
      redisServer,
      aclSelectors,
      haproxy,
      clock,
      events,
      tls: await currentTls(spec.security.tls),
      runIdMarks: runIdMarks(host, (await readRecord(paths.agentRecord)) ?? '', before),
    };
    const deployment = await assemble(setting);
    await checkFreePorts(deployment);
    for (const each of broken) events.add('sabotaged', spec.name, each);
    return await runAgent(deployment, options, release);
  } catch (error) {
    await release();
    throw error;
  }
}

/** Ports of processes that still run from before are theirs by right. */
async function checkFreePorts(deployment: Deployment): Promise<void> {
  const { spec, setting } = deployment;
  const owners = new OutputOwners();
  const alive = new Set<string>();
  for (const unit of deployment.units) {
    if (await unit.adopt(owners)) alive.add(unit.id);
    const { damage } = unit.process;
    if (damage !== null) deployment.events.add('state-damaged', unit.id, damage);
  }
  await checkPorts(wantedPorts(spec, setting.host).filter(({ who }) => !alive.has(who)));
}

/** A start that failed is told by then, however long what it had begun takes to end. */
const endsWithinMs = 10_000;
/**
 * How long all else waits for the loop's first steps: while that is loaded nothing can be done. A lost primary is replaced by
 * then, also on a busy machine.
 */
const firstStepsMs = 1000;

/** What is looked at all the time. @returns what ends it. */
function keepLooking(deployment: Deployment): () => void {
  const { setting, events } = deployment;
  const stops = [
    housekeeping(deployment),
    watchDisks(deployment),
    watchMemory(deployment),
    watchClock(setting.clock, events, setting.host),
    watchActivity(deployment),
    renewServerTls(deployment),
    keepSpareGates(deployment),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

async function runAgent(
  deployment: Deployment,
  { report, readyWithinMs, signal = new AbortController().signal }: AgentOptions,
  release: () => Promise<void>,
): Promise<RunningAgent> {
  const { spec, events, operations } = deployment;
  const observer = new Observer(deployment);
  const stopLooking = keepLooking(deployment);
  const actions = new Actions(deployment);
  const loop = new Loop(deployment, (step) => actions.act(step));
  deployment.onWake(() => loop.wake());
  let watching = true;
  let sides: SideServices | null = null;
  const down = (downReport: Report) => stop.join(downReport);
  const openSides = async () => {
    const { SideServices } = await import('./side-services.ts');
    sides ??= await SideServices.open(deployment, observer, down);
    return sides;
  };
  let streams: MemberStreams | null = null;
  const stopWatching = async () => {
    if (!watching) return;
    watching = false;
    streams?.leave();
    await sides?.stop();
    stopLooking();
    loop.stop();
    observer.stop();
    await sides?.closeApi();
    await release();
  };
  let resolveEnded = () => {};
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve;
  });
  const stop = new OneStop(async (downReport) => {
    const operation = await operations.stop('stop');
    try {
      await refuseStopWithoutRoom(deployment.members, (member) => noteRoom(deployment, member));
      await sides?.stopJobs();
      await handOver({ deployment, observer, report: downReport, operation });
      await bringDown(deployment, downReport);
    } catch (error) {
      operation.end();
      throw error;
    }
    resolveEnded();
  });
  const start = await operations.begin('start', { signal });
  let opened: SideServices;
  const context = { deployment, observer, report, operation: start };
  let started: readonly Unit[] = [];
  try {
    started = await bringUp(context);
    observer.start();
    if (spec.mirror !== null) streams = new MemberStreams(deployment);
    if (await isRestoreInterrupted(deployment)) {
      // That may take hours.
      await openSides();
      await endInterruptedRestore(context).catch((error) => {
        if (!start.signal.aborted) throw error;
      });
    }
    start.end();
    await Promise.race([loop.start(), delay(firstStepsMs, undefined, { ref: false })]);
    opened = await openSides();
    await opened.start();
  } catch (error) {
    await Promise.race([stopWatching(), delay(endsWithinMs, undefined, { ref: false })]);
    await stopAgain(context, started);
    throw error;
  }
  const notReady = await waitUntilReady(deployment, observer, report, readyWithinMs, signal);
  if (notReady === null) await opened.settle(report, signal);
  opened.keepLooking();
  if (notReady === null) events.add('ready', spec.name, 'the deployment takes writes');
  else events.add('not-ready', spec.name, `the host is up, and no write is taken yet: ${notReady}`);
  const leave = async () => {
    // A stop that is under way goes on: it ends the agent too.
    await operations.stop('leave').catch(() => ended);
    await stopWatching();
    resolveEnded();
  };
  void ended.then(stopWatching);
  return { deployment, api: opened.api, notReady, ended, down, leave };
}
