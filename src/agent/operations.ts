/**
 * The one owner of change. Whatever is planned (a start, a switchover, a restart, a restore…) runs under a token that is
 * handed out here, and there is one token:
 *
 * 1. `begin` reserves at once, or refuses with what is under way. It returns when the loop's own step, if one is being
 *    carried out, has ended: planned and unplanned changes never overlap.
 * 2. A token's signal is aborted when whoever asked for the change goes away, and when the agent stops or leaves. Every
 *    loop and every wait of a planned change takes it. What can't be left half done is done first.
 *    Nothing is called given up that was carried out: a change that has come to its end by then says so (`unattended`).
 * 3. `stop` aborts the change under way, waits for its end, and only then hands out its own token. From the moment it is
 *    called nothing else begins, and nothing does afterwards unless its token is ended.
 * 4. Ending a token ends nobody else's: the end of a change that was aborted can't clear the state of the shutdown.
 * 5. As long as a planned change only waits for a better moment (`rest`), the loop does what there is to do: nobody else would bring
 *    that moment about. When the wait is over, the loop's step has ended. Not while the agent ends.
 * 6. A lost primary is more urgent than what is planned, which would wait for it in vain: `giveWay` aborts that, and the
 *    loop replaces the primary as soon as it has ended. Not a start, for there is nothing to go on with; not a failover
 *    on request, which replaces the primary itself; not an end of the agent.
 * 7. What is no change of plan, as the kill of a process that does nothing any more, or a new start of a gate that died, is carried
 *    out whatever is planned (`beside`): what is planned would wait for that process. Not while the agent ends.
 */
import { onAbort } from '../base/abort.ts';
import { errorText } from '../base/errors.ts';
import { OperationAborted, OperationUnderWay } from './errors.ts';

/** What a planned change is called where people read it. */
const words = {
  start: 'the start',
  stop: 'stopping',
  leave: 'leaving',
  switchover: 'a switchover',
  failover: 'a failover',
  restart: 'a restart',
  apply: 'applying the spec',
  restore: 'a restore',
  persistence: 'a change of persistence',
} as const;

export type OperationKind = keyof typeof words;

const givingWay: ReadonlySet<OperationKind> = new Set([
  'switchover',
  'restart',
  'apply',
  'restore',
  'persistence',
]);
/** How an agent ends: with everything that it runs, or leaving that running for the next agent. */
export type Ending = 'stop' | 'leave';

/** The token under which one planned change runs. */
export interface Operation {
  readonly kind: OperationKind;
  /** Aborted, with OPERATION_ABORTED as its reason, when the change is to end. */
  readonly signal: AbortSignal;
  /** How the agent ends, when that is why the change is to end. Under `stop` nothing may be started any more. */
  readonly ending: Ending | null;
  /** Waits for something and changes nothing meanwhile, so that the loop may. What was waited for may have passed by the end. */
  rest<T>(wait: () => Promise<T>): Promise<T>;
  /** Nobody waits for its end any more, and nothing speaks against what it has done: whoever asked gave it up, or the agent ends. */
  readonly unattended: boolean;
  /** To be called once it is over, however it ended. More than once does no harm. */
  end(): void;
}

export class Operations {
  #current: Token | null = null;
  #ending: Ending | null = null;
  #life = new AbortController();
  #unplanned: Promise<unknown> | null = null;
  readonly #onEnd: () => void;

  /** @param onEnd hears of each end, and each rest: there may be something to do that had to wait. */
  constructor(onEnd: () => void = () => {}) {
    this.#onEnd = onEnd;
  }

  /** The planned change that is under way, or null. */
  get current(): OperationKind | null {
    return this.#ending ?? this.#current?.kind ?? null;
  }

  /** The same, in words that complete "… is under way". */
  get description(): string | null {
    const { current } = this;
    return current === null ? null : words[current];
  }

  /** Whether what is under way is to end when the primary is lost, and was not told so yet. */
  get givesWay(): boolean {
    return this.#givingWay() !== null;
  }

  /** Whether what is under way only waits, so that the loop acts. */
  get rests(): boolean {
    return this.#ending === null && this.#current?.rests === true;
  }

  /** Whether what is under way is the end of the agent. */
  get ending(): boolean {
    return this.#ending !== null;
  }

  /** Whether gates and Sentinels that die are started again meanwhile: the agent's start starts them itself, and its end stops them. */
  get keepsHelpers(): boolean {
    return !this.ending && this.#current?.kind !== 'start';
  }

  /** Aborted when the agent ends: for what goes on beside or after a planned change. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  /**
   * Hands out the token. @param signal aborted when whoever asks goes away.
   * @throws OPERATION_UNDER_WAY when there is one, or the agent ends; OPERATION_ABORTED when nobody waits for it any more.
   */
  async begin(kind: OperationKind, { signal }: { signal?: AbortSignal } = {}): Promise<Operation> {
    const { description } = this;
    if (description !== null) throw underWay(description);
    const token = this.#newToken(kind, () => this.#ending);
    this.#current = token;
    if (signal !== undefined) token.follow(signal);
    await this.#unplanned;
    if (!token.signal.aborted) return token;
    token.end();
    throw token.signal.reason;
  }

