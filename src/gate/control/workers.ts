import { errorText } from '../../base/errors.ts';
import type { GateConfig } from '../config.ts';
import { GateControlFailed, GateWorkersFailed } from '../errors.ts';
import type { ConnectionView } from '../upstream/connection-view.ts';
import { mergeClients } from './client-infos.ts';
import { Control } from './control.ts';
import type {
  DrainRequest,
  GateClients,
  GateStatus,
  HoldRequest,
  HoldResult,
  MoveRequest,
  PlacesRequest,
  SwitchRequest,
} from './control-api.ts';
import type { ControlTarget } from './control-server.ts';
import { mergeStatuses, ownProcess } from './merged-status.ts';
import type { Call } from './worker-calls.ts';
import { WorkerSlot } from './worker-slot.ts';

/**
 * `workers: N`: one process serves control and starts N others, which share the listeners and each do what a single
 * gate does: own connections, own watch over the Sentinels. A call of the control API goes to all of them; it is
 * done when all have done it. A worker that ends or hangs is replaced; when none may be started any more, this
 * process ends too, so that whoever watches it knows.
 */

const answerMs = 10_000;
/** What is told to one that has just started must not wait for its first look at the Sentinels. */
const tellMs = 2000;
/** After a drain's own grace, whoever still runs is killed. */
const drainMoreMs = 2000;

/** The process that starts the others. */
export class WorkerPool implements ControlTarget {
  readonly #config: GateConfig;
  readonly #log: (text: string) => void;
  readonly #slots: WorkerSlot[];
  #draining = false;
  /** What a worker that listens only now is told as well. */
  #drain: { body: DrainRequest; untilMs: number } | null = null;
  #killing: NodeJS.Timeout | undefined;
  #control: Control | null = null;
  /** The hold that a worker which starts now has to join. */
  #hold: { body: HoldRequest; untilMs: number } | null = null;
  /** @throws GATE_WORKERS when every worker failed */
  readonly finished: Promise<void>;
  #finish: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor(config: GateConfig, log: (text: string) => void) {
    this.#config = config;
    this.#log = log;
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // It is looked at only once everything listens.
    this.finished.catch(() => {});
    const events = {
      log,
      onReady: (slot: WorkerSlot) => this.#onReady(slot),
      onEnded: () => this.#onEnded(),
    };
    this.#slots = Array.from(
      { length: config.workers },
      (_, index) => new WorkerSlot(index, config.restarts, events),
    );
  }

  /** Starts the workers and waits until each listens. @throws GATE_LISTEN, GATE_CONTROL */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.start()));
    this.#control = await Control.open(this.#config, this);
  }

  async status(): Promise<GateStatus> {
    const all = (await this.#askAll({ call: 'status' })) as GateStatus[];
    if (all.length === 0) throw GateControlFailed('no worker runs');
    const status = mergeStatuses(all, { id: this.#config.id, process: ownProcess() });
    const restarts = this.#slots.reduce((total, slot) => total + slot.restarts, 0);
    const failed = this.#slots.filter((slot) => slot.failed);
    const missing = failed.map(({ index }) => `worker ${index} ended too often and is not started any more`);
    return {
      ...status,
      reason: [status.reason ?? [], missing].flat().join('; ') || null,
      workers: { wanted: this.#slots.length, running: all.length, restarts },
    };
  }

  async connections(): Promise<ConnectionView[]> {
    return ((await this.#askAll({ call: 'connections' })) as ConnectionView[][]).flat();
  }

  async clients(): Promise<GateClients> {
    return mergeClients((await this.#askAll({ call: 'clients' })) as GateClients[]);
  }

  async hold(body: HoldRequest): Promise<HoldResult> {
    this.#hold = { body, untilMs: performance.now() + body.maxMs };
    const results = (await this.#askAll({ call: 'hold', body }, body.maxMs)) as HoldResult[];
    return { drained: results.every(({ drained }) => drained) };
  }

  async switch(body: SwitchRequest): Promise<void> {
    this.#hold = null;
    await this.#askAll({ call: 'switch', body });
  }

  async release(): Promise<void> {
    this.#hold = null;
    await this.#askAll({ call: 'release' });
  }

  /** A worker that starts later reads them in the file. */
  async places(body: PlacesRequest): Promise<void> {
    await this.#askAll({ call: 'places', body });
  }

  async move(body: MoveRequest): Promise<void> {
    if (body.onlyCheck !== true) this.#hold = null;
    await this.#askAll({ call: 'move', body });
  }

  drain(body: DrainRequest): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#drain = { body, untilMs: performance.now() + body.graceMs };
    for (const slot of this.#slots) slot.retire();
    this.#killing = setTimeout(() => {
      this.#log('a worker does not end: it is killed');
      for (const slot of this.#slots) slot.kill();
    }, body.graceMs + drainMoreMs);
    void this.#askAll({ call: 'drain', body }).catch((error: unknown) => this.#log(errorText(error)));
    this.#onEnded();
  }

  stop(): void {
    this.#draining = true;
    this.#control?.close();
    for (const slot of this.#slots) {
      slot.retire();
      slot.kill();
    }
  }

  /** It knows nothing of a hold or a drain that began before it did. */
  #onReady(slot: WorkerSlot): void {
    const leftMs = (of: { untilMs: number } | null) =>
      of === null ? 0 : Math.max(of.untilMs - performance.now(), 0);
    const tell = (call: Call, moreMs: number) =>
      slot.ask(call, moreMs + tellMs).catch((error: unknown) => this.#log(errorText(error)));
    const [drain, hold] = [this.#drain, this.#hold];
    const maxMs = leftMs(hold);
    if (drain !== null) void tell({ call: 'drain', body: { graceMs: leftMs(drain) } }, 0);
    else if (hold !== null && maxMs > 0) void tell({ call: 'hold', body: { ...hold.body, maxMs } }, maxMs);
  }

  #onEnded(): void {
    const nobody = this.#slots.every((slot) => slot.gone);
    if (nobody && this.#draining) this.#end(this.#finish);
    else if (nobody && this.#slots.every(({ failed }) => failed)) {
      this.#end(() => {
        this.#fail(
          GateWorkersFailed(`all ${this.#slots.length} workers ended too often`, {
            hint: 'The lines before this one say how each ended.',
          }),
        );
      });
    }
  }

  #end(settle: () => void): void {
    clearTimeout(this.#killing);
    this.#control?.close();
    settle();
  }

  /** What every worker that runs answers. One that ends meanwhile has nothing to hold, to switch or to count. */
  async #askAll(call: Call, moreMs = 0): Promise<unknown[]> {
    const asked = this.#slots.filter((slot) => slot.running);
    const answers = await Promise.allSettled(asked.map((slot) => slot.ask(call, answerMs + moreMs)));
    const failed = answers.find(
      (answer, index): answer is PromiseRejectedResult =>
        answer.status === 'rejected' && asked[index]?.running === true,
    );
    if (failed !== undefined) throw failed.reason;
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }
}
