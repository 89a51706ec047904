import { createServer, type Server, type Socket } from 'node:net';
import { errorCode, errorText } from '../base/errors.ts';
import { type RequestLimits, redisRequestLimits } from '../resp/request.ts';
import { writeError } from '../resp/write.ts';
import type { Refusal } from './bounce.ts';
import { Client } from './client.ts';
import type { Command, CommandTable } from './commands.ts';
import type { GateConfig, Listen, MemberAddress } from './config.ts';
import type { GateCounters } from './control.ts';
import { GateListenFailed } from './errors.ts';
import { Blocking } from './handlers.ts';
import { HeldClients } from './held-clients.ts';
import { openOwnUpstream } from './own-upstream.ts';
import type { Router } from './router.ts';
import type { Run } from './run-ring.ts';
import type { Upstream } from './upstream.ts';

/** How a door chooses the member for a client, and tells what it notices. */
export interface Routing {
  /** The member for this client's requests now; null when there is none. */
  targetFor(client: Client): MemberAddress | null;
  holding(): 'none' | 'writes' | 'all';
  /** A connection to the member could not be made, or broke. */
  onLost(target: MemberAddress, reason: string): void;
  onRefusal(target: MemberAddress, refusal: Refusal): boolean;
  readonly refuses: boolean;
  /** A reply for requests that this door does not take, or null. */
  refuse(client: Client, command: Command): Buffer | null;
  forget(client: Client): void;
}

export interface DoorContext {
  config: GateConfig;
  table: CommandTable;
  counters: GateCounters;
  log: (text: string) => void;
  /** Numbers clients across doors. */
  nextId: () => number;
}

/** How long a connection to a former primary may still answer what it was sent, in ms. */
const graceMs = 1000;
/** The same when it waits in a blocking command: it has nothing to say any more. */
const blockedGraceMs = 50;

/** One listening address with its clients. */
export class Door implements Router {
  readonly config: GateConfig;
  readonly table: CommandTable;
  readonly counters: GateCounters;
  readonly requestLimits: RequestLimits;
  readonly clients = new Set<Client>();
  readonly held: HeldClients;
  readonly refuses: boolean;
  readonly #context: DoorContext;
  readonly #routing: Routing;
  readonly #servers: Server[] = [];
  readonly #own = new Map<Client, Upstream>();

  constructor(context: DoorContext, routing: Routing) {
    this.#context = context;
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
    this.held = new HeldClients(context.config.holdMs, (client) => {
      client.pump();
      if (client.session.standing) this.#standAgain(client);
    });
  }

  get holding(): 'none' | 'writes' | 'all' {
    return this.#routing.holding();
  }

  get privateConnections(): number {
    return this.#own.size;
  }

  /** Opens the door on every host of `listen`. @throws GATE_LISTEN */
  async listen(listen: Listen): Promise<void> {
    for (const host of typeof listen.host === 'string' ? [listen.host] : listen.host) {
      const server = createServer(
        { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
        (socket) => this.#accept(socket),
      );
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => {
          const hint =
            errorCode(error) === 'EADDRINUSE' ? 'Another program has that port; `ss -ltnp` shows which.' : '';
          reject(
            GateListenFailed(`cannot listen on ${host}:${listen.port}: ${errorText(error)}`, {
              cause: error,
              ...(hint === '' ? {} : { hint }),
            }),
          );
        });
        server.listen({ host, port: listen.port, backlog: 1024 }, resolve);
      });
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

  /** Says goodbye to every client that waits for nothing. */
  closeIdle(): void {
    for (const client of this.clients) {
      if (client.inFlight === 0 && !client.hasWork) client.socket.end();
    }
  }

