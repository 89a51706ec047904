/**
 * Servers, Sentinels and the agents that watch them, in memory and with a clock of the test's. Messages take time, keep
 * their order on a connection, and are lost with whoever they go to; an agent sees what has arrived and no more.
 */
import type { AlarmClock } from '../../src/base/clock.ts';
import type { Caller } from '../../src/redis/connection.ts';
import { RedisRefused, RedisUnreachable } from '../../src/redis/errors.ts';
import type { Role } from '../../src/redis/role.ts';
import { ReplyError } from '../../src/resp/read.ts';
import { TrialServer } from './trial-server.ts';
import { sentinelsThatKnowEachOther, type VotingSentinel } from './voting-sentinel.ts';

export const trialName = 'trial';

interface Message {
  atMs: number;
  order: number;
  run: () => void;
}

export class TrialWorld {
  readonly servers: TrialServer[];
  readonly sentinels: VotingSentinel[];
  readonly #latencies: readonly number[];
  readonly #queue: Message[] = [];
  readonly #lastOn = new Map<string, number>();
  /** Ids of Sentinels that answer nobody. */
  readonly silent = new Set<string>();
  readonly tilted = new Set<string>();
  /** No Sentinel believes what it is told of a new primary. */
  deafToHellos = false;
  /** By Sentinel: the server to which it has no connection at this moment. */
  readonly deafTo = new Map<string, string>();
  readonly #listeners: ((sentinel: VotingSentinel, name: string, message: string) => void)[] = [];
  #messages = 0;
  #order = 0;
  #nowMs = 1_000_000;

  /** @param latencies of each message, one after the other, in ms */
  constructor(latencies: readonly number[] = [1]) {
    this.#latencies = latencies;
    const place = (i: number) => ({
      ...{ id: `redis-${i}`, host: `host-${i}` },
      ...{ address: `10.1.0.${i}`, port: 6379 },
    });
    this.servers = [1, 2, 3].map((i) => new TrialServer(place(i), i === 1 ? null : 'redis-1'));
    this.sentinels = sentinelsThatKnowEachOther(3, '10.1.0.1:6379');
  }

