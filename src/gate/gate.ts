import { errorText } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { Buffered } from './client/buffered.ts';
import type { Client } from './client/client.ts';
import { Listener, type ListenerContext } from './client/listener.ts';
import { CommandTable } from './commands/command-table.ts';
import { type GateConfig, takePasswords } from './config.ts';
import { listClients } from './control/client-infos.ts';
import { Control } from './control/control.ts';
import type {
  DrainRequest,
  GateClients,
  GateStatus,
  HoldRequest,
  HoldResult,
  MoveRequest,
  PlacesRequest,
  SwitchRequest,
} from './control/control-api.ts';
import type { ControlTarget } from './control/control-server.ts';
import { Counters } from './control/counters.ts';
import { ownProcess } from './control/merged-status.ts';
import { PrimaryWatch } from './primary/primary-watch.ts';
import { ReplicaWatch } from './primary/replica-watch.ts';
import { PrimaryRouting, ReplicaRouting } from './primary/routings.ts';
import { AckWatch } from './upstream/ack-watch.ts';
import { BlockedWatch } from './upstream/blocked-watch.ts';
import type { ConnectionView } from './upstream/connection-view.ts';
import { Durability, type DurabilitySources } from './upstream/durability.ts';
import { LoginCheck, type LoginInUse } from './upstream/login-check.ts';
import { openOwnLink } from './upstream/open-link.ts';
import { ServerRuns } from './upstream/server-runs.ts';
import { Strangers } from './upstream/strangers.ts';

const drainPollMs = 1;
/** COMMAND's answer is long, and a busy server takes its time. */
const tableWithinMs = 5000;
/**
 * Reading it takes longer than all else that a gate does before its first client is answered: it comes after that. Where it
 * failed the server may have been busy: soon again, and then less often, ms.
 */
const tableAfterMs = { first: 50, most: 2000 };
/** How often a change of passwords at a member itself is looked for. */
const accessMs = 2000;

/** One gate process: its listeners, who is primary, and control. */
export class Gate implements ControlTarget {
  readonly #config: GateConfig;
  readonly #log: (text: string) => void;
  readonly #table = new CommandTable();
  readonly #counters = new Counters();
  readonly #watch: PrimaryWatch;
  readonly #replicas: ReplicaWatch;
  readonly #durability: Durability | null;
  readonly #readWrite: Listener;
  readonly #readOnly: Listener | null;
  #control: Control | null = null;
  /** Set while the table of commands is to be loaded, or is being loaded. */
  #tableTimer: NodeJS.Timeout | undefined;
  #tablePauseMs = tableAfterMs.first;
  readonly #strangers: Strangers;
  readonly #logins: LoginCheck;
  readonly #acks: AckWatch;
  readonly #blocked: BlockedWatch;
  #accessTimer: NodeJS.Timeout | undefined;
  #draining: Promise<void> | null = null;
  #stopped = false;
  /** Settles when a drain has ended. */
  readonly finished: Promise<void>;
  #finish: () => void = () => {};

