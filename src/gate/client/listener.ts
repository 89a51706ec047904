import { createServer, type Server, type Socket } from 'node:net';
import { errorText } from '../../base/errors.ts';
import { isSabotaged } from '../../base/sabotage.ts';
import { type RequestLimits, redisRequestLimits, unauthenticatedLimits } from '../../resp/request.ts';
import type { Command, CommandTable } from '../commands/command-table.ts';
import type { GateConfig, Listen, MemberAddress } from '../config.ts';
import type { Counters } from '../control/counters.ts';
import { cannotListen } from '../errors.ts';
import type { AckWatch } from '../upstream/ack-watch.ts';
import type { BlockedWatch } from '../upstream/blocked-watch.ts';
import { Connections, type ConnectionsOwner } from '../upstream/connections.ts';
import { isBusy } from '../upstream/open-upstream.ts';
import type { ServerRuns } from '../upstream/server-runs.ts';
import type { Strangers } from '../upstream/strangers.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { UpstreamOptions } from '../upstream/upstream-options.ts';
import type { Buffered } from './buffered.ts';
import type { Client, Copies, Router, Routes } from './client.ts';
import { endWith } from './farewell.ts';
import { GateClient } from './gate-client.ts';
import { HeldClients } from './held-clients.ts';
import { readHeader } from './proxy-socket.ts';
import type { Refusal } from './refusal.ts';
import { refuseWaiting } from './replay.ts';
import type { Room } from './room.ts';
import { withSharedReads } from './shared-reads.ts';
import { TlsHandshakes } from './tls-handshake.ts';
import { endRedirect, releaseSources } from './tracking-restore.ts';

/** How a listener chooses the member for a client, and tells what it notices. */
export interface Routing {
  /** The member for this client's requests now; null when there is none. */
  targetFor(client: Client): MemberAddress | null;
  isTarget(member: MemberAddress): boolean;
  /** Whether a client that has a connection of its own to this member, which is no target, keeps it. */
  keeps(member: MemberAddress, client: Client): boolean;
  holding(): 'none' | 'writes' | 'all';
  /** A connection to the member could not be made, or broke; `inUse`: somebody needed it. */
  onLost(target: MemberAddress, reason: string, inUse: boolean): void;
  onRefusal(target: MemberAddress, refusal: Refusal): boolean;
  readonly refuses: boolean;
  readonly confirm: UpstreamOptions['confirm'];
  /** Whether all answers are confirmed, and not only those to what may write. */
  readonly confirmsReads: boolean;
  /** Of standalone servers, for a port that writes: whether this one leads, by its own word now. */
  readonly leads: ConnectionsOwner['leads'];
  /** A reply for requests that this listener does not take, or null. */
  refuse(client: Client, command: Command): Buffer | null;
  forget(client: Client): void;
}

export interface ListenerContext {
  config: GateConfig;
  table: CommandTable;
  counters: Counters;
  log: (text: string) => void;
  buffered: Buffered;
  strangers: Strangers;
  runs: ServerRuns;
  acks: AckWatch;
  blocked: BlockedWatch;
  /** Connections of this user (latin1), or of everybody (null), are not for those who come. */
  retire: (user: string | null) => void;
  primaryLoads: () => boolean;
  /** Writes are held by somebody who says for how long, and clients wait all that time. */
  isPatient: () => boolean;
  /** Numbers clients across listeners. */
  nextId: () => number;
  /** Null at a gate without mirrors of requests. */
  copies: Copies | null;
  room: Room;
}

/** One listening address with its clients. */
export class Listener implements Router, ConnectionsOwner {
  readonly config: GateConfig;
  readonly table: CommandTable;
  readonly counters: Counters;
  readonly requestLimits: RequestLimits;
  readonly clients: Set<Client>;
  #routes: Routes | null = null;
  readonly copies: Copies | null;
  readonly held: HeldClients;
  readonly refuses: boolean;
  readonly buffered: Buffered;
  readonly runs: ServerRuns;
  readonly acks: AckWatch;
  readonly blocked: BlockedWatch;
  readonly #context: ListenerContext;
  readonly #isRoute: boolean;
  readonly leads: ConnectionsOwner['leads'];
  readonly confirm: UpstreamOptions['confirm'];
  readonly confirmsReads: boolean;
  readonly #routing: Routing;
  readonly #servers: Server[] = [];
  /** Null where clients speak without TLS. */
  #handshakes: TlsHandshakes | null = null;
  /** Connections that still have to say who they are, before they are clients. */
  #greeted = 0;
  readonly connections: Connections;
  #era = 0;
  #heldAllSinceMs: number | null = null;

