import { type GateConfig, isPredecessor, type MemberAddress } from '../config.ts';
import { type ConnectionView, viewOf } from './connection-view.ts';
import { graceOf } from './grace.ts';
import { userOf } from './identity.ts';
import { isFull, type OpenOptions, openUpstream } from './open-upstream.ts';
import { Patience } from './patience.ts';
import { PlainSession } from './plain-session.ts';
import { isPartial } from './run.ts';
import type { ServerRuns } from './server-runs.ts';
import { Stuck } from './stuck.ts';
import type { Restorable, Tenant } from './tenant.ts';
import { Alone, giveUp, leaveSilent, silentMs } from './unanswered.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamOptions } from './upstream-options.ts';
import { IdleUpstreams, kindOf, type Shared, SharedUpstreams } from './upstreams.ts';

/** What the connections need of the listener that uses them. */
export interface ConnectionsOwner extends Pick<UpstreamOptions, 'confirm' | 'confirmsReads'> {
  readonly config: GateConfig;
  /** Writes wait, or everything does. */
  readonly holding: 'none' | 'writes' | 'all';
  /** The member for this client's requests now; null when there is none, or everything is held. */
  targetFor(client: Tenant): MemberAddress | null;
  /** Where servers would take clients' requests whoever leads: whether this one leads, by its own word now. Else undefined. */
  readonly leads: ((member: MemberAddress) => Promise<boolean>) | undefined;
  /** For how long everything has been held, in ms; 0 while it is not. */
  readonly lostForMs: number;
  /** Whether clients may be sent to this member now. */
  isTarget(member: MemberAddress): boolean;
  /** Whether this client keeps its own connection to a member that is no target. */
  keeps(member: MemberAddress, client: Tenant): boolean;
  readonly clients: ReadonlySet<Tenant>;
  readonly runs: ServerRuns;
  /** The client must wait until something changes. */
  hold(client: Tenant): void;
  retrySoon(client: Tenant): void;
  /** A connection could not be made, or broke; `inUse`: somebody needed it. */
  onLost(target: MemberAddress, reason: string, inUse: boolean): void;
  /** The member does not let this client's session in. */
  onRefused(client: Tenant, error: string): void;
}

/** A shared connection that had no answer for so long, in ms, is left to those who wait there. */
const stuckMs = 100;
const stuckCheckMs = 50;
/** So many kinds of shared connections are opened at a member before it is primary. */
const mostPrepared = 16;

/**
 * The connections to members behind one listener. Plain requests of all clients that are alike (same user, database
 * and protocol) share one connection to a member. A client whose session is more than that holds has its own; it
 * is given back, for the next client that is alike, when the session is plain again.
 */
export class Connections {
  readonly #owner: ConnectionsOwner;
  readonly #shared = new SharedUpstreams();
  readonly #idle = new IdleUpstreams();
  /** Every connection that is in use, to count what is in flight. */
  readonly #open = new Set<Upstream>();
  readonly #owners = new Map<Upstream, Tenant>();
  readonly #stuckTimer: NodeJS.Timeout;
  readonly #stuck = new Stuck();
  readonly #alone = new Alone();
  readonly #patience = new Patience();

  constructor(owner: ConnectionsOwner) {
    this.#owner = owner;
    this.#stuckTimer = setInterval(() => this.#leaveStuck(), stuckCheckMs).unref();
  }