  readonly clock: AlarmClock = {
    wallMs: () => this.#nowMs,
    monotonicMs: () => this.#nowMs,
    after: (ms, run) => {
      const alarm = { atMs: this.#nowMs + ms, order: this.#order++, run };
      this.#queue.push(alarm);
      return () => {
        const place = this.#queue.indexOf(alarm);
        if (place >= 0) this.#queue.splice(place, 1);
      };
    },
  };

  server(id: string): TrialServer {
    return this.servers.find(({ place }) => place.id === id) as TrialServer;
  }

  at(where: { address: string; port: number } | null): TrialServer | undefined {
    return this.servers.find(({ place }) => place.address === where?.address && place.port === where.port);
  }

  /** Lets time pass in which nobody does anything. */
  skip(ms: number): void {
    this.#nowMs += ms;
  }

  /** Hears what Sentinels publish, as it happens. */
  listen(listener: (sentinel: VotingSentinel, name: string, message: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Has something arrive after what was sent before on the same connection. */
  send(connection: string, run: () => void): void {
    const latencyMs = this.#latencies[this.#messages++ % this.#latencies.length] as number;
    const atMs = Math.max(this.#nowMs + latencyMs, this.#lastOn.get(connection) ?? 0);
    this.#lastOn.set(connection, atMs);
    this.#queue.push({ atMs, order: this.#order++, run });
  }

  /** A question and its answer. It never settles when nobody answers, or nobody is left to hear it. */
  ask<T>(connection: string, answers: () => boolean, answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.send(`to ${connection}`, () => {
        if (!answers()) return;
        try {
          const found = answer();
          this.send(`from ${connection}`, () => resolve(found));
        } catch (error) {
          this.send(`from ${connection}`, () => reject(error as Error));
        }
      });
    });
  }

  /**
   * Lets time pass, message by message, until the condition holds.
   * @param idle is called when nothing is on its way, before time goes on. @returns whether the condition came to hold
   */
  async until(holds: () => boolean, withinMs: number, idle: () => void = () => {}): Promise<boolean> {
    const endMs = this.#nowMs + withinMs;
    while (!holds()) {
      if (this.#nowMs > endMs) return false;
      this.#queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.#queue.shift();
      if (next === undefined) {
        idle();
        // What waits for real time (the loop, a switchover) has a little of it. However fast or slow this machine is, the
        // trial's time goes by no faster than four times as fast.
        const before = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 1));
        this.#nowMs += Math.min(longestIdleMs, 4 * (performance.now() - before));
        continue;
      }
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await turn();
    }
    return true;
  }

  /**
   * Lets time pass until this has settled. @param meanwhile is called whenever nothing is on its way
   * @param onMessage is called before each message arrives, and then too
   */
  async settle<T>(
    change: Promise<T>,
    meanwhile: () => void = () => {},
    onMessage: () => void = () => {},
  ): Promise<T> {
    let over = false;
    const ends = () => {
      over = true;
    };
    void change.then(ends, ends);
    const isOver = () => {
      onMessage();
      return over;
    };
    await this.until(isOver, 600_000, meanwhile);
    return change;
  }

  /** The Sentinels make known that a majority of them agrees that this server is down. */
  agreeDown(id: string): void {
    const { address, port } = this.server(id).place;
    const naming = this.sentinels.filter(({ primary }) => primary === `${address}:${port}`);
    for (const sentinel of naming.filter((each) => !this.silent.has(each.id))) {
      const message = `master ${trialName} ${address} ${port} #quorum 2/2`;
      for (const listener of this.#listeners) listener(sentinel, '+odown', message);
    }
  }

  /** A server publishes where the Sentinels listen: each hears it a moment later, but for what it is told of itself. */
  publish(from: TrialServer, hellos: readonly string[]): void {
    if (this.deafToHellos) return;
    for (const sentinel of this.sentinels) {
      const deaf = this.silent.has(sentinel.id) || this.deafTo.get(sentinel.id) === from.place.id;
      for (const text of deaf ? [] : hellos) {
        this.send(`${from.place.id} to ${sentinel.id}`, () =>
          this.#changed(sentinel, () => sentinel.hello(text)),
        );
      }
    }
  }

  /** Every 2 s each Sentinel tells its colleagues. */
  gossip(): void {
    const heard = this.sentinels.filter(({ id }) => !this.silent.has(id));
    for (const each of heard)
      for (const other of heard) if (other !== each) this.#changed(each, () => each.hears(other));
  }

  /** What a Sentinel answers to a command. */
  sentinelReply(sentinel: VotingSentinel, args: readonly unknown[]): unknown {
    const [command, what] = args;
    if (command === 'PUBLISH' && this.deafToHellos) return 1;
    if (command === 'PUBLISH') return this.#changed(sentinel, () => sentinel.hello(String(args[2])));
    if (what === 'SENTINELS') {
      return sentinel.colleagues.map(({ address, port, runId }) => [
        ...['ip', address, 'port', String(port)],
        ...['runid', runId],
      ]);
    }
    if (what !== 'IS-MASTER-DOWN-BY-ADDR') throw new TypeError(`the double knows no ${command} ${what}`);
    const [address, port, epoch, runId] = args.slice(2);
    return this.#changed(sentinel, () => {
      const vote = sentinel.vote(`${address}:${port}`, Number(epoch), String(runId), this.#nowMs);
      return [0, vote.votedFor, vote.epoch];
    });
  }

  /** Publishes what a command changed in a Sentinel. */
  #changed<T>(sentinel: VotingSentinel, change: () => T): T {
    const { currentEpoch, leaderEpoch, primary } = sentinel;
    const found = change();
    const publish = (name: string, message: string) => {
      for (const listener of this.#listeners) listener(sentinel, name, message);
    };
    if (sentinel.currentEpoch > currentEpoch) publish('+new-epoch', String(sentinel.currentEpoch));
    if (sentinel.leaderEpoch > leaderEpoch)
      publish('+vote-for-leader', `${sentinel.leader} ${sentinel.leaderEpoch}`);
    if (sentinel.primary !== primary) {
      const words = [primary, sentinel.primary].map((each) => each.replace(':', ' '));
      publish('+switch-master', `${trialName} ${words.join(' ')}`);
    }
    return found;
  }
}

const longestIdleMs = 20;

/** Until everything that follows from a message was done. */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

const noReplicaOf = "NOPERM this user has no permissions to run the 'replicaof' command";

/** The commands that the code under test gives a server, over one connection. */
export class TrialServerClient {
  readonly #world: TrialWorld;
  readonly #server: TrialServer;
  readonly #send: <T>(answer: () => T) => Promise<T>;

