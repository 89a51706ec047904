/** The load of a drill: clients that write and read through the listeners, each one thing after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Request } from '../redis/link.ts';
import type { Listener } from '../testbed/listener.ts';
import { type Answer, DrillClient } from './client.ts';
import { type Ledger, outcomeOfError, type Write, type WriteKind } from './ledger.ts';

export interface LoadOptions {
  /** Clients that write. */
  clients: number;
  /** Writes a second, all clients together; null for as many as are answered. */
  writesPerSecond: number | null;
  /** Bytes of a string's value, at least. */
  valueBytes: number;
  /** The start of every key. */
  prefix: string;
}

const kinds: readonly WriteKind[] = ['list', 'register', 'counter', 'string', 'hash'];
/** Readers read this often; a client that was refused or lost its connection comes back after this. */
const readEveryMs = 4;
const retryMs = 20;
/** Between two writes of keys that do not stay, ms; and how many such keys there are. */
const fleetingEveryMs = 20;
const fleetingKeys = 64;
/** How long the last answers may take when the load ends. */
const lastAnswersMs = 5000;

interface Plan {
  write: Pick<Write, 'kind' | 'key' | 'value' | 'step'>;
  command: Request;
}

export class Load {
  readonly #ledger: Ledger;
  readonly #options: LoadOptions;
  readonly #clients: DrillClient[] = [];
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(ledger: Ledger, listeners: readonly Listener[], options: LoadOptions) {
    this.#ledger = ledger;
    this.#options = options;
    const toPrimary = listeners.filter(({ to }) => to === 'primary');
    const at = (i: number) => toPrimary[i % toPrimary.length] as Listener;
    for (let i = 0; i < options.clients; i++) this.#running.push(this.#write(this.#open(i, at(i)), i));
    const readers = [at(0), at(1), ...listeners.filter(({ to }) => to === 'replica').slice(0, 1)];
    for (const [i, listener] of readers.entries()) {
      const client = options.clients + i;
      this.#running.push(this.#read(this.#open(client, listener), client));
    }
    this.#running.push(this.#pass(this.#open(options.clients + readers.length, at(0))));
  }

  /** Waits for the last answers, then ends the connections. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const patience = new AbortController();
    const all = Promise.all(this.#running).then(() => patience.abort());
    await delay(lastAnswersMs, undefined, { signal: patience.signal }).catch(() => {});
    for (const client of this.#clients) client.close();
    await all;
  }

  #open(client: number, listener: Listener): DrillClient {
    const onDrop = () => {
      if (!this.#stopped) this.#ledger.drops.push({ client, listener: listener.id, atMs: performance.now() });
    };
    const made = new DrillClient(listener, onDrop);
    this.#clients.push(made);
    return made;
  }

  async #write(client: DrillClient, index: number): Promise<void> {
    const { clients, writesPerSecond } = this.#options;
    const everyMs = writesPerSecond === null ? 0 : (1000 * clients) / writesPerSecond;
    const steps = new Map<string, number>();
    const listener = client.listener.id;
    // Not all at the same moment.
    await delay((everyMs * index) / clients);
    let wantedMs: number | null = null;
    for (let turn = 0; !this.#stopped; turn++) {
      const plan = this.#plan(index, turn, steps);
      const sentMs = performance.now();
      wantedMs ??= sentMs;
      const answer = await client.call(...plan.command);
      const endMs = performance.now();
      const write = { ...plan.write, client: index, listener, sentMs, endMs, ...judge(answer) };
      this.#ledger.write(write);
      if (write.outcome === 'acknowledged') {
        this.#ledger.waits.push({ client: index, listener, endMs, waitMs: endMs - wantedMs });
        wantedMs = null;
      }
      const pauseMs = sentMs + everyMs - performance.now();
      if (answer.kind === 'broken') await delay(retryMs);
      else if (answer.kind === 'error' || pauseMs > 0) await delay(Math.max(1, pauseMs));
    }
  }

  #plan(client: number, turn: number, steps: Map<string, number>): Plan {
    const kind = kinds[turn % kinds.length] as WriteKind;
    const key = this.#keyOf(kind, client, turn);
    const step = steps.get(key) ?? 0;
    steps.set(key, step + 1);
    const name = `${client}.${step}`;
    const long = `${name}:`.padEnd(this.#options.valueBytes, 'x');
    const write = (value: string) => ({ kind, key, value, step });
    switch (kind) {
      case 'list':
        return { write: write(name), command: ['RPUSH', key, name] };
      case 'hash':
        return { write: write(`f${step}=${name}`), command: ['HSET', key, `f${step}`, name] };
      case 'counter':
        return { write: write(name), command: ['INCR', key] };
      default:
        return { write: write(long), command: ['SET', key, long] };
    }
  }

  /** Registers are shared: each client writes its own and its neighbour's in turn. */
  #keyOf(kind: WriteKind, client: number, turn: number): string {
    const { prefix, clients } = this.#options;
    if (kind !== 'register') return `${prefix}${kind}:${client}`;
    return this.#register((client + (Math.floor(turn / kinds.length) % 2)) % clients);
  }

  #register(i: number): string {
    return `${this.#options.prefix}register:${Math.floor(i / 2)}`;
  }

  /** Keys that expire, and keys that are deleted: who missed that holds in the end what nobody else does. */
  async #pass(client: DrillClient): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const key = `${this.#options.prefix}fleeting:${turn % fleetingKeys}`;
      this.#ledger.fleeting.add(key);
      const { kind } = await client.call(...passing(key, turn));
      await delay(kind === 'broken' ? retryMs : fleetingEveryMs);
    }
  }

  async #read(client: DrillClient, index: number): Promise<void> {
    const { clients, prefix } = this.#options;
    const { id: listener, to: from } = client.listener;
    for (let turn = 0; !this.#stopped; turn++) {
      const i = (turn >> 1) % clients;
      const key = turn % 2 === 0 ? this.#register(i) : `${prefix}string:${i}`;
      const sentMs = performance.now();
      const answer = await client.call('GET', key);
      const endMs = performance.now();
      if (answer.kind === 'reply') {
        const value = answer.reply === null ? null : String(answer.reply);
        this.#ledger.reads.push({ client: index, listener, from, key, value, sentMs, endMs });
      } else if (!this.#stopped) {
        this.#ledger.readErrors.push({ listener, endMs, error: answer.word });
      }
      await delay(answer.kind === 'broken' ? retryMs : readEveryMs);
    }
  }
}

/** Each key has a life of its own: it expires, or stays until it is deleted. */
function passing(key: string, turn: number): Request {
  const what = (turn + Math.floor(turn / fleetingKeys)) % 3;
  if (what === 0) return ['SET', key, `${turn}`, 'PX', 100 + ((turn * 37) % 3000)];
  return what === 1 ? ['SET', key, `${turn}`] : ['DEL', key];
}

function judge(answer: Answer): Pick<Write, 'outcome' | 'error' | 'answer'> {
  switch (answer.kind) {
    case 'reply':
      return typeof answer.reply === 'number'
        ? { outcome: 'acknowledged', answer: answer.reply }
        : { outcome: 'acknowledged' };
    case 'error':
      return { outcome: outcomeOfError(answer.word), error: answer.word };
    case 'broken':
      return { outcome: answer.sent ? 'unknown' : 'failed', error: answer.word };
  }
}