  /** @param clients those of another listener, when this one has no port: its clients come here by a route */
  constructor(context: ListenerContext, routing: Routing, clients: Set<Client> | null = null) {
    this.#context = context;
    this.#isRoute = clients !== null;
    this.copies = this.#isRoute ? null : context.copies;
    this.clients = clients ?? new Set();
    this.confirm = routing.confirm;
    this.confirmsReads = routing.confirmsReads;
    this.leads = routing.leads;
    this.#routing = routing;
    this.config = context.config;
    this.table = context.table;
    this.counters = context.counters;
    this.requestLimits = {
      ...redisRequestLimits,
      bulkBytes: context.config.limits.bulkBytes,
      elements: context.config.limits.elements,
    };
    this.refuses = routing.refuses;
    this.buffered = context.buffered;
    this.runs = context.runs;
    this.acks = context.acks;
    this.blocked = context.blocked;
    const holdMs = isSabotaged('no-holding') ? 0 : context.config.holdMs;
    const release = (client: Client) => {
      client.pump();
      client.router.stand(client);
    };
    this.held = new HeldClients({ holdMs, isPatient: context.isPatient }, release);
    this.connections = new Connections(this);
  }

  get routes(): Routes | null {
    return this.#routes;
  }

  /** Its clients' requests go where these say. */
  sendBy(routes: Routes | null): void {
    this.#routes = routes;
  }

  isHeld(client: Client): boolean {
    return this.held.has(client);
  }

  get holding(): 'none' | 'writes' | 'all' {
    return this.#routing.holding();
  }

  get lostForMs(): number {
    return this.#heldAllSinceMs === null ? 0 : performance.now() - this.#heldAllSinceMs;
  }

  get primaryLoads(): boolean {
    return this.#context.primaryLoads();
  }