  #accept(socket: Socket): void {
    if (this.clients.size >= this.config.limits.clients) {
      this.counters.clientsRefused++;
      socket.on('error', () => {});
      socket.end('-ERR max number of clients reached\r\n');
      return;
    }
    this.counters.clientsAccepted++;
    this.clients.add(new Client(this.#context.nextId(), socket, this));
  }

  upstreamFor(client: Client, command: Command): Upstream | null {
    return this.ownUpstream(client, command);
  }

  ownUpstream(client: Client, _command: Command): Upstream | null {
    if (this.holding === 'all') {
      this.hold(client);
      return null;
    }
    const target = this.#routing.targetFor(client);
    if (target === null) {
      this.hold(client);
      return null;
    }
    const own = this.#own.get(client);
    if (own === undefined) this.#open(client, target);
    else if (own.target !== target) this.#leave(client, own);
    else if (own.ready) return own;
    return null;
  }

  #open(client: Client, target: MemberAddress): void {
    const upstream = openOwnUpstream(client, target, this.config.limits.connectMs, {
      onReady: () => client.pump(),
      onRefused: (_upstream, error) => this.#onRefused(client, upstream, error),
      onClosed: (_upstream, reason) => this.#onClosed(client, upstream, reason),
    });
    this.#own.set(client, upstream);
  }

  /** The client's connection leads to a former primary: it may answer what it has, then the client moves on. */
  #leave(client: Client, own: Upstream): void {
    if (client.inFlight === 0) {
      this.dropUpstream(client);
      if (!client.closed) setImmediate(() => client.pump());
      return;
    }
    client.waiting = true;
    this.#expire(own);
  }

  #expire(own: Upstream): void {
    if (own.expiring) return;
    own.expiring = true;
    const blocked = own.ring.peek()?.handler instanceof Blocking;
    const reason = 'it leads to a former primary and does not answer';
    setTimeout(() => own.destroy(reason), blocked ? blockedGraceMs : graceMs);
  }

  dropUpstream(client: Client): void {
    const own = this.#own.get(client);
    this.#own.delete(client);
    own?.destroy('no longer needed');
  }

  #onRefused(client: Client, upstream: Upstream, error: string): void {
    if (/^(LOADING|MASTERDOWN|NOREPLICAS|READONLY) /.test(error)) {
      upstream.destroy(error);
      return;
    }
    this.#context.log(`client ${client.id}: ${upstream.target.id} does not take its session over: ${error}`);
    this.dropUpstream(client);
    const reply = writeError(error);
    client.write(reply, 0, reply.length);
    client.socket.end();
  }

  #onClosed(client: Client, upstream: Upstream, reason: string): void {
    const current = this.#own.get(client) === upstream;
    if (current) this.#own.delete(client);
    if (!upstream.ready || current) this.#routing.onLost(upstream.target, reason);
    for (let run = upstream.ring.peek(); run !== undefined; run = upstream.ring.peek()) {
      if (run.client !== null) run.client.onRunLost(run);
      upstream.ring.shift();
    }
    if (client.closed) return;
    client.onIdle();
    if (!current) return;
    this.hold(client);
    this.held.retrySoon(client);
  }

  hold(client: Client): void {
    if (client.heldSince === 0 && client.hasWork) {
      client.heldSince = performance.now();
      this.counters.held++;
    }
    this.held.add(client);
  }

  onRefusal(client: Client, refusal: Refusal, _run: Run | null): boolean {
    const own = this.#own.get(client);
    if (own === undefined || !this.#routing.onRefusal(own.target, refusal)) return false;
    this.hold(client);
    return true;
  }

  refuse(client: Client, command: Command): Buffer | null {
    return this.#routing.refuse(client, command);
  }

  onClientClosed(client: Client): void {
    this.#routing.forget(client);
    this.clients.delete(client);
    this.held.delete(client);
    this.dropUpstream(client);
  }

  /** The primary changed, or a hold ended: whoever waits goes on, and what stands is put up at the new one. */
  goOn(): void {
    for (const client of this.clients) {
      const own = this.#own.get(client);
      if (own === undefined || own.target === this.#routing.targetFor(client)) continue;
      if (client.inFlight > 0) this.#expire(own);
      else if (client.session.standing) {
        this.dropUpstream(client);
        this.#standAgain(client);
      }
    }
    this.held.pumpAll();
  }

  /** Subscriptions and their like are put up again though the client asks for nothing. */
  #standAgain(client: Client): void {
    if (client.closed || this.#own.has(client)) return;
    const target = this.#routing.targetFor(client);
    if (target === null || this.holding === 'all') this.held.add(client);
    else this.#open(client, target);
  }

  /** Writes sent and not answered. */
  get writesInFlight(): number {
    let count = 0;
    for (const own of this.#own.values()) count += own.writesInFlight;
    return count;
  }
}