  constructor(world: TrialWorld, server: TrialServer, send: <T>(answer: () => T) => Promise<T>) {
    this.#world = world;
    this.#server = server;
    this.#send = send;
  }

  replicaOf(primary: { address: string; port: number } | null): Promise<void> {
    const id = primary && (this.#world.at(primary)?.place.id ?? null);
    return this.#ask(() => {
      this.#refuse();
      this.#server.replicaOf(id);
    });
  }

  #refuse(): void {
    const cause = new ReplyError(noReplicaOf);
    if (this.#server.refuses)
      throw RedisRefused(`${this.#server.place.id} answered REPLICAOF with: ${noReplicaOf}`, { cause });
  }

  following(): Promise<{ user: string; password: string; refusal: string | null }> {
    return this.#ask(() => ({
      user: 'holdfast-replication',
      password: this.#server.masterAuth,
      refusal: this.#server.refuses ? noReplicaOf : null,
    }));
  }

  fence(epoch: number): Promise<void> {
    return this.#ask(() => {
      this.#server.fencedIn = epoch;
    });
  }

  promote(hellos: readonly string[]): Promise<void> {
    const carryOut = () => {
      this.#world.publish(this.#server, hellos);
      this.#server.replicaOf(null);
    };
    if (this.#server.hangsWhenPromoted) this.#server.hang(carryOut);
    return this.#ask(() => {
      this.#refuse();
      carryOut();
    });
  }

  role(): Promise<Role> {
    return this.#ask((): Role => {
      const { role, offset, follows } = this.#server;
      const following = this.#world.servers.filter((each) => each.follows === this.#server.place.id);
      if (role === 'primary')
        return { role, offset, replicas: following.map((each) => ({ ...each.place, offset })) };
      const { address = '', port = 0 } = follows === null ? {} : this.#world.server(follows).place;
      return { role, primaryAddress: address, primaryPort: port, link: 'connected', offset };
    });
  }

  pauseWrites(forMs: number): Promise<void> {
    return this.#ask(() => this.#server.pause(this.#world.clock.monotonicMs(), forMs));
  }

  async roleInPause(forMs: number): Promise<Role> {
    const [, role] = await Promise.all([this.pauseWrites(forMs), this.role()]);
    return role;
  }

  unpauseWrites(): Promise<void> {
    return this.#ask(() => {
      this.#server.paused = false;
    });
  }

  unpauseReplaced(): Promise<void> {
    return this.unpauseWrites();
  }

  #ask<T>(answer: () => T): Promise<T> {
    return this.#send(() => {
      if (!this.#server.alive) throw RedisUnreachable(`nobody listens at ${this.#server.place.id}`);
      return answer();
    });
  }
}

/** A connection to a Sentinel. */
export function sentinelCaller(
  world: TrialWorld,
  sentinel: VotingSentinel,
  ask: <T>(answers: () => boolean, answer: () => T) => Promise<T>,
): Caller {
  return {
    call: (...args) =>
      ask(
        () => !world.silent.has(sentinel.id),
        () => world.sentinelReply(sentinel, args),
      ),
  };
}
