/**
 * A Redis Cluster as one source: each key is asked for where its slot is. One that moved is asked for where it went: MOVED
 * says that a slot has another owner now, ASK that one key is there already while its slot is on the way, TRYAGAIN and
 * CLUSTERDOWN that it can't be said at the moment. Keys of a slot that moves may be passed over by SCAN, or come twice; the
 * layout before and after tells whether that can have been.
 * Source: the Redis Cluster specification ("MOVED Redirection", "ASK redirection"), CLUSTER SLOTS.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { keySlot } from '../rdb/slot.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import { keysIn, type ServerFacts } from '../redis/server-facts.ts';
import { type Reply, ReplyError } from '../resp/read.ts';
import { MigrateRefused } from './errors.ts';
import { isRedirect, KeyReader, runsOf } from './key-reader.ts';
import type { Expiries, Held, KeyRun, KeySource } from './key-source.ts';
import type { ComingValue } from './long/coming-value.ts';
import { unrefused } from './wire.ts';

export interface SlotRange {
  from: number;
  to: number;
  host: string;
  port: number;
}

const mostTries = 40;
const tryAgainAfterMs = 50;

/** The primaries of CLUSTER SLOTS; none for what is no such answer. A node that does not know its address says none. */
export function parseSlots(reply: Reply | undefined): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((each) => {
    if (!Array.isArray(each)) return [];
    const [from, to, primary] = each;
    const [host, port] = Array.isArray(primary) ? primary : [];
    if (!Number.isInteger(from) || !Number.isInteger(to) || !Number.isInteger(port)) return [];
    return [{ from: from as number, to: to as number, host: String(host ?? ''), port: port as number }];
  });
}

type Redirected<T> = T | ReplyError;

export class ClusterReader implements KeySource {
  readonly where: string;
  readonly #options: ConnectionOptions;
  readonly #nodes = new Map<string, KeyReader>();
  readonly #owners = new Array<string>(16_384).fill('');

  constructor(options: ConnectionOptions, slots: readonly SlotRange[]) {
    this.#options = options;
    this.where = `the cluster of ${describeEndpoint(options.endpoint)}`;
    this.#learn(slots);
  }

