import type { Client } from './client/client.ts';
import { Listener, type ListenerContext } from './client/listener.ts';
import type { Endpoint, GateConfig, MemberAddress } from './config.ts';
import { PrimaryWatch } from './primary/primary-watch.ts';
import { ReplicaWatch } from './primary/replica-watch.ts';
import { PrimaryRouting, ReplicaRouting } from './primary/routings.ts';
import { AckWatch } from './upstream/ack-watch.ts';
import { BlockedWatch } from './upstream/blocked-watch.ts';
import { Durability, type DurabilitySources } from './upstream/durability.ts';
import { LoginCheck, type LoginInUse, type RefusedLogin } from './upstream/login-check.ts';
import { leadsNow } from './upstream/probe.ts';
import { QuorumReads } from './upstream/quorum-reads.ts';
import { ServerRuns } from './upstream/server-runs.ts';
import { Strangers } from './upstream/strangers.ts';

/** What all that a gate sends to has in common. */
export type Shared = Pick<
  ListenerContext,
  'log' | 'table' | 'counters' | 'buffered' | 'retire' | 'nextId' | 'copies' | 'room'
> & {
  /** The primary, or what is held, changed. */
  onChange: () => void;
  /** These are not let in here any more. */
  onRefused: (refused: readonly RefusedLogin[]) => void;
};

/**
 * Where a gate sends to: a deployment, or one server. It knows who is primary there, whom that lets in, and has the connections
 * of each port. A gate has one, and one more for each route.
 */
export class Backend {
  readonly config: GateConfig;
  readonly watch: PrimaryWatch;
  readonly durability: Durability | null;
  readonly readWrite: Listener;
  readonly readOnly: Listener | null;
  readonly #replicas: ReplicaWatch;
  readonly #quorum: QuorumReads | null;
  readonly #strangers: Strangers;
  readonly #logins: LoginCheck;
  readonly #acks: AckWatch;
  readonly #blocked: BlockedWatch;

  /** @param config its own; `first` the gate's first, whose clients come to this one by a route */
  constructor(config: GateConfig, shared: Shared, first: Backend | null = null) {
    const { log, table, retire } = shared;
    this.config = config;
    this.#strangers = new Strangers(config.tls, () => retire('default'));
    this.#logins = new LoginCheck(config.tls, (refused) => {
      for (const user of new Set(refused.map(({ login }) => login.user))) retire(user);
      shared.onRefused(refused);
    });
    this.#acks = new AckWatch(config, () => this.watch.primary);
    this.#blocked = new BlockedWatch(config);
    const context: ListenerContext = {
      ...shared,
      config,
      strangers: this.#strangers,
      runs: new ServerRuns(config),
      acks: this.#acks,
      blocked: this.#blocked,
      primaryLoads: () => this.watch.loads,
      isPatient: () => this.watch.isPatient,
    };
    this.watch = new PrimaryWatch(config, log, {
      onChange: () =>
        queueMicrotask(() => {
          this.#onChange();
          shared.onChange();
        }),
      onTry: (who) => (who === 'one' ? this.readWrite.held.pumpOne() : this.readWrite.held.pumpAll()),
    });
    this.#replicas = new ReplicaWatch(config, this.watch.members, log, () => this.readOnly?.goOn());
    this.durability =
      config.durability === 'replicated' ? new Durability(config, this.#sources(shared)) : null;
    const leads = config.standalone ? (member: MemberAddress) => leadsNow(member, config) : undefined;
    const routing = new PrimaryRouting(this.watch, this.durability?.confirm ?? null, leads);
    this.readWrite = new Listener(context, routing, first?.readWrite.clients);
    this.#quorum = config.confirmsReads ? new QuorumReads(config, this.#sources(shared)) : null;
    const reading = new ReplicaRouting(config, this.watch, this.#replicas, table, this.#quorum);
    this.readOnly = config.replicaListen ? new Listener(context, reading, first?.readOnly?.clients) : null;
    reading.serveAt(this.readOnly);
  }

  #sources({ log, counters }: Pick<Shared, 'log' | 'counters'>): DurabilitySources {
    return {
      members: this.watch.members,
      primary: () => this.watch.primary,
      replaced: () => this.watch.replaced,
      switches: () => this.watch.switches,
      majority: () => this.watch.majority,
      eligibility: () => this.watch.eligibility(),
      onLossySwitch: () => counters.count('lossySwitches'),
      log,
    };
  }

  get listeners(): Listener[] {
    return this.readOnly === null ? [this.readWrite] : [this.readWrite, this.readOnly];
  }

  goOn(): void {
    for (const listener of this.listeners) listener.goOn();
  }

  /** Who is to be primary soon is known: what clients will need there is opened while they wait. */
  prepareFor(next: Endpoint): void {
    const member = this.watch.prepareFor(next);
    // What follows from the hold comes first: it closes what leads nowhere.
    if (member !== null) queueMicrotask(() => this.readWrite.connections.prepareAt(member));
  }

  #onChange(): void {
    const { holding, primary } = this.watch;
    this.durability?.onChange();
    if (holding === 'none' && this.readOnly !== null) this.#replicas.follow(primary);
    this.goOn();
  }

  /** Nobody new gets a connection of this user, or of anybody (null), that was made until now. */
  retire(user: string | null): void {
    this.#strangers.doubt();
    for (const listener of this.listeners) listener.connections.retireUser(user);
  }

  /** A password that was changed at a member itself is asked of these, who have been here with another, or none, too. */
  lookAtAccess(clients: readonly Client[]): void {
    const { primary, holding } = this.watch;
    if (primary === null || holding !== 'none') return;
    // The connections of clients tell of a member that is lost.
    if (clients.some(({ session }) => session.identity.login === null))
      this.#strangers.ask(primary).catch(() => {});
    void this.#logins.look(clients.flatMap((client) => loginOf(client, primary)));
  }

  stop(): void {
    this.watch.stop();
    this.#replicas.stop();
    this.durability?.stop();
    this.#quorum?.stop();
    this.#acks.stop();
    this.#blocked.stop();
  }
}

/** As whom a client uses a connection now; nothing when it uses none, or did not log in. */
function loginOf({ place, session }: Client, primary: MemberAddress): LoginInUse[] {
  const { current } = place;
  const { login } = session.identity;
  if (login === null) return [];
  // Where another user stands in for it, it was let in here: whatever its connection is.
  if (session.standIn !== null) return [{ member: primary, login }];
  return current === null || current.closed || current.retired ? [] : [{ member: current.target, login }];
}
