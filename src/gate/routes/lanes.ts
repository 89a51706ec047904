/**
 * The routes of one port: `way.ts` decides where a request goes, this takes its client there. Each lane is a router of its own,
 * with its own connections and its own knowledge of who is primary; the first is the catch-all. A client is in one lane at a
 * time and changes it only while nothing of it is under way, so none of the gate's rules is another one here.
 *
 * A lane may have a user of its own, as whom everybody is there. Who comes in is then asked at the catch-all, each time that a
 * client comes with another identity, and again whenever anybody's access may have changed.
 */
import type { Buffer } from 'node:buffer';
import { readArguments } from '../../resp/arguments.ts';
import type { RequestFrame } from '../../resp/request.ts';
import { writeError, writeRequest } from '../../resp/write.ts';
import { copyName } from '../../stream/copy-name.ts';
import type { Client, Router, Routes } from '../client/client.ts';
import type { Command } from '../commands/command-table.ts';
import type { Route } from '../config.ts';
import type { Identity, Login } from '../upstream/identity.ts';
import { pingRequest } from '../upstream/requests.ts';
import { commonLane } from './common-lane.ts';
import { Entry } from './entry.ts';
import type { RouteFaults } from './faults.ts';
import { PrefixMap } from './prefix-map.ts';
import { Split } from './split.ts';
import { home, type Places, wayOf } from './way.ts';

/** One place to send to. */
export interface Lane {
  readonly router: Router;
  /** As whom everybody is there; null: as themselves. */
  readonly standIn: Login | null;
  readonly removePrefix: boolean;
  /** Null: none are made. */
  readonly faults: RouteFaults | null;
  requests: number;
}

export class Lanes implements Routes {
  readonly #places: Places;
  readonly #lanes: readonly Lane[];
  readonly #table: { readonly loaded: boolean };
  /** Who was let in at the catch-all, as whom. */
  #admitted = new WeakMap<Client, Identity>();
  /** Whose next request is answered in parts. */
  readonly #splits = new WeakMap<Client, Split>();
  /** What was drawn for whose next request: it waits, goes on, or is answered with this error. */
  readonly #drawn = new WeakMap<Client, { waits: boolean; error: string | null }>();
  /** Who was not, as whom, with the server's words. */
  readonly #refused = new WeakMap<Client, { identity: Identity; reply: Buffer }>();

