/**
 * The connections of one port of the API: what each is at, and their end when there are too many (who-leaves.ts), or when
 * one does not take what it was answered. Whoever is sent away hears why, if it is to be told in HTTP.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, systemClock } from '../../base/clock.ts';
import { ApiBusy } from '../errors.ts';
import { type Visitor, type VisitorLimits, whoLeaves } from './who-leaves.ts';

export interface VisitorRules extends VisitorLimits {
  /** So many more may come before there is a look again. */
  surplus: number;
  /** How often there is a look while they are many: meanwhile whatever came is read. */
  everyMs: number;
}

export const usualVisitorRules: VisitorRules = {
  ...{ most: 1500, mostWaitedForOfAddress: 100 },
  ...{ surplus: 250, everyMs: 100 },
};

const lookEveryMs = 5000;
/** An answer is to be taken by then. */
const takenWithinMs = 60_000;
/** Whoever was told to go may read that for so long. */
const hearsWithinMs = 1000;
/** So many may at a time; others are cut off without a word. */
const mostHearing = 100;

/** What is told to one that is sent away, as the text of an HTTP answer. */
export type Farewell = (error: Error) => string;

export class Visitors {
  readonly #rules: VisitorRules;
  readonly #farewell: Farewell;
  readonly #clock: Clock;
  /** By its two ends: of TLS the socket below and the one above are the same connection. */
  readonly #all = new Map<string, Connection>();
  /** Those that HTTP is spoken with. */
  readonly #speaking = new WeakMap<Socket, Connection>();
  #hearing = 0;
  #nextRelief: NodeJS.Timeout | null = null;
  #unnamed = 0;

  constructor(rules: VisitorRules, farewell: Farewell, clock: Clock = systemClock) {
    this.#rules = rules;
    this.#farewell = farewell;
    this.#clock = clock;
  }

  /** @param isTls its connections speak HTTP only when they have shaken hands. */
  watch(server: Server, isTls: boolean): void {
    server.on('connection', (socket: Socket) => this.#come(socket, !isTls));
    if (isTls) server.on('secureConnection', (socket: Socket) => this.#speakThrough(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#speaking.get(request.socket)?.answer(request, response, () => this.#clock.monotonicMs());
    });
    const timer = setInterval(() => this.#look(), lookEveryMs).unref();
    server.on('close', () => {
      clearInterval(timer);
      if (this.#nextRelief !== null) clearTimeout(this.#nextRelief);
    });
  }

  /** It was told to go: what it still sends is not answered, and takes nobody's place. */
  isLeaving(socket: Socket): boolean {
    return this.#speaking.get(socket)?.isLeaving === true;
  }

  noteKnown(socket: Socket): void {
    this.#speaking.get(socket)?.know();
  }

  /** Answers what is no request, and closes it. */
  dismiss(socket: Socket, answer: string): void {
    if (!this.#speaking.has(socket) || !socket.writable || this.#hearing >= mostHearing) {
      socket.destroy();
      return;
    }
    this.#speaking.get(socket)?.leave();
    this.#hearing += 1;
    const timer = setTimeout(() => socket.destroy(), hearsWithinMs);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#hearing -= 1;
    });
    socket.end(answer);
  }

  #come(socket: Socket, speaksHttp: boolean): void {
    const connection = new Connection(socket, this.#clock.monotonicMs());
    const key = this.#keyOf(socket);
    this.#all.set(key, connection);
    if (speaksHttp) this.#speaking.set(socket, connection);
    socket.once('close', () => {
      if (this.#all.get(key) === connection) this.#all.delete(key);
    });
    const { most, surplus } = this.#rules;
    if (this.#all.size > most + surplus) this.#relieve();
    this.#relieveLater();
  }

  #relieveLater(): void {
    const { most, mostWaitedForOfAddress, everyMs } = this.#rules;
    if (this.#nextRelief !== null || this.#all.size <= Math.min(most, mostWaitedForOfAddress)) return;
    this.#nextRelief = setTimeout(() => {
      this.#nextRelief = null;
      this.#relieve();
      for (const each of this.#all.values()) each.grow();
      this.#relieveLater();
    }, everyMs).unref();
  }

  #relieve(): void {
    // What was sent away is not asked to go twice.
    const staying = [...this.#all.values()].filter(({ isLeaving }) => !isLeaving);
    for (const each of whoLeaves(staying, this.#rules)) this.#sendAway(each);
  }

  #speakThrough(socket: Socket): void {
    const connection = this.#all.get(this.#keyOf(socket));
    if (connection === undefined || connection.isLeaving) {
      socket.destroy();
      return;
    }
    connection.goOnWith(socket);
    this.#speaking.set(socket, connection);
  }

  #sendAway(connection: Connection): void {
    const { socket, wasHeard } = connection;
    connection.leave();
    // One that has had an answer, and is asked for nothing now, is closed as idle ones are.
    if (wasHeard) {
      socket.destroy();
      return;
    }
    const error = ApiBusy('too many connections are open, and this one was waited for', {
      hint: 'Send a request at once when you connect, and close what you do not need.',
    });
    this.dismiss(socket, this.#farewell(error));
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const connection of this.#all.values())
      if (connection.untakenSinceMs(nowMs) + takenWithinMs < nowMs) connection.socket.destroy();
  }

  #keyOf(socket: Socket): string {
    const { remoteAddress, remotePort, localAddress } = socket;
    if (remotePort !== undefined) return [remoteAddress, remotePort, localAddress].join(' ');
    this.#unnamed += 1;
    return `${this.#unnamed}`;
  }
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

class Connection implements Visitor {
  readonly address: string;
  readonly #exchanges = new Set<Exchange>();
  #socket: Socket;
  #sinceMs: number;
  #isKnown = false;
  #isLeaving = false;
  #isNew = true;
  #wasHeard = false;
  #untakenSinceMs: number | null = null;

  constructor(socket: Socket, nowMs: number) {
    this.#socket = socket;
    this.address = socket.remoteAddress ?? '';
    this.#sinceMs = nowMs;
  }

  get socket(): Socket {
    return this.#socket;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  get isNew(): boolean {
    return this.#isNew;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** A whole head of a request came. */
  get wasHeard(): boolean {
    return this.#wasHeard;
  }

  /** Nothing is asked, or what is asked is not here whole, or what was answered is not taken. */
  get isWaitedFor(): boolean {
    for (const { request, response } of this.#exchanges)
      if (request.complete && !response.writableEnded) return false;
    return true;
  }

  answer(request: IncomingMessage, response: ServerResponse, nowMs: () => number): void {
    const exchange = { request, response };
    this.#exchanges.add(exchange);
    this.#wasHeard = true;
    this.#sinceMs = nowMs();
    response.once('close', () => {
      this.#exchanges.delete(exchange);
      this.#sinceMs = nowMs();
    });
  }

  /** Since when an answer lies here whole that is not taken; Infinity for none. */
  untakenSinceMs(nowMs: number): number {
    const isUntaken = [...this.#exchanges].some(({ response }) => response.writableEnded);
    this.#untakenSinceMs = isUntaken ? (this.#untakenSinceMs ?? nowMs) : null;
    return this.#untakenSinceMs ?? Number.POSITIVE_INFINITY;
  }

  grow(): void {
    this.#isNew = false;
  }

  know(): void {
    this.#isKnown = true;
  }

  leave(): void {
    this.#isLeaving = true;
  }

  goOnWith(socket: Socket): void {
    this.#socket = socket;
  }
}
