import cluster, { type Worker } from 'node:cluster';
import { type RestartRule, restartVerdict } from '../../topology/restart-budget.ts';
import { GateControlFailed, GateListenFailed } from '../errors.ts';
import { closeWhatIsLost } from './handed-over.ts';
import type { Answer, Call, Question } from './worker-calls.ts';

/** A worker is asked this often whether it still lives, and ends when it has not answered for so many times. */
const pingMs = 1000;
const missedPings = 5;
/** Before it listens it reads its code and connects: on a busy machine that takes a while. */
const missedBeforeReady = 60;

export interface SlotEvents {
  log(text: string): void;
  /** Its process listens: the first, or one in the place of another that ended. */
  onReady(slot: WorkerSlot): void;
  /** Its process ended. When `failed`, it is not started again. */
  onEnded(slot: WorkerSlot): void;
}

/**
 * The place of one worker: the process that is in it now, or when the next one is started. One that ends, however, or
 * that hangs, is replaced at once, later with a pause that grows, and no more when its budget is used up: the same
 * rule as for every process of a deployment.
 */
export class WorkerSlot {
  readonly index: number;
  readonly #rule: RestartRule;
  readonly #events: SlotEvents;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #worker: Worker | null = null;
  #ready = false;
  #wanted = true;
  #lastId = 0;
  #missed = 0;
  #restartsMs: number[] = [];
  #pinging: NodeJS.Timeout | undefined;
  #restarting: NodeJS.Timeout | undefined;
  #restarts = 0;
  #failed = false;

  constructor(index: number, rule: RestartRule, events: SlotEvents) {
    this.index = index;
    this.#rule = rule;
    this.#events = events;
  }

  /** How many processes were started after the first. */
  get restarts(): number {
    return this.#restarts;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** It listens, and takes calls. */
  get running(): boolean {
    return this.#ready && this.#worker?.isConnected() === true;
  }

  /** Nothing is left of it. */
  get gone(): boolean {
    return this.#worker === null;
  }

  /** Starts the first process and waits until it listens. @throws GATE_LISTEN when it ends before that */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const early = (how: string) => {
        this.#wanted = false;
        const why = `a worker ended with ${how} before it listened; its own line says why`;
        reject(GateListenFailed(why));
      };
      this.#fork(resolve, early);
    });
  }

  /** The worker's answer. @throws GATE_CONTROL when it says no, ends, or is late */
  ask(call: Call, withinMs: number): Promise<unknown> {
    const worker = this.#worker;
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(id);
      };
      const fail = (why: string) => {
        end();
        reject(GateControlFailed(why));
      };
      const timer = setTimeout(() => fail(`worker ${this.index} does not answer`), withinMs);
      this.#waiting.set(id, {
        resolve: (value) => {
          end();
          resolve(value);
        },
        reject: (error) => fail(error.message),
      });
      if (worker === null) fail(`worker ${this.index} does not run`);
      else {
        worker.send({ ...call, id } satisfies Question, (error) => {
          if (error !== null) fail(`worker ${this.index}: ${error.message}`);
        });
      }
    });
  }

  /** From now on a worker that ends is not replaced. */
  retire(): void {
    this.#wanted = false;
    clearTimeout(this.#restarting);
  }

  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  #fork(onReady: () => void, onEarlyEnd: (how: string) => void): void {
    const worker = cluster.fork({ HOLDFAST_GATE_WORKER: String(this.index) });
    closeWhatIsLost(worker.process);
    this.#worker = worker;
    this.#ready = false;
    this.#missed = 0;
    this.#pinging = setInterval(() => this.#ping(), pingMs);
    worker.on('message', (message: Answer | 'ready') => {
      if (message !== 'ready') this.#onAnswer(message);
      else {
        this.#ready = true;
        this.#missed = 0;
        onReady();
        this.#events.onReady(this);
      }
    });
    // What can't be sent to a process that is ending is told by its end.
    worker.on('error', () => {});
    worker.on('exit', (code, signal) => {
      clearInterval(this.#pinging);
      this.#worker = null;
      const how = signal ?? `status ${code}`;
      for (const waiter of [...this.#waiting.values()]) {
        waiter.reject(new Error(`worker ${this.index} ended with ${how}`));
      }
      if (!this.#ready) onEarlyEnd(how);
      this.#ready = false;
      this.#onExit(how);
    });
  }

  /** Counts what went unanswered, not the time: this process may have stood still itself. */
  #ping(): void {
    if (this.#missed >= (this.#ready ? missedPings : missedBeforeReady)) {
      this.#events.log(`worker ${this.index} does not answer any more: it is killed`);
      this.#missed = 0;
      this.kill();
      return;
    }
    this.#missed++;
    const answered = () => {
      this.#missed = 0;
    };
    if (this.#ready) this.ask({ call: 'ping' }, pingMs * missedPings * 2).then(answered, () => {});
  }

  #onExit(how: string): void {
    const died = performance.now();
    if (!this.#wanted) {
      this.#events.onEnded(this);
      return;
    }
    const verdict = restartVerdict(this.#restartsMs, died, died, this.#rule);
    if (verdict.kind === 'exhausted') {
      this.#failed = true;
      const { limit, withinMs } = this.#rule;
      const budget = `${limit} restarts within ${withinMs} ms`;
      this.#events.log(
        `worker ${this.index} ended with ${how} again after ${budget}: it is not started any more`,
      );
    } else {
      const pauseMs = verdict.kind === 'now' ? 0 : verdict.untilMs - died;
      const when = pauseMs === 0 ? '' : ` in ${Math.round(pauseMs)} ms`;
      this.#events.log(`worker ${this.index} ended with ${how}; starting another${when}`);
      this.#restarting = setTimeout(() => this.#restart(), pauseMs);
    }
    this.#events.onEnded(this);
  }

  #restart(): void {
    this.#restarts++;
    this.#restartsMs.push(performance.now());
    const nothing = () => {};
    this.#fork(nothing, nothing);
  }

  #onAnswer({ id, result, error }: Answer): void {
    const waiter = this.#waiting.get(id);
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(new Error(error));
  }
}
