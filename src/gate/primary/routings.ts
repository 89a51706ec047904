import { writeError } from '../../resp/write.ts';
import type { Client } from '../client/client.ts';
import type { Listener, Routing } from '../client/listener.ts';
import type { Refusal } from '../client/refusal.ts';
import type { Command } from '../commands/command-table.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import type { QuorumReads } from '../upstream/quorum-reads.ts';
import type { UpstreamOptions } from '../upstream/upstream-options.ts';
import type { Holding } from './primary-state.ts';
import type { PrimaryWatch } from './primary-watch.ts';
import type { ReplicaWatch } from './replica-watch.ts';

const scriptRefused = writeError(
  "READONLY You can't write against a read only replica: no replica is fit, and on the primary this may write.",
);
const scriptRefusedAlone = writeError(
  "READONLY You can't write here: this may write, and goes to a standalone server, which would let it.",
);
/** Whether it may write keys without having the flag `write`. */
const mayWriteUnseen = ({ name, behaviour }: Command): boolean =>
  /^(eval|evalsha|fcall)$/.test(name) || behaviour.kind === 'foreign';

/** The read-write port: everything goes to the primary. */
export class PrimaryRouting implements Routing {
  readonly confirm: UpstreamOptions['confirm'];
  readonly confirmsReads = false;
  readonly leads: Routing['leads'];
  readonly #watch: PrimaryWatch;
  readonly refuses = false;

  constructor(watch: PrimaryWatch, confirm: UpstreamOptions['confirm'], leads: Routing['leads']) {
    this.confirm = confirm;
    this.leads = leads;
    this.#watch = watch;
  }

  targetFor(): MemberAddress | null {
    return this.#watch.primary;
  }

  isTarget(member: MemberAddress): boolean {
    return member === this.#watch.primary;
  }

  holding(): Holding {
    return this.#watch.holding;
  }

  onLost(target: MemberAddress, reason: string): void {
    this.#watch.onLost(target, reason);
  }

  onRefusal(target: MemberAddress, refusal: Refusal): boolean {
    return refusal === 'readonly' ? this.#watch.onReadonly(target) : this.#watch.onNotReady(target);
  }

  refuse(): null {
    return null;
  }

  keeps(): boolean {
    return false;
  }

  forget(): void {}
}

/** The read-only port: each client has a fit replica, the one with fewest clients when it needs one. */
export class ReplicaRouting implements Routing {
  readonly confirm: UpstreamOptions['confirm'];
  readonly confirmsReads: boolean;
  readonly leads = undefined;
  readonly refuses = true;
  readonly #quorum: QuorumReads | null;
  readonly #config: GateConfig;
  readonly #watch: PrimaryWatch;
  readonly #replicas: ReplicaWatch;
  readonly #table: { readonly loaded: boolean };
  readonly #chosen = new Map<Client, MemberAddress>();
  #turn = 0;
  #listener: Listener | null = null;

  constructor(
    config: GateConfig,
    watch: PrimaryWatch,
    replicas: ReplicaWatch,
    table: { readonly loaded: boolean },
    quorum: QuorumReads | null,
  ) {
    this.#quorum = quorum;
    this.confirm = quorum?.confirm ?? null;
    this.confirmsReads = quorum !== null;
    this.#config = config;
    this.#watch = watch;
    this.#replicas = replicas;
    this.#table = table;
  }

  /** Whose load is looked at. */
  serveAt(listener: Listener | null): void {
    this.#listener = listener;
  }

  targetFor(client: Client): MemberAddress | null {
    if (this.#config.standalone && !this.#table.loaded) return null;
    const { fit } = this.#replicas;
    const before = this.#chosen.get(client);
    // Its own connection, and what the server knows of it there, stays where it is while that replica may be read from.
    const own = client.place.own?.closed === false ? client.place.own.target : undefined;
    if (own !== undefined && (this.isTarget(own) || this.keeps(own, client))) return own;
    // What is in flight is answered by the replica that has it; only between requests is there a choice.
    if (before !== undefined && client.inFlight > 0 && fit.includes(before)) return before;
    const { prefers } = client.place;
    if (prefers !== null && fit.includes(prefers)) return prefers;
    let best: MemberAddress | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const member of fit) {
      const load = (this.#listener?.connections.loadOf(member) ?? 0) * 2 + (member === before ? 0 : 1);
      if (load < least) {
        best = member;
        least = load;
      }
    }
    if (best === null) return this.#fallback;
    // With nothing in flight anywhere, newcomers take turns.
    if (before === undefined) best = least > 1 ? best : (fit[this.#turn++ % fit.length] as MemberAddress);
    this.#chosen.set(client, best);
    return best;
  }

  isTarget(member: MemberAddress): boolean {
    const { fit } = this.#replicas;
    return fit.includes(member) || (fit.length === 0 && member === this.#watch.primary);
  }

  /** The primary would take the writes that a replica refuses: until it is known which commands write, nothing goes there. */
  get #fallback(): MemberAddress | null {
    return this.#readsAtPrimary && this.#table.loaded ? this.#watch.primary : null;
  }

  get #readsAtPrimary(): boolean {
    return this.#config.readsAtPrimary || this.#config.replicaFallback === 'primary';
  }

  /** A subscription that moves misses messages: it stays through a moment in which its replica may not be read from. */
  keeps(member: MemberAddress, { session }: Client): boolean {
    return session.standing && this.#replicas.wasFit(member);
  }

  forget(client: Client): void {
    this.#chosen.delete(client);
  }

  holding(): Holding {
    return 'none';
  }

  /** A server may end connections that nobody uses (`timeout`): that says nothing of it. */
  onLost(target: MemberAddress, _reason: string, inUse: boolean): void {
    if (inUse) this.#replicas.exclude(target);
  }

  onRefusal(target: MemberAddress, refusal: Refusal): boolean {
    if (refusal !== 'not-ready') return false;
    this.#replicas.exclude(target);
    return this.#replicas.fit.length > 0;
  }

  refuse(_client: Client, command: Command): Buffer | null {
    if (command.write) return writeError("READONLY You can't write against a read only replica.");
    if (this.#quorum !== null && this.#quorum.refusal !== null) return writeError(this.#quorum.refusal);
    const isFollower = this.#replicas.fit.length > 0;
    // A standalone server refuses nothing.
    if (isFollower && this.#config.standalone) return mayWriteUnseen(command) ? scriptRefusedAlone : null;
    if (isFollower) return null;
    if (this.#readsAtPrimary) {
      // A replica refuses what a script writes; the primary would not.
      return mayWriteUnseen(command) ? scriptRefused : null;
    }
    return writeError(`NOREPLICA no replica is within ${this.#config.maxLagMs} ms of the primary`);
  }
}
