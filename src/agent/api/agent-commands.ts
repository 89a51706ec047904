/** Carries out the commands of the API: one planned change at a time. */
import type { ApiJob, ApiOperation } from '../../api/jobs.ts';
import { owner } from '../access/callers.ts';
import type { BackupSchedule } from '../backups/backup-schedule.ts';
import { applySpec } from '../change/apply-spec.ts';
import type { ChangeContext, Report } from '../change/change-context.ts';
import { forceFailover } from '../change/failover.ts';
import { isLoginRefused, lockedOut } from '../change/locked-out.ts';
import { keepOnlyCopy } from '../change/only-copy.ts';
import { restartUnit, rollingRestart } from '../change/restart-members.ts';
import { switchover } from '../change/switchover.ts';
import { takeWhatOthersHave } from '../change/take-what-others-have.ts';
import type { Deployment } from '../deployment.ts';
import { UnknownProcess } from '../errors.ts';
import { mayBeGivenUp } from '../jobs/given-up.ts';
import { Jobs } from '../jobs/jobs.ts';
import type { MirrorKeeper, MirrorStatus } from '../mirrors/mirror-keeper.ts';
import { type RequestMirrorLine, requestMirrorLines } from '../mirrors/request-mirror-lines.ts';
import type { Observer } from '../observe/observer.ts';
import type { OperationKind } from '../operations.ts';
import { carryOutRestore } from '../restore/restore-command.ts';
import type { DriftWatch } from '../settings/drift-watch.ts';
import type { DeploymentEvent } from '../state/event-log.ts';
import { EventTally } from '../state/event-tally.ts';
import { type AgentApi, type Command, commandNames } from './agent-api.ts';
import { metricsText } from './agent-metrics.ts';
import { type Commanded, type CommandOptions, commandedBy } from './command-options.ts';
import { describeCommand, failureOf, isQuestion } from './describe-command.ts';
import { metricsFacts } from './metrics-facts.ts';
import { type Status, statusOf } from './status-answer.ts';

/** A member that does not let this agent in says so at once. */
const lookWithinMs = 1000;

interface Asking {
  by: string;
  operation?: ApiOperation;
}

export class Commands implements AgentApi {
  readonly commands = commandNames;
  /** What was asked of this agent. */
  readonly jobs: Jobs;
  readonly #deployment: Deployment;
  readonly #observer: Observer;
  readonly #down: (report: Report) => Promise<void>;
  readonly #tally: EventTally;
  readonly #backups: BackupSchedule;
  readonly #drift: DriftWatch;
  readonly #mirrors: MirrorKeeper;

  constructor(
    deployment: Deployment,
    observer: Observer,
    backups: BackupSchedule,
    drift: DriftWatch,
    mirrors: MirrorKeeper,
    down: (report: Report) => Promise<void>,
  ) {
    this.#deployment = deployment;
    this.#observer = observer;
    this.#backups = backups;
    this.#drift = drift;
    this.#mirrors = mirrors;
    this.#down = down;
    this.jobs = new Jobs(deployment.setting.clock, deployment.setting.host);
    this.#tally = new EventTally(deployment.events);
  }

