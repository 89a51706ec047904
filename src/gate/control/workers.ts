import cluster, { type Worker } from 'node:cluster';
import type { Server } from 'node:http';
import { errorText } from '../../base/errors.ts';
import type { GateConfig } from '../config.ts';
import { GateControlFailed, GateListenFailed } from '../errors.ts';
import type { Gate } from '../gate.ts';
import type { DrainRequest, GateStatus, HoldRequest, HoldResult, SwitchRequest } from './control-api.ts';
import { type ControlTarget, serveControl } from './control-server.ts';
import { mergeStatuses, ownProcess } from './merged-status.ts';

/**
 * `workers: N`: one process serves control and starts N others, which share the doors and each do what a single
 * gate does: own connections, own watch over the Sentinels. A call of the control API goes to all of them; it is
 * done when all have done it. A worker that dies is replaced.
 */
type Call =
  | { call: 'status' }
  | { call: 'hold'; body: HoldRequest }
  | { call: 'switch'; body: SwitchRequest }
  | { call: 'release' }
  | { call: 'drain'; body: DrainRequest };
type Question = Call & { id: number };
interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

const answerMs = 10_000;

/** The process that starts the others. */
export class WorkerPool implements ControlTarget {
  readonly #config: GateConfig;
  readonly #log: (text: string) => void;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;
  #draining = false;
  #control: Server | null = null;
  readonly finished: Promise<void>;
  #finish: () => void = () => {};

  constructor(config: GateConfig, log: (text: string) => void) {
    this.#config = config;
    this.#log = log;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Starts the workers and waits until each listens. @throws GATE_LISTEN, GATE_CONTROL */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#config.workers }, (_, index) => this.#fork(index)));
    if (this.#config.controlSocket !== null)
      this.#control = await serveControl(this.#config.controlSocket, this);
  }

  async status(): Promise<GateStatus> {
    const all = (await this.#askAll({ call: 'status' })) as GateStatus[];
    if (all.length === 0) throw GateControlFailed('no worker runs');
    return mergeStatuses(all, { id: this.#config.id, process: ownProcess() });
  }

  async hold(body: HoldRequest): Promise<HoldResult> {
    const results = (await this.#askAll({ call: 'hold', body }, body.maxMs)) as HoldResult[];
    return { drained: results.every(({ drained }) => drained) };
  }

  async switch(body: SwitchRequest): Promise<void> {
    await this.#askAll({ call: 'switch', body });
  }

  async release(): Promise<void> {
    await this.#askAll({ call: 'release' });
  }

  drain(body: DrainRequest): void {
    if (this.#draining) return;
    this.#draining = true;
    void this.#askAll({ call: 'drain', body }).catch((error: unknown) => this.#log(errorText(error)));
  }

  stop(): void {
    this.#draining = true;
    this.#control?.close();
    for (const worker of workers()) worker.kill('SIGKILL');
  }

  #fork(index: number): Promise<void> {
    const worker = cluster.fork({ HOLDFAST_GATE_WORKER: String(index) });
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Answer | 'ready') => {
        if (message === 'ready') resolve();
        else this.#onAnswer(message);
      });
      worker.on('exit', (code, signal) => {
        reject(
          GateListenFailed(`a worker ended with ${signal ?? code} before it listened; its own line says why`),
        );
        if (this.#draining) {
          if (workers().length === 0) this.#end();
        } else if (worker.exitedAfterDisconnect !== true && code !== 1 && code !== 2) {
          this.#log(`worker ${index} ended with ${signal ?? code}; starting another`);
          this.#fork(index).catch((error: unknown) => this.#log(errorText(error)));
        }
      });
    });
  }

  #end(): void {
    this.#control?.close();
    this.#control?.closeAllConnections();
    this.#finish();
  }

  #askAll(call: Call, moreMs = 0): Promise<unknown[]> {
    return Promise.all(workers().map((worker) => this.#ask(worker, call, answerMs + moreMs)));
  }

  #ask(worker: Worker, call: Call, withinMs: number): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`worker ${worker.id} does not answer`), withinMs);
      const fail = (why: string) => {
        clearTimeout(timer);
        worker.off('exit', onExit);
        this.#waiting.delete(id);
        reject(GateControlFailed(why));
      };
      const onExit = () => fail(`worker ${worker.id} ended`);
      worker.once('exit', onExit);
      this.#waiting.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          worker.off('exit', onExit);
          resolve(value);
        },
        reject: (error) => fail(error.message),
      });
      worker.send({ ...call, id } satisfies Question);
    });
  }

  #onAnswer({ id, result, error }: Answer): void {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(new Error(error));
  }
}

function workers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected()) as Worker[];
}

/** In a worker: does what the first process asks for. */
export function obeyPool(gate: Gate): void {
  process.on('message', (question: Question) => {
    const answer = (reply: Omit<Answer, 'id'>) => process.send?.({ id: question.id, ...reply });
    perform(gate, question).then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: errorText(error) }),
    );
  });
  process.send?.('ready');
}

async function perform(gate: Gate, question: Question): Promise<unknown> {
  switch (question.call) {
    case 'status':
      return gate.status();
    case 'hold':
      return gate.hold(question.body);
    case 'switch':
      return gate.switch(question.body);
    case 'release':
      return gate.release();
    case 'drain':
      return gate.drain(question.body);
  }
}