  /** Runs a planned change under a token of its own. @throws OPERATION_UNDER_WAY, and whatever the change throws. */
  async run<T>(
    kind: OperationKind,
    options: { signal?: AbortSignal },
    change: (operation: Operation) => Promise<T>,
  ): Promise<T> {
    const operation = await this.begin(kind, options);
    try {
      return await change(operation);
    } finally {
      operation.end();
    }
  }

  /**
   * For the end of the agent: aborts what is under way, waits until it is over, and hands out the token for the rest.
   * @throws OPERATION_UNDER_WAY when the agent ends already.
   */
  async stop(ending: Ending): Promise<Operation> {
    if (this.#ending !== null) throw underWay(words[this.#ending]);
    this.#ending = ending;
    this.#life.abort(OperationAborted(`the agent ${agentEnds[ending]}`));
    const before = this.#current;
    before?.abort(OperationAborted(`${words[before.kind]} was given up: the agent ${agentEnds[ending]}`));
    await before?.over;
    const token = this.#newToken(ending, () => null);
    this.#current = token;
    await this.#unplanned;
    return token;
  }

  /** Aborts what is planned, if it is of a kind that gives way to a lost primary. @param why what was lost, as a sentence */
  giveWay(why: string): void {
    const token = this.#givingWay();
    token?.abort(OperationAborted(`${words[token.kind]} was given up: ${why}`));
  }

  #givingWay(): Token | null {
    const token = this.#current;
    return token !== null && givingWay.has(token.kind) && !token.signal.aborted ? token : null;
  }

  /**
   * Carries out one step of the loop, unless something planned is under way.
   * @returns what the step returned; undefined when it was not carried out.
   */
  async unplanned<T>(step: () => Promise<T>): Promise<T | undefined> {
    if (this.current !== null && !this.rests) return undefined;
    return this.beside(step);
  }

  /** The same of a step that changes nothing that may be planned: it is carried out unless the agent ends. */
  async beside<T>(step: () => Promise<T>): Promise<T | undefined> {
    if (this.ending || this.#unplanned !== null) return undefined;
    const running = step();
    this.#unplanned = running.catch(() => {});
    try {
      return await running;
    } finally {
      this.#unplanned = null;
    }
  }

  #newToken(kind: OperationKind, ending: () => Ending | null): Token {
    return new Token(kind, ending, {
      onRest: () => this.#onEnd(),
      stepEnds: async () => void (await this.#unplanned),
      onEnd: (token) => this.#ended(token),
    });
  }

  readonly #ended = (token: Token): void => {
    if (this.#current !== token) return;
    this.#current = null;
    // An end that failed, as of a server that would not stop: the agent goes on.
    if (token.kind === this.#ending) {
      this.#ending = null;
      this.#life = new AbortController();
    }
    this.#onEnd();
  };
}

const agentEnds: Record<Ending, string> = { stop: 'stops', leave: 'ends and leaves everything running' };

function underWay(description: string): Error {
  return OperationUnderWay(`${description} is under way`, {
    hint: 'Wait for it; holdfast status shows when it is over.',
  });
}

/** Whoever handed a token out, to that token. */
interface Issuer {
  onRest(): void;
  /** When the step that the loop is at, if any, has ended. */
  stepEnds(): Promise<void>;
  onEnd(token: Token): void;
}

class Token implements Operation {
  readonly kind: OperationKind;
  readonly over: Promise<void>;
  readonly #aborter = new AbortController();
  readonly #ending: () => Ending | null;
  readonly #issuer: Issuer;
  #end: () => void = () => {};
  #rests = false;
  #recalled = false;

  constructor(kind: OperationKind, ending: () => Ending | null, issuer: Issuer) {
    this.kind = kind;
    this.#ending = ending;
    this.#issuer = issuer;
    this.over = new Promise((resolve) => {
      this.#end = () => {
        issuer.onEnd(this);
        resolve();
      };
    });
  }

  get rests(): boolean {
    return this.#rests;
  }

  async rest<T>(wait: () => Promise<T>): Promise<T> {
    this.#rests = true;
    this.#issuer.onRest();
    try {
      return await wait();
    } finally {
      this.#rests = false;
      await this.#issuer.stepEnds();
    }
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get ending(): Ending | null {
    return this.#ending();
  }

  get unattended(): boolean {
    return this.#recalled || this.ending !== null;
  }

  end(): void {
    this.#end();
  }

  abort(reason: Error): void {
    this.#aborter.abort(reason);
  }

  /** Ends the change when whoever asked for it is gone. */
  follow(asker: AbortSignal): void {
    const stopListening = onAbort(asker, () => {
      this.#recalled = true;
      this.abort(OperationAborted(`${words[this.kind]} was given up: ${errorText(asker.reason)}`));
    });
    void this.over.then(stopListening);
  }
}