  get primaries(): ConnectionOptions[] {
    return [...new Set(this.#owners)].filter((name) => name !== '').map((name) => this.#optionsOf(name));
  }

  async facts(): Promise<ServerFacts> {
    const all = await Promise.all([...new Set(this.#owners)].map((name) => this.#node(name).facts()));
    const [first] = all as [ServerFacts, ...ServerFacts[]];
    const keys = keysIn(all.flatMap(({ databases }) => databases));
    return { ...first, keys, databases: keys === 0 ? [] : [{ db: 0, keys }] };
  }

  async select(db: number): Promise<void> {
    if (db === 0) return;
    throw MigrateRefused(`${this.where} has database 0 only, and the target has keys in ${db}`, {
      hint: 'Empty that database of the target, or compare without it.',
    });
  }

  async *pages(count: number): AsyncGenerator<Buffer[]> {
    for (const name of new Set(this.#owners)) yield* this.#node(name).pages(count);
  }

  async randomKeys(count: number): Promise<Buffer[]> {
    const names = [...new Set(this.#owners)];
    const each = Math.ceil(count / names.length);
    return (await Promise.all(names.map((name) => this.#node(name).randomKeys(each)))).flat();
  }

  async exist(keys: readonly Buffer[]): Promise<boolean[]> {
    const replies = await this.#each(keys, (node, some) => node.existEach(some));
    // What is on its way is at one of two nodes: whoever looks at it again finds it.
    return replies.map((reply) => reply === 'asking' || reply === 1);
  }

  async types(keys: readonly Buffer[]): Promise<string[]> {
    const asking = async (node: KeyReader, key: Buffer) => await node.typeAsking(key);
    return (await this.#each(keys, (node, some) => node.typeEach(some), asking)).map(String);
  }

  async runs(keys: readonly Buffer[], areByChance = false): Promise<KeyRun[]> {
    const lengths = await Promise.all(
      this.#byOwner(keys).map(async ([name, indices]) => ({
        indices,
        found: await this.#node(name).lengths(
          indices.map((index) => keys[index] as Buffer),
          areByChance,
        ),
      })),
    );
    const all = new Array<number>(keys.length).fill(0);
    for (const { indices, found } of lengths) {
      for (const [at, index] of indices.entries()) all[index] = found[at] ?? 0;
    }
    return runsOf(keys, all);
  }

  async read(keys: readonly Buffer[], expiries?: Expiries): Promise<Held[]> {
    const found = await this.#each<Held | 'asking'>(
      keys,
      (node, some) => node.readEach(some, expiries),
      (node, key) => node.readAsking(key),
    );
    return found as Held[];
  }

  async open(key: Buffer): Promise<ComingValue | null> {
    const [found = null] = await this.#each<ComingValue | null>(
      [key],
      async (node) => [await node.openEach(key, false)],
      (node) => node.openEach(key, true),
    );
    return found as ComingValue | null;
  }

  async layout(): Promise<string> {
    await this.#refresh();
    return this.#owners.join();
  }

  close(): void {
    for (const node of this.#nodes.values()) node.close();
  }

  /** Asks each key's owner, and again where that has changed. */
  async #each<T>(
    keys: readonly Buffer[],
    ask: (node: KeyReader, keys: Buffer[]) => Promise<Redirected<T>[]>,
    asking?: (node: KeyReader, key: Buffer) => Promise<Redirected<T>>,
  ): Promise<(T | 'asking')[]> {
    const found: (T | 'asking')[] = new Array(keys.length);
    let left = keys.map((_, index) => index);
    for (let turn = 0; left.length > 0; turn++) {
      if (turn > 0) {
        await wait(turn === 1 ? 0 : tryAgainAfterMs);
        await this.#refresh();
      }
      const groups = this.#byOwner(keys, left);
      const answers = await Promise.all(
        groups.map(([name, indices]) =>
          ask(
            this.#node(name),
            indices.map((index) => keys[index] as Buffer),
          ),
        ),
      );
      left = [];
      for (const [at, [, indices]] of groups.entries()) {
        for (const [each, index] of indices.entries()) {
          let answer = answers[at]?.[each] as Redirected<T>;
          if (answer instanceof ReplyError && answer.kind === 'ASK') {
            if (asking === undefined) {
              found[index] = 'asking';
              continue;
            }
            answer = await asking(this.#node(addressIn(answer)), keys[index] as Buffer);
          }
          if (!(answer instanceof ReplyError)) found[index] = answer;
          else if (isRedirect(answer) && turn < mostTries) left.push(index);
          else unrefused([answer], this.where, 'a question for a key');
        }
      }
    }
    return found;
  }

  #byOwner(
    keys: readonly Buffer[],
    indices = keys.map((_, index) => index),
  ): [name: string, indices: number[]][] {
    const groups = new Map<string, number[]>();
    for (const index of indices) {
      const key = keys[index] as Buffer;
      const owner = this.#owners[keySlot(key, 0, key.length)] as string;
      const group = groups.get(owner);
      if (group === undefined) groups.set(owner, [index]);
      else group.push(index);
    }
    return [...groups];
  }

  async #refresh(): Promise<void> {
    let failure: unknown;
    for (const node of [...this.#nodes.values()]) {
      try {
        this.#learn(parseSlots(await node.link.call(['CLUSTER', 'SLOTS'])));
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #learn(slots: readonly SlotRange[]): void {
    const { endpoint } = this.#options;
    for (const { from, to, host, port } of slots) {
      const known = host === '' && 'host' in endpoint ? endpoint.host : host;
      this.#owners.fill(`${known} ${port}`, from, to + 1);
    }
    if (this.#owners.includes('')) {
      throw MigrateRefused(`${this.where} does not serve all slots`, {
        hint: 'Keys of the others can’t be read. redis-cli --cluster check says what is missing.',
      });
    }
    for (const name of new Set(this.#owners)) this.#node(name);
  }

  #node(name: string): KeyReader {
    const known = this.#nodes.get(name);
    if (known !== undefined && !known.link.closed) return known;
    const node = new KeyReader(this.#optionsOf(name), true);
    this.#nodes.set(name, node);
    return node;
  }

  #optionsOf(name: string): ConnectionOptions {
    const [host = '', port = ''] = name.split(' ');
    return { ...this.#options, endpoint: { host, port: Number(port) } };
  }
}

/** `ASK 3999 127.0.0.1:6381` */
function addressIn({ text }: ReplyError): string {
  const match = /^\w+ \d+ (.*):(\d+)$/.exec(text);
  return `${match?.[1] ?? ''} ${match?.[2] ?? ''}`;
}