  status(): Status {
    const { setting } = this.#deployment;
    const nowMs = setting.clock.monotonicMs();
    return statusOf(
      this.#deployment.view(),
      nowMs,
      this.#backups.status(),
      this.#drift.drift,
      this.#mirrors.status(),
      requestMirrorLines(this.#deployment),
    );
  }

  /** Mirrors as they are in the status, without the rest of it. */
  get mirrors(): readonly MirrorStatus[] {
    return this.#mirrors.status();
  }

  get requestMirrors(): readonly RequestMirrorLine[] {
    return requestMirrorLines(this.#deployment);
  }

  metrics(status: Status): string {
    return metricsText(metricsFacts(this.#deployment, status, this.#tally.counts));
  }

  async events(seq: number, waitMs: number): Promise<DeploymentEvent[]> {
    const { events } = this.#deployment;
    const there = events.since(seq);
    if (there.length > 0 || waitMs === 0) return there;
    await new Promise<void>((resolve) => {
      const stop = events.listen(() => finish());
      const timer = setTimeout(() => finish(), waitMs);
      const finish = () => {
        clearTimeout(timer);
        stop();
        resolve();
      };
    });
    return events.since(seq);
  }

  async run(command: Command, body: unknown, report: Report, signal: AbortSignal): Promise<unknown> {
    const asked = commandedBy(command, body);
    if (isQuestion(asked) || this.#isOfJob(asked)) return this.#carryOut(asked, report, signal);
    return this.#begin(asked, { by: owner.by }, report, signal).done;
  }

  /** What the store of backups holds is another than before. */
  lookAtBackups(): void {
    this.#backups.lookSoon();
  }

  /** What a job asks for is that job's, and told by it. */
  #isOfJob(asked: Commanded): boolean {
    if (asked.command !== 'restore' || 'facts' in asked.options) return false;
    const { job } = asked.options;
    if (job === undefined || !this.jobs.has(job)) return false;
    const { kind, state } = this.jobs.get(job);
    return kind === 'restore' && state === 'running';
  }

  /** The same as a job, for whoever does not wait. */
  begin(asked: Commanded, by: string, operation: ApiOperation): ApiJob {
    const { job, done } = this.#begin(asked, { by, operation }, () => {}, new AbortController().signal);
    // The job tells how it ended.
    done.catch(() => {});
    return job;
  }

  /** @param who with the operation as it was asked for, where it was not asked for as this command. */
  #begin(asked: Commanded, { by, operation }: Asking, report: Report, signal: AbortSignal) {
    const { command } = asked;
    const { events, spec } = this.#deployment;
    const request = { kind: command, request: { ...(operation ?? { kind: command, ...toShow(asked) }) }, by };
    events.add('asked', spec.name, `${by} asked for: ${describeCommand(asked)}`);
    return this.jobs.begin({ ...request, cancellable: mayBeGivenUp(command) }, (say, stop) => {
      const tell: Report = (line) => {
        say(line);
        report(line);
      };
      return this.#carryOut(asked, tell, AbortSignal.any([signal, stop]));
    });
  }

  /** The one place where what was asked for ends: a failure is part of what happened, for whoever asked may be gone. */
  async #carryOut(asked: Commanded, report: Report, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#work(asked, report, signal);
    } catch (error) {
      const failure = isQuestion(asked) ? null : failureOf(asked, error);
      if (failure !== null)
        this.#deployment.events.add(failure.kind, this.#deployment.spec.name, failure.text);
      throw error;
    }
  }

  async #work(asked: Commanded, report: Report, signal: AbortSignal): Promise<unknown> {
    const change = <T>(kind: OperationKind, work: (context: ChangeContext) => Promise<T>): Promise<T> =>
      this.#deployment.operations.run(kind, { signal }, (operation) =>
        this.#sayingWhoLocksOut(
          work({ deployment: this.#deployment, observer: this.#observer, report, operation }),
        ),
      );
    switch (asked.command) {
      case 'pause':
      case 'resume':
        return this.#setPaused(asked.command === 'pause');
      case 'mirror':
        return this.#mirror(asked.options);
      case 'backups':
        return this.#noteBackups(asked.options);
      case 'down':
        if (asked.options.acceptDataLoss !== true)
          await keepOnlyCopy(this.#deployment.members, ({ unit }) => unit !== null, 'holdfast down');
        await this.#down(report);
        return { stopped: true };
      case 'switchover':
        return change('switchover', (context) => this.#switchover(context, asked.options));
      case 'failover':
        return change('failover', (context) => this.#failover(context, asked.options));
      case 'restart':
        return change('restart', (context) => this.#restart(context, asked.options));
      case 'apply': {
        const { file, dryRun = false } = asked.options;
        // Whoever asks what would change is shown the drift of now.
        if (dryRun) await this.#drift.look();
        return change('apply', (context) => applySpec(context, file, dryRun)).finally(() =>
          this.#drift.lookSoon(),
        );
      }
      case 'restore':
        return change('restore', (context) => carryOutRestore(context, asked.options));
    }
  }

  /** A refused login says where it was. */
  async #sayingWhoLocksOut<T>(change: Promise<T>): Promise<T> {
    return change.catch(async (error) => {
      if (!isLoginRefused(error)) throw error;
      await this.#observer.lookWithin(lookWithinMs);
      throw lockedOut(this.#deployment.view().members, error) ?? error;
    });
  }

  async #switchover(
    context: ChangeContext,
    { to, askedMsAgo }: CommandOptions['switchover'],
  ): Promise<unknown> {
    const { deployment } = context;
    if (to !== undefined && !deployment.members.some(({ place }) => place.id === to))
      throw unknownMember(deployment, to);
    const result = await switchover(context, to ?? null, askedMsAgo);
    if (result.from !== result.to) {
      const text = `switched over from ${result.from} to ${result.to}; writes waited ${result.heldMs} ms`;
      deployment.events.add('switchover', result.to, text);
    }
    return result;
  }

  async #failover(
    context: ChangeContext,
    { to: wanted, askedMsAgo }: CommandOptions['failover'],
  ): Promise<unknown> {
    const { deployment } = context;
    if (wanted !== undefined && !deployment.members.some(({ place }) => place.id === wanted))
      throw unknownMember(deployment, wanted);
    await takeWhatOthersHave(deployment);
    const { from, to, replacedBefore } = await forceFailover(context, {
      to: wanted ?? null,
      askedMsAgo: askedMsAgo ?? 0,
    });
    const text =
      from === to ? `${to} leads on alone on request` : `failed over from ${from} to ${to} on request`;
    if (!replacedBefore) deployment.events.add('failover', to, text);
    return { from, to };
  }

  async #restart(
    context: ChangeContext,
    { member, acceptDataLoss = false }: CommandOptions['restart'],
  ): Promise<unknown> {
    if (member === undefined) await rollingRestart(context);
    else await restartUnit(context, member, acceptDataLoss);
    return { restarted: member ?? 'all members', primary: this.status().primary };
  }

  async #mirror({ name, to }: CommandOptions['mirror']): Promise<unknown> {
    if (to === 'resync') {
      await this.#mirrors.resync(name);
      return { name, resync: true };
    }
    const paused = to === 'pause';
    return { name, paused, changed: await this.#mirrors.setPaused(name, paused) };
  }

  #noteBackups({ taken, notGood }: CommandOptions['backups']): unknown {
    const { events, spec } = this.#deployment;
    if (taken !== undefined) events.add('backup', spec.name, taken);
    if (notGood !== undefined) events.add('backup-not-good', spec.name, notGood);
    this.lookAtBackups();
    return { noted: true };
  }

  async #setPaused(paused: boolean): Promise<unknown> {
    const { pause, events, spec } = this.#deployment;
    const changed = await pause.set(paused);
    if (changed)
      events.add(
        paused ? 'paused' : 'resumed',
        spec.name,
        `automatic actions ${paused ? 'paused' : 'resumed'}`,
      );
    this.#deployment.wake();
    return { paused, changed };
  }
}

/** When its command began is no part of what was asked for. */
function toShow({ options }: Commanded): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'askedMsAgo'));
}

function unknownMember({ members }: Deployment, id: string): Error {
  const known = members.map(({ place }) => place.id).join(', ');
  return UnknownProcess(`there is no member ${id === '' ? "''" : id}`, { hint: `The members are ${known}.` });
}
