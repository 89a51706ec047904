/** Carries out the commands of the API: one planned change at a time. */
import { writeFileAtomic } from '../../base/atomic-file.ts';
import type { BackupSchedule } from '../backups/backup-schedule.ts';
import { applySpec } from '../change/apply-spec.ts';
import type { Report } from '../change/bring-up.ts';
import { forceFailover } from '../change/failover.ts';
import { restartPart, rollingRestart, unknownPart } from '../change/restart-members.ts';
import { switchover } from '../change/switchover.ts';
import type { Deployment } from '../deployment.ts';
import { OperationUnderWay } from '../errors.ts';
import type { Observer } from '../observe/observer.ts';
import { carryOutRestore } from '../restore/restore-command.ts';
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

  constructor(
    deployment: Deployment,
    observer: Observer,
    backups: BackupSchedule,
    down: (report: Report) => Promise<void>,
  ) {
    this.#deployment = deployment;
    this.#observer = observer;
    this.#backups = backups;
    this.#down = down;
    this.#tally = new EventTally(deployment.events);
  }

  status(): Status {
    return statusOf(this.#deployment.view(), this.#backups.status());
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
    switch (command) {
      case 'pause':
      case 'resume':
        return this.#setPaused(command === 'pause');
      case 'down':
        return this.#exclusively('stopping', async () => {
          await this.#down(report);
          return { stopped: true };
        });
      case 'switchover':
        return this.#exclusively('a switchover', () => this.#switchover(textOf(options['to']), report));
      case 'failover':
        return this.#failover(report);
      case 'restart':
        return this.#exclusively('a restart', () => this.#restart(options, report));
      case 'apply':
        return this.#exclusively('applying the spec', () =>
          applySpec(this.#deployment, String(options['file']), options['dryRun'] === true, report),
        );
      case 'restore':
        return this.#exclusively('a restore', () =>
          carryOutRestore(this.#deployment, this.#observer, options, report, signal),
        );
    }
  }

  async #switchover(to: string | null, report: Report): Promise<unknown> {
    const deployment = this.#deployment;
    if (to !== null && !deployment.members.some(({ place }) => place.id === to))
      throw unknownPart(deployment, to);
    const result = await switchover(deployment, this.#observer, to, report);
    if (result.from !== result.to) {
      const text = `switched over from ${result.from} to ${result.to}; writes waited ${result.heldMs} ms`;
      deployment.events.add('switchover', result.to, text);
    }
    return result;
  }

  async #failover(report: Report): Promise<unknown> {
    if (this.#deployment.operation !== null) throw underWay(this.#deployment.operation);
    const result = await forceFailover(this.#deployment, this.#observer, report);
    this.#deployment.events.add(
      'failover',
      result.to,
      `failed over from ${result.from} to ${result.to} on request`,
    );
    return result;
  }

  async #restart(options: Record<string, unknown>, report: Report): Promise<unknown> {
    const member = textOf(options['member']);
    if (member === null) await rollingRestart(this.#deployment, this.#observer, report);
    else
      await restartPart(this.#deployment, this.#observer, member, options['acceptDataLoss'] === true, report);
    return { restarted: member ?? 'all members', primary: this.status().primary };
  }

  async #setPaused(paused: boolean): Promise<unknown> {
    const { setting, events, spec } = this.#deployment;
    const changed = this.#deployment.paused !== paused;
    this.#deployment.paused = paused;
    await writeFileAtomic(setting.paths.flags, `${JSON.stringify({ paused })}\n`);
    if (changed)
      events.add(
        paused ? 'paused' : 'resumed',
        spec.name,
        `automatic actions ${paused ? 'paused' : 'resumed'}`,
      );
    this.#deployment.wake();
    return { paused, changed };
  }

  /** One planned change at a time; while it lasts the loop leaves everything alone. */
  async #exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { operation } = this.#deployment;
    if (operation !== null) throw underWay(operation);
    this.#deployment.operation = what;
    try {
      return await work();
    } finally {
      this.#deployment.operation = null;
      this.#deployment.wake();
    }
  }
}

function underWay(operation: string): Error {
  return OperationUnderWay(`${operation} is under way`, {
    hint: 'Wait for it; holdfast status shows when it is over.',
  });
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