  /** @param lanes the catch-all, and then one for each route */
  constructor(lanes: readonly Lane[], routes: readonly Route[], table: { readonly loaded: boolean }) {
    this.#lanes = lanes;
    this.#places = {
      map: new PrefixMap(
        routes.flatMap(({ prefixes }, index) => prefixes.map((prefix) => ({ prefix, lane: index + 1 }))),
      ),
      readHere: new Set(routes.flatMap(({ readsHere }, index) => (readsHere ? [index + 1] : []))),
    };
    this.#table = table;
  }

  get ready(): boolean {
    return this.#table.loaded;
  }

  /** Anybody's access may be another one now. */
  doubt(): void {
    this.#admitted = new WeakMap();
  }

  takes(client: Client, { keys, name, read }: Command, buf: Buffer, frame: RequestFrame): boolean {
    if (keys === 'none') return name !== 'keys' && client.router === this.#at(home).router;
    if (frame.argStart < 0 || keys === 'unknown') return false;
    const { map, readHere } = this.#places;
    const index =
      keys === 'first'
        ? (map.find(buf, frame.argStart, frame.argEnd)?.lane ?? home)
        : commonLane(map, keys, buf, frame);
    if (index < 0) return false;
    const lane = this.#at((read || isCopying(client)) && readHere.has(index) ? home : index);
    const isPlain = !lane.removePrefix && lane.faults === null;
    return isPlain && client.router === lane.router && this.#isIn(client, lane);
  }

  turn(client: Client, command: Command, buf: Buffer, start: number, end: number): boolean {
    const begun = this.#splits.get(client);
    if (begun !== undefined) return this.#goOn(client, command, begun);
    const args = readArguments(buf, start, end);
    const { session } = client;
    const at = this.#lanes.findIndex(({ router }) => router === client.router);
    const way = session.unauthenticated
      ? ({ kind: 'go', lane: home, keys: [] } as const)
      : wayOf({ command, args, at, pinned: !session.movable, isCopying: isCopying(client) }, this.#places);
    if (way.kind === 'refuse') return answer(client, command, writeError(way.reply));
    if (way.kind === 'split') {
      const split = new Split(command, args, way.parts, (key, lane) => this.#nameAt(lane, key));
      this.#splits.set(client, split);
      return this.#goOn(client, command, split);
    }
    if (!this.#enter(client, way.lane)) return this.#turnAway(client, command);
    const lane = this.#at(way.lane);
    if (lane.removePrefix && answersKeys.test(command.name))
      return answer(client, command, namesKeys(command));
    if (lane.faults !== null) {
      const { waits, error } = this.#drawnFor(client, lane.faults, command);
      if (waits) return false;
      if (error !== null) return answer(client, command, writeError(error)) && this.#drawn.delete(client);
    }
    const request = lane.removePrefix
      ? writeRequest(args.map((arg, index) => (way.keys.includes(index) ? this.#nameAt(way.lane, arg) : arg)))
      : null;
    const isSent =
      request === null
        ? client.sendOne(command, buf, start, end)
        : client.sendOne(command, request, 0, request.length);
    if (isSent) {
      lane.requests++;
      this.#drawn.delete(client);
    }
    return isSent;
  }

  /** Is drawn once for each request, however often its turn comes. */
  #drawnFor(client: Client, faults: RouteFaults, { name }: Command) {
    const known = this.#drawn.get(client);
    if (known !== undefined) return known;
    const { delayMs, error } = faults.draw(name);
    const drawn = { waits: delayMs > 0, error };
    this.#drawn.set(client, drawn);
    if (drawn.waits) {
      setTimeout(() => {
        drawn.waits = false;
        client.pump();
      }, delayMs);
    }
    return drawn;
  }

  passes(client: Client, { keys, read }: Command): 'yes' | 'wait' | 'keep' {
    const { requests, session } = client;
    const { frame, buf } = requests;
    const isNamed = keys === 'first' && frame.argStart >= 0 && frame.left <= frame.count - 2;
    if (!this.ready || !isNamed || session.unauthenticated || !session.movable) return 'keep';
    const { map, readHere } = this.#places;
    const owner = map.find(buf, frame.argStart, frame.argEnd)?.lane ?? home;
    const index = isCopying(client) && readHere.has(owner) ? home : owner;
    if (this.#at(index).removePrefix || read || this.#refusalOf(client) !== null) return 'keep';
    if (!this.#enter(client, index)) return 'wait';
    this.#at(index).requests++;
    return 'yes';
  }

  count(client: Client, requests: number): void {
    const lane = this.#lanes.find(({ router }) => router === client.router);
    if (lane !== undefined) lane.requests += requests;
  }

  /** Has the client be there. False when it waits, or was refused. */
  #enter(client: Client, index: number): boolean {
    const lane = this.#at(index);
    if (client.router === lane.router && this.#isIn(client, lane)) return true;
    if (this.#isIn(client, lane)) return client.goTo(lane.router, lane.standIn);
    // It is asked as itself, where those are known who may come in.
    const first = this.#at(home).router;
    if (client.router !== first && !client.goTo(first, null)) return false;
    if (this.#refusalOf(client) !== null || !client.idle()) return false;
    const route = first.route(client, false);
    if (route === null) return false;
    const { identity } = client.session;
    // What was asked before a doubt does not answer it.
    const admitted = this.#admitted;
    const entry = new Entry((refusal) => {
      if (refusal === null) admitted.set(client, identity);
      else this.#refused.set(client, { identity, reply: refusal });
    });
    route.send(client, pingRequest, 0, pingRequest.length, 1, false, entry);
    client.idle();
    return false;
  }

  /** Answers in the server's words when it was refused; false while it only waits. */
  #turnAway(client: Client, command: Command): boolean {
    const refusal = this.#refusalOf(client);
    if (refusal === null || !answer(client, command, refusal)) return false;
    this.#refused.delete(client);
    return true;
  }

  /** What it was told as who it is now. */
  #refusalOf(client: Client): Buffer | null {
    const refused = this.#refused.get(client);
    return refused?.identity === client.session.identity ? refused.reply : null;
  }

  #isIn(client: Client, { standIn }: Lane): boolean {
    return standIn === null || this.#admitted.get(client) === client.session.identity;
  }

  #at(index: number): Lane {
    return this.#lanes[index] as Lane;
  }

  /** What a key is called there. */
  #nameAt(index: number, key: Buffer): Buffer {
    if (!this.#at(index).removePrefix) return key;
    return key.subarray(this.#places.map.find(key, 0, key.length)?.bytes.length ?? 0);
  }

  /** The next part of a request that is split; when there is none, its answer. */
  #goOn(client: Client, command: Command, split: Split): boolean {
    if (!client.idle()) return false;
    const { lane } = split;
    if (lane !== undefined) {
      const isThere = this.#enter(client, lane);
      const { router } = client;
      const refusal = isThere && router.refuses ? router.refuse(client, command) : this.#refusalOf(client);
      if (refusal !== null) split.fail(refusal);
      else if (!isThere || !split.send(client)) return false;
      else {
        this.#at(lane).requests++;
        // Its answer brings the client here again.
        client.idle();
        return false;
      }
      this.#refused.delete(client);
    }
    this.#splits.delete(client);
    return answer(client, command, split.answer(client.session.protocol));
  }

  keptBytes(client: Client): number {
    return this.#splits.get(client)?.keptBytes ?? 0;
  }

  abandon(client: Client, error: string): string {
    this.#drawn.delete(client);
    const split = this.#splits.get(client);
    if (split === undefined) return error;
    this.#splits.delete(client);
    split.fail(writeError(error));
    return split.answer(2).toString('utf8').slice(1, -2);
  }
}

/** A mirror that keeps the copy here up to date, and is no user of the keys: they would go back to where they come from. */
function isCopying({ session }: Client): boolean {
  return session.name === copyName;
}

/** Their answers name keys, which have other names at a route that takes the prefix away; or what they ask are patterns. */
const answersKeys = /^(keys|scan|sort|sort_ro|b?[lz]mpop|b[lr]pop|bzpop(min|max)|xread|xreadgroup)$/;

function namesKeys({ name }: Command): Buffer {
  return writeError(
    `ERR ${name.toUpperCase()} is not possible at a route with removePrefix: it is about names of keys`,
  );
}

function answer(client: Client, command: Command, reply: Buffer): boolean {
  // What is under way may be what it is refused for.
  if (!client.idle()) return false;
  if (client.session.transaction.open) client.session.transaction.spoil();
  client.deliver(reply, 0, reply.length);
  command.calls++;
  client.router.counters.executed(1);
  client.onSent(command);
  return true;
}