  /** @param ids how clients are numbered */
  constructor(config: GateConfig, log: (text: string) => void, ids = { first: 1, step: 1 }) {
    this.#config = config;
    this.#log = log;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#strangers = new Strangers(config.tls, () => this.#retire('default'));
    this.#logins = new LoginCheck(config.tls, (user) => this.#retire(user));
    this.#acks = new AckWatch(config, () => this.#watch.primary);
    this.#blocked = new BlockedWatch(config);
    let lastId = ids.first - ids.step;
    const context: ListenerContext = {
      config,
      log,
      table: this.#table,
      counters: this.#counters,
      buffered: new Buffered(config.limits.totalBytes),
      strangers: this.#strangers,
      runs: new ServerRuns(config),
      acks: this.#acks,
      blocked: this.#blocked,
      retire: (user) => this.#retire(user),
      primaryLoads: () => this.#watch.loads,
      nextId: () => {
        lastId += ids.step;
        return lastId;
      },
    };
    this.#watch = new PrimaryWatch(config, log, {
      onChange: () => queueMicrotask(() => this.#onChange()),
      onTry: (who) => (who === 'one' ? this.#readWrite.held.pumpOne() : this.#readWrite.held.pumpAll()),
    });
    this.#replicas = new ReplicaWatch(config, this.#watch.members, log, () => this.#readOnly?.goOn());
    const sources: DurabilitySources = {
      members: this.#watch.members,
      primary: () => this.#watch.primary,
      replaced: () => this.#watch.replaced,
      switches: () => this.#watch.switches,
      majority: () => this.#watch.majority,
      eligibility: () => this.#watch.eligibility(),
      log,
    };
    this.#durability = config.durability === 'replicated' ? new Durability(config, sources) : null;
    const routing = new PrimaryRouting(this.#watch, this.#durability?.confirm ?? null);
    this.#readWrite = new Listener(context, routing);
    const reading = new ReplicaRouting(config, this.#watch, this.#replicas, this.#table);
    this.#readOnly = config.replicaListen ? new Listener(context, reading) : null;
    reading.listener = this.#readOnly;
  }

  get #listeners(): Listener[] {
    return this.#readOnly === null ? [this.#readWrite] : [this.#readWrite, this.#readOnly];
  }

  /** Opens both ports and the control socket. @throws GATE_LISTEN, GATE_CONTROL */
  async start(): Promise<void> {
    const { listen, replicaListen } = this.#config;
    this.#watch.start();
    await this.#readWrite.listen(listen);
    if (replicaListen) await this.#readOnly?.listen(replicaListen);
    this.#accessTimer = setInterval(() => this.#lookAtAccess(), accessMs);
    this.#control = await Control.open(this.#config, this);
  }

  /** The ports, as given by the system when 0 was asked for. */
  get ports(): { port: number; replicaPort: number | null } {
    return { port: this.#readWrite.port, replicaPort: this.#readOnly?.port ?? null };
  }

  status(): GateStatus {
    const { primary, holding } = this.#watch;
    const longHeld = this.#watch.heldForMs > this.#config.holdMs;
    const state = holding === 'none' ? 'open' : holding === 'all' && longHeld ? 'refusing' : 'holding';
    const sum = (of: (listener: Listener) => number) =>
      this.#listeners.reduce((total, listener) => total + of(listener), 0);
    this.#counters.switches = this.#watch.switches;
    return {
      id: this.#config.id,
      pid: process.pid,
      state,
      reason: this.#watch.reason ?? this.#durability?.reason ?? null,
      primary,
      primarySince: this.#watch.primarySince,
      clients: sum((listener) => listener.clients.size),
      held: sum((listener) => listener.held.size),
      heldLately: sum((listener) => listener.held.mostLately),
      sentinelsSeen: this.#watch.sentinelsSeen,
      sentinelsNeeded: this.#watch.majority,
      predecessor: this.#watch.predecessor,
      connections: {
        shared: sum((listener) => listener.connections.counts.shared),
        private: sum((listener) => listener.connections.counts.private),
      },
      commandsKnown: this.#table.loaded,
      ...this.#counters.read(),
      ...this.#table.counted(),
      process: ownProcess(),
      workers: { wanted: 1, running: 1, restarts: 0 },
    };
  }

  connections(): ConnectionView[] {
    return this.#listeners.flatMap((listener) => listener.connections.views);
  }

  clients(): GateClients {
    return listClients(this.#readWrite, this.#readOnly);
  }

  async hold(request: HoldRequest): Promise<HoldResult> {
    this.#watch.holdWrites(request.reason, request.maxMs);
    try {
      const drained = () => this.#readWrite.connections.writesInFlight === 0;
      await waitFor(drained, { what: 'the writes in flight', withinMs: request.maxMs, everyMs: drainPollMs });
      return { drained: true };
    } catch {
      return { drained: false };
    }
  }

  switch(request: SwitchRequest): Promise<void> {
    return this.#watch.switchTo(request, request.epoch ?? null);
  }

  release(): void {
    this.#watch.release();
  }

  places({ members, sentinels, passwords }: PlacesRequest): void {
    if (passwords !== undefined) takePasswords(this.#config, passwords);
    this.#watch.replacePlaces(members, sentinels);
  }

  async move({ to, onlyCheck }: MoveRequest): Promise<void> {
    await this.#watch.moveTo(to, onlyCheck === true);
    // Another server may know other commands.
    this.#loadTableSoon();
  }

  drain({ graceMs }: DrainRequest): void {
    this.#draining ??= this.#drain(graceMs);
  }

  /** Takes no one in, lets every client finish what it sent, then says goodbye. */
  async #drain(graceMs: number): Promise<void> {
    this.#log(`draining: ${this.status().clients} clients`);
    for (const listener of this.#listeners) listener.stopListening();
    const done = () => {
      for (const listener of this.#listeners) listener.closeIdle();
      return this.#listeners.every((listener) => listener.clients.size === 0);
    };
    try {
      await waitFor(done, { what: 'clients to finish', withinMs: graceMs, everyMs: 10 });
    } catch (error) {
      this.#log(errorText(error));
    }
    this.stop();
    this.#finish();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#tableTimer);
    clearInterval(this.#accessTimer);
    this.#watch.stop();
    this.#replicas.stop();
    this.#durability?.stop();
    this.#acks.stop();
    this.#blocked.stop();
    this.#control?.close();
    for (const listener of this.#listeners) {
      listener.stopListening();
      for (const client of [...listener.clients]) client.close();
      listener.connections.closeAll();
    }
  }

  /** Nobody new gets a connection of this user, or of anybody (null), that was made until now. */
  #retire(user: string | null): void {
    this.#strangers.doubt();
    for (const listener of this.#listeners) listener.connections.retireUser(user);
  }

  /** A password that was changed at a member itself is asked of those who have been here with another, or none, too. */
  #lookAtAccess(): void {
    const { primary, holding } = this.#watch;
    if (primary === null || holding !== 'none') return;
    const clients = this.#listeners.flatMap((listener) => [...listener.clients]);
    // The connections of clients tell of a member that is lost.
    if (clients.some(({ session }) => session.identity.login === null))
      this.#strangers.ask(primary).catch(() => {});
    void this.#logins.look(clients.flatMap(loginOf));
  }

  #onChange(): void {
    const { holding } = this.#watch;
    this.#durability?.onChange();
    if (holding === 'none' && this.#readOnly !== null) this.#replicas.follow(this.#watch.primary);
    this.#readWrite.goOn();
    this.#readOnly?.goOn();
    if (holding === 'none' && !this.#table.loaded) this.#loadTableSoon();
  }

  #loadTableSoon(): void {
    this.#tableTimer ??= setTimeout(async () => {
      await this.#loadTable();
      this.#tableTimer = undefined;
      this.#tablePauseMs = Math.min(this.#tablePauseMs * 2, tableAfterMs.most);
      if (this.#table.loaded) this.#readOnly?.goOn();
      else if (!this.#stopped && this.#watch.holding === 'none') this.#loadTableSoon();
    }, this.#tablePauseMs);
  }

  /** Learns from the primary which command is which. */
  async #loadTable(): Promise<void> {
    const { primary } = this.#watch;
    if (primary === null) return;
    const link = openOwnLink(primary, this.#config, { timeoutMs: tableWithinMs });
    try {
      this.#table.load(await link.call(['COMMAND']));
    } catch (error) {
      this.#log(`cannot read the table of commands: ${errorText(error)}`);
    } finally {
      link.close();
    }
  }
}

/** As whom a client uses a connection now; nothing when it uses none, or did not log in. */
function loginOf({ place, session }: Client): LoginInUse[] {
  const { current } = place;
  const { login } = session.identity;
  return login === null || current === null || current.closed || current.retired
    ? []
    : [{ member: current.target, login }];
}
