/**
 * Runs the schedule of backups: backup/schedule.ts has the rules. A worker process does the work; here is only the clock
 * and what is known of the outcome, for status, metrics and events.
 */
import { randomUUID } from 'node:crypto';
import { hostOrder, lastDueMs, nextDueMs, rankPauseMs } from '../../backup/schedule.ts';
import type { ScheduledResult } from '../../backup/scheduled-run.ts';
import { errorText } from '../../base/errors.ts';
import { makeFolder } from '../../base/make-folder.ts';
import type { Backup } from '../../spec/spec.ts';
import { actingPrimary } from '../../topology/view.ts';
import type { Deployment } from '../deployment.ts';
import type { EventKind } from '../state/event-kinds.ts';
import { takeByWorker } from './backup-worker.ts';

/** What `status` shows. Times are ISO 8601, UTC. */
export interface BackupStatus {
  /** The newest backup in the store, as this agent last saw it. */
  lastGoodId: string | null;
  lastGoodAt: string | null;
  ageMs: number | null;
  nextAt: string | null;
  /** Why the last try failed; null once one has succeeded. */
  lastError: string | null;
  lastVerifiedAt: string | null;
  /** Whether the backup that was verified last is good; null when none was. */
  lastVerifiedGood: boolean | null;
  running: boolean;
  /** The store was not looked at since the agent started: nothing is known of what lies there. */
  unread: boolean;
}

const tickMs = 5000;
/** After a look that found the backup neither there nor ours to take. */
const lookAgainMs = 30_000;
/** How often the store is looked at though nothing is due: people take backups and remove some. */
const refreshMs = 15 * 60_000;

export class BackupSchedule {
  readonly #deployment: Deployment;
  readonly #stopped = new AbortController();
  readonly #life = randomUUID();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | null = null;
  /** Taking or verifying one: it does more than look at the store. */
  #isAtWork = false;
  /** These two are of the clock that never jumps. */
  #lookAtMs = 0;
  #seenAtMs = 0;
  /** The due time whose backup is there. */
  #settledMs = 0;
  /** It was found empty: nothing is due before it holds keys. */
  #wasEmpty = false;
  /** Nobody has told yet what is in the store. */
  #isUnread = true;
  /** Somebody changed what is in the store. */
  #isAsked = false;
  #lastGood: ScheduledResult['lastGood'] = null;
  #lastVerified: ScheduledResult['lastVerified'] = null;
  #lastError: string | null = null;
  #said = '';

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  start(): void {
    if (this.#timer === undefined) this.#timer = setInterval(() => this.tick(), tickMs);
    this.tick();
  }

  /** A backup that is being taken is given up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort(new Error('the agent stops'));
    await this.#running;
  }

  status(): BackupStatus | null {
    const { spec, setting } = this.#deployment;
    if (spec.backup === null) return null;
    const nowMs = setting.clock.wallMs();
    const next = nextDueMs(spec.backup, nowMs);
    return {
      lastGoodId: this.#lastGood?.id ?? null,
      lastGoodAt: this.#lastGood ? new Date(this.#lastGood.atMs).toISOString() : null,
      ageMs: this.#lastGood ? Math.max(0, nowMs - this.#lastGood.atMs) : null,
      nextAt: next === undefined ? null : new Date(next).toISOString(),
      lastError: this.#lastError,
      lastVerifiedAt: this.#lastVerified ? new Date(this.#lastVerified.atMs).toISOString() : null,
      lastVerifiedGood: this.#lastVerified?.good ?? null,
      running: this.#isAtWork,
      unread: this.#isUnread,
    };
  }

  /** The store is another than it was: looks at it as soon as nothing else is under way. */
  lookSoon(): void {
    this.#isAsked = true;
    this.tick();
  }

  /** Looks at the clock, and begins what is due. */
  tick(): void {
    const { spec, setting, operations } = this.#deployment;
    const { clock } = setting;
    const nowMs = clock.wallMs();
    if (spec.backup === null || this.#running !== null || operations.current !== null) return;
    if (this.#stopped.signal.aborted) return;
    if (clock.monotonicMs() < this.#lookAtMs && !this.#isAsked) return;
    const dueMs = lastDueMs(spec.backup, nowMs);
    const isFresh = clock.monotonicMs() < this.#seenAtMs + refreshMs;
    if (dueMs === undefined) return;
    const isKnown = dueMs === this.#settledMs || (this.#wasEmpty && this.#keysNow() === 0);
    if (isKnown && isFresh && !this.#isAsked) return;
    const tryAtMs = dueMs + this.#rank() * rankPauseMs;
    if (nowMs < tryAtMs) return;
    this.#isAsked = false;
    this.#running = this.#run(spec.backup, dueMs).finally(() => {
      this.#running = null;
      this.#isAtWork = false;
    });
  }

  /** Where this host stands in the order of those that try. */
  #rank(): number {
    const { spec, setting } = this.#deployment;
    const view = this.#deployment.view();
    const linked = view.members.filter(
      ({ reachable, role, linkUp }) => reachable && role === 'replica' && linkUp,
    );
    const order = hostOrder(
      spec.hosts.map(({ id }) => id),
      new Set(linked.map(({ host }) => host)),
    );
    return Math.max(0, order.indexOf(setting.host));
  }

  #keysNow(): number | null {
    return actingPrimary(this.#deployment.view())?.keys ?? null;
  }

  async #run(backup: Backup, dueMs: number): Promise<void> {
    const { setting, spec } = this.#deployment;
    const { paths, host, redisServer } = setting;
    const workFolder = paths.scratch;
    try {
      await makeFolder(workFolder, 0o700);
      const task = {
        ...({
          task: 'scheduled',
          spec,
          secretFile: paths.secret,
          holder: `the agent of host ${host}`,
        } as const),
        ...{ host, agent: this.#life, dueMs, keysNow: this.#keysNow(), redisServer, workFolder },
      };
      const result = (await takeByWorker(
        task,
        () => this.#noteStep(),
        this.#stopped.signal,
      )) as ScheduledResult;
      this.#learn(result, dueMs);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#lastError = errorText(error);
      this.#lookAtMs = setting.clock.monotonicMs() + lookAgainMs;
      this.#say(
        'backup-failed',
        `the backup of ${new Date(dueMs).toISOString()} to ${backup.to} failed: ${this.#lastError}`,
      );
    }
  }

  #noteStep(): void {
    this.#isAtWork = true;
  }

  #learn(result: ScheduledResult, dueMs: number): void {
    const { events, spec, setting } = this.#deployment;
    this.#isUnread = false;
    this.#lastGood = result.lastGood;
    this.#lastVerified = result.lastVerified;
    this.#wasEmpty = result.outcome === 'empty';
    if (this.#wasEmpty) {
      this.#seenAtMs = setting.clock.monotonicMs();
      return;
    }
    if (result.outcome === 'elsewhere') {
      this.#lookAtMs = setting.clock.monotonicMs() + lookAgainMs;
      return;
    }
    this.#settledMs = dueMs;
    this.#seenAtMs = setting.clock.monotonicMs();
    this.#lookAtMs = 0;
    this.#lastError = null;
    this.#said = '';
    if (result.outcome === 'taken') events.add('backup', spec.name, result.text);
    if (result.verified?.good === false) {
      events.add(
        'backup-not-good',
        spec.name,
        `${result.verified.id} is NOT good: ${result.verified.problems.join('; ')}`,
      );
    }
  }

  /** The same failure is told once. */
  #say(kind: EventKind, text: string): void {
    if (text === this.#said) return;
    this.#said = text;
    this.#deployment.events.add(kind, this.#deployment.spec.name, text);
  }
}
