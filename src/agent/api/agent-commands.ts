/** Carries out the commands of the API: one planned change at a time. */
import { errorCode, errorText } from '../../base/errors.ts';
import type { BackupSchedule } from '../backups/backup-schedule.ts';
import { applySpec } from '../change/apply-spec.ts';
import type { ChangeContext, Report } from '../change/change-context.ts';
import { forceFailover } from '../change/failover.ts';
import { restartUnit, rollingRestart, unknownUnit } from '../change/restart-members.ts';
import { switchover } from '../change/switchover.ts';
import type { Deployment } from '../deployment.ts';
import type { Observer } from '../observe/observer.ts';
import type { OperationKind } from '../operations.ts';
import { carryOutRestore } from '../restore/restore-command.ts';
import type { DriftWatch } from '../settings/drift-watch.ts';
import type { DeploymentEvent } from '../state/event-log.ts';
import { EventTally } from '../state/event-tally.ts';
import { type AgentApi, type Command, commandNames } from './agent-api.ts';
import { metricsText } from './agent-metrics.ts';
import { metricsFacts } from './metrics-facts.ts';
import { type Status, statusOf } from './status-answer.ts';

export class Commands implements AgentApi {
  readonly commands = commandNames;
  readonly #deployment: Deployment;
  readonly #observer: Observer;
  readonly #down: (report: Report) => Promise<void>;
  readonly #tally: EventTally;
  readonly #backups: BackupSchedule;
  readonly #drift: DriftWatch;

  constructor(
    deployment: Deployment,
    observer: Observer,
    backups: BackupSchedule,
    drift: DriftWatch,
    down: (report: Report) => Promise<void>,
  ) {
    this.#deployment = deployment;
    this.#observer = observer;
    this.#backups = backups;
    this.#drift = drift;
    this.#down = down;
    this.#tally = new EventTally(deployment.events);
  }

  status(): Status {
    const { setting } = this.#deployment;
    const nowMs = setting.clock.monotonicMs();
    return statusOf(this.#deployment.view(), nowMs, this.#backups.status(), this.#drift.drift);
  }

  metrics(): string {
    return metricsText(metricsFacts(this.#deployment, this.status(), this.#tally.counts));
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

  async run(
    command: Command,
    options: Record<string, unknown>,
    report: Report,
    signal: AbortSignal,
  ): Promise<unknown> {
    const change = <T>(kind: OperationKind, work: (context: ChangeContext) => Promise<T>): Promise<T> =>
      this.#deployment.operations.run(kind, { signal }, (operation) =>
        this.#untilGivenUp(
          work({ deployment: this.#deployment, observer: this.#observer, report, operation }),
        ),
      );
    switch (command) {
      case 'pause':
      case 'resume':
        return this.#setPaused(command === 'pause');
      case 'down':
        await this.#down(report);
        return { stopped: true };
      case 'switchover':
        return change('switchover', (context) => this.#switchover(context, textOf(options['to'])));
      case 'failover':
        return change('failover', (context) => this.#failover(context));
      case 'restart':
        return change('restart', (context) => this.#restart(context, options));
      case 'apply':
        // Whoever asks what would change is shown the drift of now.
        if (options['dryRun'] === true) await this.#drift.look();
        return change('apply', (context) =>
          applySpec(context, String(options['file']), options['dryRun'] === true),
        );
      case 'restore':
        return change('restore', (context) => carryOutRestore(context, options));
    }
  }

  /** That a change was given up is part of what happened: whoever asked may be gone. */
  async #untilGivenUp<T>(change: Promise<T>): Promise<T> {
    const { events, spec } = this.#deployment;
    return change.catch((error) => {
      if (errorCode(error) === 'OPERATION_ABORTED') events.add('given-up', spec.name, errorText(error));
      throw error;
    });
  }

  async #switchover(context: ChangeContext, to: string | null): Promise<unknown> {
    const { deployment } = context;
    if (to !== null && !deployment.members.some(({ place }) => place.id === to))
      throw unknownUnit(deployment, to);
    const result = await switchover(context, to);
    if (result.from !== result.to) {
      const text = `switched over from ${result.from} to ${result.to}; writes waited ${result.heldMs} ms`;
      deployment.events.add('switchover', result.to, text);
    }
    return result;
  }

  async #failover(context: ChangeContext): Promise<unknown> {
    const result = await forceFailover(context);
    context.deployment.events.add(
      'failover',
      result.to,
      `failed over from ${result.from} to ${result.to} on request`,
    );
    return result;
  }

  async #restart(context: ChangeContext, options: Record<string, unknown>): Promise<unknown> {
    const member = textOf(options['member']);
    if (member === null) await rollingRestart(context);
    else await restartUnit(context, member, options['acceptDataLoss'] === true);
    return { restarted: member ?? 'all members', primary: this.status().primary };
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

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
