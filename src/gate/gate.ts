import { errorText } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { Backend, type Shared } from './backend.ts';
import { Buffered } from './client/buffered.ts';
import type { Listener } from './client/listener.ts';
import { Room } from './client/room.ts';
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
import { RequestMirrors } from './mirrors/request-mirrors.ts';
import type { PrimaryWatch } from './primary/primary-watch.ts';
import { RouteBackends } from './routes/route-backends.ts';
import { Trouble } from './trouble.ts';
import type { ConnectionView } from './upstream/connection-view.ts';
import { openOwnLink } from './upstream/open-link.ts';
import { whyNotRenewed } from './upstream/open-socket.ts';

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
  readonly #tableTrouble: Trouble;
  readonly #tlsTrouble: Trouble;
  readonly #table = new CommandTable();
  readonly #counters = new Counters();
  readonly #room = new Room(() => this.#listeners.reduce((sum, each) => sum + each.openFiles, 0));
  /** Where everything goes that no route takes. */
  readonly #home: Backend;
  readonly #routes: RouteBackends;
  readonly #mirrors: RequestMirrors;
  #control: Control | null = null;
  /** Set while the table of commands is to be loaded, or is being loaded. */
  #tableTimer: NodeJS.Timeout | undefined;
  #tablePauseMs: number = tableAfterMs.first;
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
    this.#tableTrouble = new Trouble(log);
    this.#tlsTrouble = new Trouble(log);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#mirrors = new RequestMirrors(config, this.#table, log);
    let lastId = ids.first - ids.step;
    const shared: Shared = {
      log,
      table: this.#table,
      counters: this.#counters,
      buffered: new Buffered(config.limits.totalBytes),
      copies: this.#mirrors.any ? this.#mirrors : null,
      room: this.#room,
      retire: (user) => this.#retire(user),
      nextId: () => {
        lastId += ids.step;
        return lastId;
      },
      onRefused: (refused) => this.#routes.end(refused),
      onChange: () => {
        if (this.#home.watch.holding === 'none' && !this.#table.loaded) this.#loadTableSoon();
      },
    };
    this.#home = new Backend(config, shared);
    this.#routes = new RouteBackends(this.#home, shared);
  }

  get #watch(): PrimaryWatch {
    return this.#home.watch;
  }

  /** Of clients. */
  get #ports(): Listener[] {
    return this.#home.listeners;
  }

  /** Of connections: those of the ports, and of the routes behind them. */
  get #listeners(): Listener[] {
    return [...this.#ports, ...this.#routes.listeners];
  }

  /** Opens both ports and the control socket. @throws GATE_LISTEN, GATE_CONTROL */
  async start(): Promise<void> {
    const { listen, replicaListen } = this.#config;
    const short = this.#room.shortFor(this.#config.limits.clients);
    if (short !== null) this.#log(short);
    // Who can't listen looks for nobody.
    await this.#home.readWrite.listen(listen);
    if (replicaListen) await this.#home.readOnly?.listen(replicaListen);
    this.#watch.start();
    this.#routes.start();
    this.#accessTimer = setInterval(() => this.#lookAtAccess(), accessMs);
    this.#control = await Control.open(this.#config, this);
  }

  /** The ports, as given by the system when 0 was asked for. */
  get ports(): { port: number; replicaPort: number | null } {
    const { readWrite, readOnly } = this.#home;
    return { port: readWrite.port, replicaPort: readOnly?.port ?? null };
  }

  status(): GateStatus {
    const { primary, holding } = this.#watch;
    const longHeld = this.#watch.heldForMs > this.#config.holdMs;
    const state = holding === 'none' ? 'open' : holding === 'all' && longHeld ? 'refusing' : 'holding';
    const sum = (of: (listener: Listener) => number) =>
      this.#listeners.reduce((total, listener) => total + of(listener), 0);
    this.#counters.switchedTimes(this.#watch.switches);
    return {
      id: this.#config.id,
      pid: process.pid,
      state,
      reason: this.#watch.reason ?? this.#home.durability?.reason ?? null,
      primary,
      primarySince: this.#watch.primarySince,
      clients: this.#ports.reduce((total, { clients }) => total + clients.size, 0),
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
      routes: this.#routes.statuses,
      mirrors: this.#mirrors.statuses,
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
    return listClients(this.#ports, (client) => this.#listeners.some((each) => each.isHeld(client)));
  }

  async hold(request: HoldRequest): Promise<HoldResult> {
    this.#watch.holdWrites(request);
    if (request.next !== undefined) this.#home.prepareFor(request.next);
    try {
      const drained = () => !this.#home.readWrite.connections.hasWritesInFlight;
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
    for (const listener of this.#ports) listener.stopListening();
    const done = () => {
      for (const listener of this.#ports) listener.closeIdle();
      return this.#ports.every((listener) => listener.clients.size === 0);
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
    this.#home.stop();
    this.#routes.stop();
    this.#mirrors.stop();
    this.#control?.close();
    for (const listener of this.#ports) {
      listener.stopListening();
      for (const client of [...listener.clients]) client.close();
    }
    for (const listener of this.#listeners) listener.connections.closeAll();
  }

  /** Nobody new gets a connection of this user, or of anybody (null), that was made until now. */
  #retire(user: string | null): void {
    this.#home.retire(user);
    this.#routes.retire(user);
    if (this.#routes.standIn) this.#lookAtAccess();
  }

  #lookAtAccess(): void {
    const clients = this.#ports.flatMap((listener) => [...listener.clients]);
    this.#home.lookAtAccess(this.#routes.lookAtAccess(clients));
    const { tls } = this.#config;
    const why = tls?.cert ? whyNotRenewed(tls) : null;
    if (why === null) this.#tlsTrouble.isOver('tls: the files are taken up again');
    else
      this.#tlsTrouble.is(`tls: the files were changed and can't be taken up, those of before stay: ${why}`);
  }

  #loadTableSoon(): void {
    this.#tableTimer ??= setTimeout(async () => {
      await this.#loadTable();
      this.#tableTimer = undefined;
      this.#tablePauseMs = Math.min(this.#tablePauseMs * 2, tableAfterMs.most);
      if (this.#table.loaded) this.#goOnKnowing();
      else if (!this.#stopped && this.#watch.holding === 'none') this.#loadTableSoon();
    }, this.#tablePauseMs);
  }

  /** Who waited for the table goes on. */
  #goOnKnowing(): void {
    if (this.#config.routes.length > 0) this.#home.goOn();
    else this.#home.readOnly?.goOn();
  }

  /** Learns from the primary which command is which. */
  async #loadTable(): Promise<void> {
    const { primary } = this.#watch;
    if (primary === null) return;
    const link = openOwnLink(primary, this.#config, { timeoutMs: tableWithinMs });
    try {
      this.#table.load(await link.call(['COMMAND']));
      this.#tableTrouble.isOver('the table of commands is read');
    } catch (error) {
      this.#tableTrouble.is(`cannot read the table of commands: ${errorText(error)}`);
    } finally {
      link.close();
    }
  }
}