  /** Opens the port on every host of `listen`. @throws GATE_LISTEN */
  async listen(listen: Listen): Promise<void> {
    const { proxyProtocol, tls } = this.config;
    if (tls?.cert) this.#handshakes = new TlsHandshakes(tls);
    const plain = !proxyProtocol && this.#handshakes === null;
    for (const host of typeof listen.host === 'string' ? [listen.host] : listen.host) {
      const server = createServer(
        {
          noDelay: true,
          keepAlive: true,
          keepAliveInitialDelay: 60_000,
          pauseOnConnect: plain,
          allowHalfOpen: true,
        },
        (socket) => (plain ? this.#accept(withSharedReads(socket)) : this.#greet(socket)),
      );
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => reject(cannotListen(host, listen.port, error)));
        server.listen({ host, port: listen.port, backlog: 1024 }, resolve);
      });
      // The system has no room for one more: that one is not let in, and the others go on.
      server.on('error', () => this.counters.count('clientsRefused'));
    }
  }

  /** The port that was given by the system, when 0 was asked for. */
  get port(): number {
    const address = this.#servers[0]?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stopListening(): void {
    for (const server of this.#servers) server.close();
  }

  /** Clients, and connections to servers; of those that come by a route these only. */
  get openFiles(): number {
    const { shared, private: own } = this.connections.counts;
    return (this.#isRoute ? 0 : this.#greeted + this.clients.size) + shared + own;
  }

  /** Says goodbye to every client that waits for nothing. */
  closeIdle(): void {
    for (const client of this.clients) {
      if (client.inFlight === 0 && !client.hasWork) client.end();
    }
  }

  /** Takes what comes before the client's own bytes: a PROXY header, or TLS. */
  #greet(socket: Socket): void {
    // Whoever only begins takes no place of a client, and there may be as many of them as of clients.
    if (this.#greeted >= this.config.limits.clients || this.#context.room.isFull) {
      this.counters.count('clientsRefused');
      socket.destroy();
      return;
    }
    this.#greeted++;
    let greets = true;
    const greeted = () => {
      if (greets) this.#greeted--;
      greets = false;
    };
    socket.once('close', greeted);
    if (this.config.proxyProtocol) readHeader(socket, (address) => this.#secure(socket, address, greeted));
    else this.#secure(socket, null, greeted);
  }

  #secure(socket: Socket, address: string | null, onDone: () => void): void {
    if (this.#handshakes === null) {
      onDone();
      this.#accept(socket, address);
      socket.resume();
      return;
    }
    this.#handshakes.begin(socket, (secured) => {
      onDone();
      this.#accept(secured, address);
    });
  }

  #accept(socket: Socket, address: string | null = null): void {
    if (this.clients.size >= this.config.limits.clients || this.#context.room.isFull) {
      this.counters.count('clientsRefused');
      socket.on('error', () => {});
      endWith(socket, '-ERR max number of clients reached\r\n');
      return;
    }
    this.counters.count('clientsAccepted');
    const client = new GateClient(this.#context.nextId(), socket, this, address);
    this.clients.add(client);
    const { unauthenticatedMs } = this.config.limits;
    if (unauthenticatedMs === 0) return;
    const timer = setTimeout(() => {
      if (this.limitsOf(client) === unauthenticatedLimits) client.close('unauthenticated');
    }, unauthenticatedMs);
    socket.on('close', () => clearTimeout(timer));
  }

  limitsOf(client: Client): RequestLimits {
    return client.session.unauthenticated ? unauthenticatedLimits : this.requestLimits;
  }

  targetFor(client: Client): MemberAddress | null {
    return this.holding === 'all' ? null : this.#routing.targetFor(client);
  }

  isTarget(member: MemberAddress): boolean {
    return this.#routing.isTarget(member);
  }

  keeps(member: MemberAddress, client: Client): boolean {
    return this.#routing.keeps(member, client);
  }

  route(client: Client, writes: boolean, own = false): Upstream | null {
    return this.connections.route(client, writes, own);
  }

  stand(client: Client): void {
    this.connections.standAgain(client);
  }

  giveBack(client: Client): void {
    this.connections.giveBack(client);
  }

  dropOwn(client: Client): void {
    this.connections.dropOwn(client);
  }

  onLost(target: MemberAddress, reason: string, inUse: boolean): void {
    this.runs.forget(target);
    if (this.refuses && inUse) this.#era++;
    this.#routing.onLost(target, reason, inUse);
  }

  /** The member does not take the client's session over: it is told, and closed, as a server would. */
  onRefused(client: Client, error: string): void {
    if (/^(LOADING|MASTERDOWN|NOREPLICAS|READONLY) /.test(error)) {
      this.hold(client);
      this.held.retrySoon(client);
      return;
    }
    // The server would tell the client so, and keep it; and what one route's server says ends nobody who uses others.
    if (isBusy(error) || this.#isRoute) {
      refuseWaiting(client, error);
      return;
    }
    this.#context.log(`client ${client.id}: its session is not taken over: ${error}`);
    client.refuseSession(error);
  }

  hold(client: Client): void {
    if (client.startHold()) this.counters.count('held');
    this.held.add(client);
  }

  retrySoon(client: Client): void {
    this.held.retrySoon(client);
  }

  admit(client: Client): boolean {
    const target = this.targetFor(client);
    if (target === null) {
      this.hold(client);
      return false;
    }
    const { strangers } = this.#context;
    const mustLogIn = strangers.mustLogIn(target, client.cameAt);
    if (mustLogIn !== undefined) {
      client.session.admit(mustLogIn);
      return true;
    }
    // Another member may be the one to ask before this one has answered.
    this.held.addAsking(client);
    strangers.ask(target).then(
      () => {
        // It waited for this alone; whatever else it has to wait for holds it again.
        this.held.delete(client);
        client.pump();
      },
      (error: unknown) => {
        if (client.closed) return;
        this.onLost(target, errorText(error), true);
        this.hold(client);
        this.held.retrySoon(client);
      },
    );
    return false;
  }

  onAccessChanged(user: string | null): void {
    this.#context.retire(user);
  }

  onRefusal(client: Client, refusal: Refusal): boolean {
    const { current } = client.place;
    return current !== null && this.#routing.onRefusal(current.target, refusal);
  }

  refuse(client: Client, command: Command): Buffer | null {
    return this.#routing.refuse(client, command);
  }

  onClientClosed(client: Client): void {
    this.clients.delete(client);
    endRedirect(client);
    releaseSources(client);
    this.held.delete(client);
    this.#routing.forget(client);
    this.connections.forget(client);
  }

  leave(client: Client): void {
    this.held.delete(client);
    this.#routing.forget(client);
    this.connections.leave(client);
  }

  get era(): number {
    return this.#era;
  }

  /** The primary, or what is held, changed: whoever waits goes on, and what stands is put up at the new one. */
  goOn(): void {
    const { lostForMs } = this;
    if (this.holding === 'all') this.#heldAllSinceMs ??= performance.now();
    else if (this.#heldAllSinceMs !== null) {
      this.#heldAllSinceMs = null;
      this.#era++;
    }
    this.connections.reroute(this.clients, lostForMs);
    // What waits for answers does not wait until they are read.
    if (this.holding !== 'none') for (const client of this.clients) client.readOn();
    if (this.holding !== 'all') this.held.pumpAll();
    for (const client of this.clients) client.onHolding();
  }
}
