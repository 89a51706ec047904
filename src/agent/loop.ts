/**
 * Observe, decide, act: one step after the other, never two at once. Something that happened (a death, a Sentinel's
 * event, a round of questions) wakes the loop at once; otherwise it looks a few times a second, because time alone calls for
 * something when anybody is silent or stands still. When all is well nobody is, and looks in between are left out: most of
 * what an idle agent would cost.
 */
import type { Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import type { Member } from '../spec/spec.ts';
import { decide, isBesidePlans } from '../topology/decide.ts';
import { type DecideRules, type Decision, decisionKey } from '../topology/decision.ts';
import { isInSyncDecision } from '../topology/in-sync-set.ts';
import { hasVoters } from '../topology/own-word.ts';
import { actingPrimary, namedPrimary, type View } from '../topology/view.ts';
import { type Observed, settleSelection } from './observe/settle-selection.ts';
import type { Operations } from './operations.ts';
import type { EventKind } from './state/event-kinds.ts';
import type { GateAdapter } from './units/gate-adapter.ts';

const tickMs = 250;
/** However well all is, it looks as often as this. */
const restMs = 1000;
/** A decision whose action failed is not tried again sooner than this, and each time after twice as long, up to a limit. */
const retryMs = 100;
const longestRetryMs = 5000;
/** The same failure is told once in this time. */
const tellAgainMs = 10_000;

/** What is decided and carried out as a step of the loop. */
export type Step = Exclude<Decision, { kind: 'nothing' | 'give-way' }>;

/** What the loop needs of a deployment. */
export interface Looped extends Observed {
  readonly spec: Observed['spec'] & Omit<DecideRules, 'rank'> & { hosts: readonly { id: string }[] };
  readonly setting: { host: string; clock: Clock };
  readonly operations: Pick<Operations, 'unplanned' | 'beside' | 'giveWay'>;
  /** Everyone answers, and no process of this host stands still: nothing is called for by time passing. */
  readonly isAtEase: boolean;
  view(): View;
  readonly gates: readonly {
    place: { id: string };
    unit: { process: { running: boolean; pid: number | null } } | null;
    adapter: Pick<GateAdapter, 'seen' | 'switchTo'>;
  }[];
  member(id: string): ReturnType<Observed['member']> & { place: Member };
}

const eventKinds = {
  kill: 'killed',
  stand: 'election',
  follow: 'redirected',
  restart: 'restart',
  monitor: 'monitor-restored',
  appoint: 'sentinels-told',
  reconnect: 'reconnected',
  refuse: 'refused',
  'give-up': 'failed',
  'lead-on': 'leads-on',
  'in-sync-begins': 'in-sync-left',
  'in-sync-joins': 'in-sync-joined',
  'in-sync-leaves': 'in-sync-left',
  'replica-eligible': 'replica-eligible',
  'replica-ineligible': 'replica-ineligible',
} as const satisfies Record<Step['kind'], EventKind>;

interface Failed {
  /** When it may be tried again, and the pause before that. */
  untilMs: number;
  pauseMs: number;
}

export class Loop {
  readonly #deployment: Looped;
  readonly #act: (step: Step) => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout | undefined;
  #running = false;
  #again = false;
  #stopped = false;
  #atRest = () => {};
  readonly #rank: number;
  /** When it looked last, if nothing was to be done and nothing was waited for then. */
  #wellSinceMs: number | null = null;
  /** What was said last. */
  #lastKey = '';
  /** By gate: the primary that it was told, and its pid then. */
  readonly #told = new Map<string, string>();
  /** What failed lately, by the decision's key. */
  readonly #failed = new Map<string, Failed>();

  /** @param act carries out what was decided; what it throws is told, and tried again. */
  constructor(deployment: Looped, act: (step: Step) => Promise<void>) {
    this.#deployment = deployment;
    this.#act = act;
    const { spec, setting } = deployment;
    this.#rank = Math.max(
      0,
      spec.hosts.findIndex(({ id }) => id === setting.host),
    );
  }

  /** @returns when it has looked once, and done what there was to do. */
  start(): Promise<void> {
    this.#timer = setInterval(() => this.tick(), tickMs);
    return new Promise((resolve) => {
      this.#atRest = resolve;
      this.wake();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#later);
  }

  /**
   * Looks at the view and does what it calls for, once everything that has arrived is read: after a pause of this
   * process the first of the news is old, and the rest says what came of it.
   */
  wake(): void {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => void this.#run());
  }

  /** To be called a few times a second: looks, unless all was well a moment ago and nobody is silent or stands still. */
  tick(): void {
    const { isAtEase, setting } = this.#deployment;
    const rests = this.#wellSinceMs !== null && setting.clock.monotonicMs() - this.#wellSinceMs < restMs;
    if (!rests || !isAtEase) this.wake();
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        if (await this.#step()) this.#again = true;
      }
    } finally {
      this.#running = false;
      this.#atRest();
    }
  }

  /** @returns whether something was done, so that there may be more to do. */
  async #step(): Promise<boolean> {
    const { setting, spec, operations } = this.#deployment;
    const nowMs = setting.clock.monotonicMs();
    let view = this.#deployment.view();
    if (settleSelection(this.#deployment, view, nowMs)) view = this.#deployment.view();
    this.#tellGates(view);
    const decision = decide(view, { ...spec, rank: this.#rank }, nowMs, (each) =>
      this.#isPutOff(each, nowMs),
    );
    clearTimeout(this.#later);
    this.#wellSinceMs = null;
    if (decision.kind === 'nothing') {
      if (decision.untilMs !== undefined) this.#wakeIn(decision.untilMs - nowMs);
      else if (decision.code === 'all-well') this.#wellSinceMs = nowMs;
      this.#lastKey = '';
      return false;
    }
    if (decision.kind === 'give-way') {
      // When that has ended the loop is woken.
      operations.giveWay(decision.reason);
      return false;
    }
    const key = decisionKey(decision);
    const failed = this.#failed.get(key);
    const isKnown = failed !== undefined && nowMs - failed.untilMs < tellAgainMs;
    try {
      const act = async (): Promise<true> => {
        await this.#act(decision);
        return true;
      };
      // Who is in sync is so when all have heard of it, and no sooner.
      const isToldBehind = isInSyncDecision(decision);
      const isToldNow = !isKnown && !isToldBehind;
      // Votes are asked for before their event is written down: a failover waits for no disk.
      if (isToldNow && decision.kind !== 'stand') this.#say(decision, key);
      const acting = isBesidePlans(decision) ? operations.beside(act) : operations.unplanned(act);
      if (isToldNow) this.#say(decision, key);
      const isDone = await acting;
      // Something planned has begun since it looked, and wakes the loop when it is over.
      if (!isDone) return false;
      if (isToldBehind) this.#say(decision, key);
      this.#failed.delete(key);
      return true;
    } catch (error) {
      const pauseMs = isKnown ? Math.min(2 * failed.pauseMs, longestRetryMs) : retryMs;
      this.#failed.set(key, { untilMs: setting.clock.monotonicMs() + pauseMs, pauseMs });
      setTimeout(() => this.wake(), pauseMs).unref();
      // There may be something else to do.
      this.#again = true;
      if (isKnown) return false;
      this.#deployment.events.add(
        'action-failed',
        subjectOf(decision),
        `${decision.kind} failed: ${errorText(error)}`,
      );
      return false;
    }
  }

  #isPutOff(decision: Decision, nowMs: number): boolean {
    if (this.#failed.size === 0) return false;
    return nowMs < (this.#failed.get(decisionKey(decision))?.untilMs ?? 0);
  }

  /**
   * The gates find out for themselves; being told is sooner. HAProxy, when it starts, takes every member for the
   * primary until it has checked it, so each process of a gate is told anew.
   */
  #tellGates(view: View): void {
    const primary = view.operation === null ? actingPrimary(view) : null;
    if (primary === null) return;
    const { place } = this.#deployment.member(primary.id);
    // A gate may hear members whom this agent can't.
    const epoch = hasVoters(view) ? undefined : namedPrimary(view)?.epoch;
    for (const { place: gate, unit, adapter } of this.#deployment.gates) {
      if (!unit?.process.running || adapter.seen.state === 'down') continue;
      const news = `${primary.id} ${unit.process.pid}`;
      if (this.#told.get(gate.id) === news) continue;
      this.#told.set(gate.id, news);
      // A gate that does not listen is told again at the next look.
      adapter.switchTo(place, epoch).catch(() => this.#told.delete(gate.id));
    }
  }

  #wakeIn(ms: number): void {
    if (ms < tickMs) this.#later = setTimeout(() => this.wake(), Math.max(1, ms));
  }

  #say(decision: Step, key: string): void {
    if (key === this.#lastKey) return;
    this.#lastKey = key;
    this.#deployment.events.add(eventKinds[decision.kind], subjectOf(decision), decision.reason);
  }
}

function subjectOf(decision: Step): string {
  return 'member' in decision ? decision.member : decision.process;
}