  get counts(): { shared: number; private: number } {
    return { shared: this.#shared.size, private: this.#open.size - this.#shared.size };
  }

  /** Every connection that waits for nothing, for comparison with what its server says of it. */
  get views(): ConnectionView[] {
    return [
      ...this.#shared.all.map(({ upstream, session }) => viewOf(upstream, 'shared', session)),
      ...this.#idle.all.map(({ upstream, session }) => viewOf(upstream, 'idle', session)),
      ...[...this.#owners].map(([upstream, { session }]) => viewOf(upstream, 'own', session)),
    ].filter((view) => view !== null);
  }

  /** Requests to this member that wait for an answer. */
  loadOf(target: MemberAddress): number {
    let load = 0;
    for (const upstream of this.#open) if (upstream.target === target) load += upstream.ring.size;
    return load;
  }

  /** Writes were sent that are not answered. */
  get hasWritesInFlight(): boolean {
    for (const upstream of this.#open) if (upstream.hasWrites) return true;
    return false;
  }

  /** Which connection takes a client's next request; null: it waits. See Router.route. */
  route(client: Tenant, writes: boolean, own: boolean): Upstream | null {
    if (writes && this.#owner.holding !== 'none') {
      this.#owner.hold(client);
      return null;
    }
    const { place, session } = client;
    if (own || place.own !== null || session.needsOwnConnection) return this.#ownRoute(client);
    return place.route ?? this.#sharedRoute(client);
  }

  #sharedRoute(client: Tenant): Upstream | null {
    const target = this.#owner.targetFor(client);
    if (target === null) {
      this.#owner.hold(client);
      return null;
    }
    const shared = this.#sharedFor(client, target);
    if (!shared.upstream.ready) {
      shared.waiting.add(client);
      return null;
    }
    if (!this.#moveTo(client, shared.upstream)) return null;
    client.place.routeTo(shared.upstream);
    return shared.upstream;
  }

  #ownRoute(client: Tenant): Upstream | null {
    // What it began in a transaction, as a SCAN, goes on in the next.
    const target = client.place.preferringLast(() => this.#owner.targetFor(client));
    if (target === null) {
      this.#owner.hold(client);
      return null;
    }
    const { place } = client;
    place.reroute();
    const { own } = place;
    if (own !== null && own.target !== target) {
      if (!client.idle()) {
        this.#expire(own, 0);
        return null;
      }
      this.dropOwn(client);
    }
    const upstream = place.own ?? this.#giveOwn(client, target);
    if (upstream.closed || !upstream.ready || !this.#moveTo(client, upstream)) return null;
    return upstream;
  }

  giveBack(client: Tenant): void {
    const { place, session } = client;
    const { own } = place;
    if (own === null || !own.ready || client.inFlight > 0 || session.needsOwnConnection) return;
    place.forget(own);
    this.#disown(own);
    if (this.#owner.isTarget(own.target) && own.proven) this.#idle.put(own, session);
    else own.destroy('no longer needed');
  }

  dropOwn(client: Tenant): void {
    const own = client.place.leaveOwn();
    if (own === null) return;
    this.#disown(own);
    own.destroy('no longer needed');
  }

  /** The client goes where other connections lead. */
  leave(client: Tenant): void {
    this.giveBack(client);
    this.dropOwn(client);
    for (const shared of this.#shared.all) shared.waiting.delete(client);
  }

  #disown(upstream: Upstream): void {
    upstream.giveTo(null);
    this.#owners.delete(upstream);
  }

  forget(client: Tenant): void {
    client.place.current?.drop(client);
    this.dropOwn(client);
    for (const shared of this.#shared.all) shared.waiting.delete(client);
  }

  /**
   * Behind a script that does not end, or a write that CLIENT PAUSE stops, nothing is answered on that connection;
   * on another one the server says BUSY, answers reads, and takes what ends it.
   */
  #leaveStuck(): void {
    for (const client of this.#stuck.free(stuckMs)) if (!client.closed) client.onIdle();
    for (const { upstream } of this.#shared.all) {
      if (upstream.stuckMs < stuckMs) continue;
      this.#retire(upstream);
      const head = upstream.ring.peek()?.client;
      const behind = upstream.ring.find((run) => run.client !== null && run.client !== head)?.client;
      if (behind === undefined || behind === null) {
        this.#alone.add(upstream);
        continue;
      }
      this.#stuck.add(upstream);
      // The one whose opening shows whether the server answers anybody.
      this.#sharedFor(behind as Tenant, upstream.target);
    }
    for (const { client, upstream } of this.#alone.due()) this.#sharedFor(client, upstream.target);
    const { lostForMs, config } = this.#owner;
    if (lostForMs > config.holdMs) giveUp(this.#open, config.holdMs);
  }

  /** It stands still: whoever is not in its queue uses a fresh one. */
  #retire(upstream: Upstream): void {
    upstream.retire();
    this.#shared.remove(upstream);
    for (const { place } of this.#owner.clients) if (place.route === upstream) place.reroute();
  }

  /** Connections of this user, or of everybody (null), serve those who wait for an answer there, and nobody else. */
  retireUser(user: string | null): void {
    this.#idle.clear();
    for (const shared of this.#shared.all) {
      if (user !== null && userOf(shared.session.presented) !== user) continue;
      this.#retire(shared.upstream);
      if (shared.upstream.ring.size === 0) shared.upstream.destroy('the rights of its user changed');
    }
  }

  /**
   * Where clients are to be sent changed: nobody keeps the way it had. @param lostForMs for how long the primary has not
   * answered: what a former one was sent before, it has had that time for. One that is back may have connections left that
   * are dead: after a fault of the network TCP tries them again after as long as it lasted.
   */
  reroute(clients: Iterable<Tenant>, lostForMs: number): void {
    this.#idle.clear();
    for (const upstream of this.#open) {
      if (this.#stays(upstream)) {
        if (lostForMs > 0 && upstream.silentMs >= silentMs) leaveSilent(upstream);
        continue;
      }
      // Half a write was not waited for: what comes of it yet would be written where nobody looks any more.
      if (upstream.ring.size > 0 && !upstream.ring.some(isPartial)) this.#expire(upstream, lostForMs);
      else upstream.abandon('it leads to a former primary');
    }
    for (const { place } of clients) place.reroute();
  }

  #stays(upstream: Upstream): boolean {
    const { target } = upstream;
    const owner = this.#owners.get(upstream);
    return this.#owner.isTarget(target) || (owner !== undefined && this.#owner.keeps(target, owner));
  }

  /** Subscriptions and their like are put up again though the client asks for nothing. */
  standAgain(client: Tenant): void {
    if (!client.closed && !client.closing && client.place.own === null && client.session.standing)
      this.#ownRoute(client);
  }

  closeAll(): void {
    clearInterval(this.#stuckTimer);
    for (const upstream of this.#open) upstream.destroy('the gate stops');
  }

  #expire(upstream: Upstream, lostForMs: number): void {
    if (upstream.expiring) return;
    upstream.expire();
    const blocked = upstream.ring.peek()?.handler?.waits === true && !upstream.hears;
    const { silentMs: forMs } = upstream;
    const end = () => {
      upstream.endExpiry();
      if (!this.#stays(upstream)) upstream.abandon('it leads to a former primary and does not answer');
    };
    setTimeout(end, graceOf({ blocked, lostForMs, silentMs: forMs }));
  }

  /** Makes this the connection that the client's requests go to, once those before are answered. */
  #moveTo(client: Tenant, upstream: Upstream): boolean {
    const { place } = client;
    if (place.current !== upstream && !client.idle()) return false;
    place.moveTo(upstream);
    return true;
  }

  /** Opens what is shared now at this member too, before anybody may be sent there. */
  prepareAt(target: MemberAddress): void {
    for (const { session } of this.#shared.all.slice(-mostPrepared)) this.#sharedFor({ session }, target);
  }

  #sharedFor(client: { readonly session: Restorable }, target: MemberAddress): Shared {
    const kind = kindOf(target, client.session);
    const known = this.#shared.get(kind);
    if (known !== undefined) return known;
    const session = new PlainSession(client.session.presented);
    const waiting = new Set<Tenant>();
    const upstream = openUpstream(session, target, this.#options(target), {
      onReady: () => {
        this.#stuck.onAnswered(target);
        pumpAll(waiting);
      },
      onSlow: (upstream) => this.#retire(upstream),
      onRefused: (_upstream, error) => {
        this.#stuck.onAnswered(target);
        const clients = [...waiting];
        waiting.clear();
        endRefused(upstream, error);
        for (const each of clients) this.#owner.onRefused(each, error);
      },
      onClosed: (_upstream, reason) => {
        this.#shared.remove(upstream);
        this.#onClosed(upstream, reason, waiting);
      },
    });
    const shared: Shared = { upstream, waiting, session };
    this.#shared.add(kind, shared, this.#owner.clients);
    this.#open.add(upstream);
    return shared;
  }

  #giveOwn(client: Tenant, target: MemberAddress): Upstream {
    const { session } = client;
    const idle = session.needsOwnConnection ? undefined : this.#idle.take(kindOf(target, session));
    const upstream: Upstream =
      idle ??
      openUpstream(session, target, this.#options(target), {
        onReady: () => this.#owners.get(upstream)?.onOwnReady(),
        onRefused: (_upstream, error) => {
          const owner = this.#owners.get(upstream);
          if (owner !== undefined) this.#owner.onRefused(owner, error);
          endRefused(upstream, error);
        },
        onClosed: (_upstream, reason) => {
          const owner = this.#owners.get(upstream);
          owner?.place.forget(upstream);
          this.#disown(upstream);
          this.#onClosed(upstream, reason, owner === undefined ? [] : [owner]);
        },
      });
    this.#open.add(upstream);
    upstream.giveTo(client);
    this.#owners.set(upstream, client);
    client.place.takeOwn(upstream);
    return upstream;
  }

  #options(target: MemberAddress): OpenOptions {
    const { config, runs, leads, confirmsReads } = this.#owner;
    const { limits, tls, id } = config;
    // Its replicas are none of the members, which alone are waited for.
    const confirm = isPredecessor(config, target) ? null : this.#owner.confirm;
    // One that is to be primary soon does not say so yet.
    const asks = leads !== undefined && this.#owner.isTarget(target);
    return {
      ...{ connectMs: limits.connectMs, tls, confirm, confirmsReads },
      ...{ patience: this.#patience, name: `holdfast-${id}` },
      // Asked while the connection opens.
      run: runs.nameOf(target),
      leads: asks ? () => leads(target) : undefined,
    };
  }

  /** What was in flight is carried over; then those who used it, or waited for it, go on or wait. */
  #onClosed(upstream: Upstream, reason: string, users: Iterable<Tenant>): void {
    this.#open.delete(upstream);
    const clients = new Set<Tenant>(users);
    const busyWith = upstream.silentMs >= silentMs ? upstream.ring.peek()?.client : undefined;
    let heard = upstream.hears;
    for (let run = upstream.ring.peek(); run !== undefined; run = upstream.ring.peek()) {
      if (run.client !== null) {
        // Whoever sends is a tenant: only the gate's own requests have nobody.
        clients.add(run.client as Tenant);
        const silent = run.client === busyWith;
        run.client.onRunLost(run, {
          server: upstream.atServer.run,
          sent: upstream.ring.sent > 0,
          ...{ silent, heard, refusal: upstream.reading.refusal },
        });
      }
      heard = false;
      upstream.ring.shift();
    }
    // Before anybody is told: who goes on at once must not send to what is gone.
    for (const { place } of this.#owner.clients) if (place.route === upstream) place.reroute();
    const inUse = clients.size > 0 || !upstream.ready;
    if (upstream.failed) this.#owner.onLost(upstream.target, reason, inUse);
    for (const client of clients) {
      if (client.closed) continue;
      client.place.forget(upstream);
      if (client.inFlight === 0) client.onIdle();
      if (!client.hasWork && !client.session.standing) continue;
      this.#owner.hold(client);
      this.#owner.retrySoon(client);
    }
  }
}

/** A server that lets one session not in may let in others. */
function endRefused(upstream: Upstream, error: string): void {
  if (/^(BUSY|WRONGPASS|NOPERM|NOAUTH) /.test(error) || isFull(error)) upstream.destroy(error);
  else upstream.fail(error);
}

function pumpAll(waiting: Set<Tenant>): void {
  const clients = [...waiting];
  waiting.clear();
  for (const client of clients) client.pump();
}
