import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { errorText } from '../../base/errors.ts';
import { MINUS } from '../../resp/bytes.ts';
import { frameReply, REPLY_MALFORMED, type ReplyProgress } from '../../resp/reply.ts';
import type { GateTls, MemberAddress } from '../config.ts';
import { Brake } from './brake.ts';
import { type Confirm, ConfirmedReading } from './confirmed-reading.ts';
import { Crowd } from './crowd.ts';
import { Inbox } from './inbox.ts';
import { LongReply, longReplyBytes } from './long-reply.ts';
import { openUpstreamSocket } from './open-socket.ts';
import { Outbox } from './outbox.ts';
import { type ReplyHandler, type ReplySink, type Run, RunRing, type Unasked } from './run-ring.ts';

export interface UpstreamOptions {
  connectMs: number;
  tls: GateTls | null;
  confirm: Confirm;
}

export interface UpstreamEvents {
  /** The TCP connection is there: what the owner sends now comes first. */
  onConnect(upstream: Upstream): void;
  /** It is gone for good. The runs that were not answered are still in `upstream.ring`. */
  onClosed(upstream: Upstream, reason: string): void;
  /** A client is slow to read a long reply, so this connection stands still. */
  onSlow?: (upstream: Upstream) => void;
  /** Called for a reply that is no answer: true when it was taken, false when it is the head run's after all. */
  onOutOfBand?: (upstream: Upstream, buf: Buffer, start: number, end: number) => boolean;
}

/** What the server does not take waits in the gate: no more than this is passed to it then. */
const untakenBytes = 4 * 1024 * 1024;

/**
 * One pipelined connection to one member. Requests go out in the order of `send`, once per turn of the event
 * loop; the replies come back in that order, and each goes to the client of the run at the head of the ring.
 */
export class Upstream {
  readonly target: MemberAddress;
  readonly ring = new RunRing();
  readonly #events: UpstreamEvents;
  readonly #reading: ConfirmedReading;
  readonly crowd = new Crowd();
  readonly #inbox = new Inbox();
  readonly #progress: ReplyProgress = { missing: 0, at: 0 };
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #brake: Brake;
  readonly #long: LongReply;
  /** Replies may come that answer nothing: the owner subscribed, or speaks RESP3. */
  outOfBand = false;
  /** Unanswered runs that a hold has to wait for. */
  writesInFlight = 0;
  connected = false;
  /** The run of the server's process that it leads to. */
  run = '';
  /** What CLIENT ID says on it; null when the user may not ask. */
  serverId: number | null = null;
  /** Whether it was asked for that once more, by somebody who has logged in. */
  introduced: 'no' | 'asked' | 'answered' = 'no';
  /** The client that has it for itself; null when it is shared, or idle. */
  owner: Unasked | null = null;
  /** Nothing more is sent on it; it ends with its last answer. */
  retired = false;
  /** It is being given up; what is in flight has a moment to be answered. */
  expiring = false;
  /** Its owner has put it into the state that requests need. */
  ready = false;
  closed = false;
  /** The server ended it, or did not do what a server does: it may be lost. */
  failed = false;
  /** Every reply until now showed that it is what the gate takes it for, and nothing else can come on it. */
  #proven = true;
  /** Bytes of the answers that the run at the head has had. */
  #headBytes = 0;
  /** Monotonic ms of the bytes that are looked at now. */
  #now = 0;

  constructor(target: MemberAddress, options: UpstreamOptions, events: UpstreamEvents) {
    const { connectMs, tls } = options;
    this.#reading = new ConfirmedReading(target, options.confirm, this.#inbox, {
      isClosed: () => this.closed,
      consume: (end) => this.#consume(end),
      fail: (reason) => this.fail(reason),
    });
    this.target = target;
    this.#events = events;
    this.#socket = openUpstreamSocket(target, tls, {
      buffer: () => this.#inbox.room() as Buffer<ArrayBuffer>,
      callback: (bytes) => {
        this.#inbox.received(bytes);
        this.#reading.onBytes();
        return true;
      },
    });
    this.#outbox = new Outbox(this.ring, this.#socket);
    this.#brake = new Brake(this.#socket, () => events.onSlow?.(this));
    this.#long = new LongReply(this.ring, this.#brake);
    if (tls?.upstream) {
      this.#socket.on('data', (chunk) => {
        this.#inbox.add(chunk);
        this.#reading.onBytes();
      });
    }
    const timer = setTimeout(() => this.fail(`no connection within ${connectMs} ms`), connectMs);
    this.#socket.on(tls?.upstream ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      this.connected = true;
      events.onConnect(this);
    });
    this.#socket.on('error', (error) => this.fail(errorText(error)));
    this.#socket.on('end', () => this.fail('the server closed the connection'));
    this.#socket.on('close', () => {
      clearTimeout(timer);
      this.fail('the connection closed');
    });
  }

  /** Sends `count` whole requests that stand in `buf[start, end)`; a handler is for a single one. */
  send(
    client: ReplySink | null,
    buf: Buffer,
    start: number,
    end: number,
    count: number,
    writes: boolean,
    handler: ReplyHandler | null,
  ): Run {
    const run = this.ring.push();
    run.client = client;
    run.handler = handler;
    run.count = count;
    run.left = count;
    run.kept = true;
    run.writes = writes;
    run.reads = !writes;
    run.durable = writes || handler?.blocking === true;
    if (run.durable) this.#reading.sent();
    if (writes) this.writesInFlight++;
    this.#outbox.add(run, buf, start, end);
    run.sentMs = this.#outbox.now;
    this.crowd.add(end - start);
    if (client !== null) {
      run.deaths = client.deaths;
      client.onRunSent(count, end - start);
      run.since = client.heldSince > 0 ? client.heldSince : this.#outbox.now;
    }
    return run;
  }

  /** How long, in ms, the server has said nothing though the run at the head waits for its answer. */
  get silentMs(): number {
    const head = this.ring.sent > 0 ? this.ring.peek() : undefined;
    if (head === undefined || head.handler?.blocking === true || this.#brake.on) return 0;
    return performance.now() - Math.max(head.since, this.#now);
  }

  /** How long, in ms, the server has not answered what everything behind it waits for; 0 while nothing does. */
  get stuckMs(): number {
    return this.#reading.waits || this.retired || !this.ready ? 0 : this.silentMs;
  }

  /** Something came of the next answer, which nobody was given. */
  get hears(): boolean {
    return this.#inbox.end > this.#inbox.start;
  }

  /** What others cause may come on it late, whoever has it then: so nobody else is to have it. */
  keepFromOthers(): void {
    this.#proven = false;
  }

  /** It may be given to another client. */
  get proven(): boolean {
    return this.#proven && this.ring.size === 0;
  }

  /** How many requests may be unanswered on it, by how long answers have been. */
  get window(): number {
    return this.#outbox.window;
  }

  /** Closes at once, for a reason that says nothing of the server; unanswered runs go to onClosed. */
  destroy(reason: string): void {
    this.#close(reason);
  }

  /** The same, because of the server. */
  fail(reason: string): void {
    this.failed ||= !this.closed;
    this.#close(reason);
  }

  #consume(end: number): void {
    const inbox = this.#inbox;
    const { buf } = inbox;
    const { requestsSent } = this.ring;
    let pos = inbox.start;
    let taken = pos;
    this.#now = performance.now();
    // Replies for one client that follow each other leave in one write: from `mark` to `pos`.
    if (this.#long.goesOn) pos = this.#passOn(pos, end);
    let mark = pos;
    let counted = pos;
    let client: ReplySink | null = null;
    let next = pos;
    while (pos < end && !this.closed) {
      const run = this.ring.peek();
      if (run === undefined || this.outOfBand || buf[pos] === MINUS || !run.plain) {
        next = frameReply(buf, pos, end, this.#progress);
        if (next < 0) break;
        if (client !== null && mark < pos) this.#pass(client, mark, pos);
        client = null;
        this.#headBytes += next - counted;
        counted = next;
        if (!this.#takeOne(run, buf, pos, next)) taken += next - pos;
        pos = next;
        mark = next;
        continue;
      }
      const its = run.client as ReplySink;
      if (its !== client) {
        if (client !== null && mark < pos) this.#pass(client, mark, pos);
        client = its;
        mark = pos;
      }
      do {
        next = frameReply(buf, pos, end, this.#progress);
        if (next < 0) break;
        pos = next;
        run.left--;
        this.#long.end();
      } while (run.left > 0 && pos < end && buf[pos] !== MINUS);
      if (next < 0) break;
      if (run.left > 0) continue;
      if (its.expectant) {
        this.#pass(its, mark, pos);
        mark = pos;
      }
      this.#headBytes += pos - counted;
      counted = pos;
      this.#finish(run);
    }
    if (client !== null && mark < pos) this.#pass(client, mark, pos);
    if (next === REPLY_MALFORMED) {
      // What was whole before it has gone to its clients.
      inbox.start = pos;
      this.fail('the server sent something that is not RESP');
      return;
    }
    inbox.start = end - pos > longReplyBytes ? this.#passOnStart(pos, end) : pos;
    this.#headBytes += inbox.start - counted;
    this.#outbox.answered(requestsSent - this.ring.requestsSent, inbox.start - taken);
    const head = this.ring.peek();
    if (head?.kept === false && head.client !== null) this.#brake.holdBack(head.client);
  }

  /** Replies for one client, as they stand in the inbox. */
  #pass(client: ReplySink, start: number, end: number): void {
    if (client.pass(this.#inbox.buf, start, end)) this.#inbox.lend();
  }

  /** The beginning of a long reply goes to its client before the rest is there. Returns what was taken. */
  #passOnStart(pos: number, end: number): number {
    const run = this.ring.peek();
    if (run === undefined || !run.plain || this.outOfBand) return pos;
    const at = pos + this.#progress.at;
    const taken = this.#long.begin(run.client as ReplySink, this.#inbox.buf, pos, at, end);
    if (taken > pos) this.#progress.at = 0;
    return taken;
  }

  /** More of the body of a long bulk string. Returns where the bytes after it start. */
  #passOn(start: number, end: number): number {
    const next = this.#long.passOn(this.#inbox.buf, start, end);
    this.#headBytes += next - start;
    if (!this.#long.goesOn && --this.#progress.missing === 0) {
      this.#long.end();
      const run = this.ring.peek() as Run;
      if (--run.left === 0) this.#finish(run);
    }
    return next;
  }

  /** What its client does not read is kept in the gate for now. */
  readOn(): void {
    if (!this.closed) this.#brake.release();
  }

  /** Writes a part of a long request as it comes; `onDrained` is called when the server has taken it. */
  pass(chunk: Buffer, onDrained: () => void): boolean {
    this.#outbox.flushAll();
    if (this.closed || this.#socket.write(chunk)) return true;
    return this.takes(onDrained);
  }

  /** Whether the server takes what it is sent; if not, `onDrained` is called when it has, or is gone. */
  takes(onDrained: () => void): boolean {
    const socket = this.#socket;
    if (this.closed || socket.writableLength < untakenBytes) return true;
    const goOn = () => {
      socket.off('drain', goOn).off('close', goOn);
      onDrained();
    };
    socket.once('drain', goOn).once('close', goOn);
    return false;
  }

  /** Sends whole requests that nobody keeps: if the connection breaks, they are lost. */
  sendUnkept(
    client: ReplySink,
    buf: Buffer,
    start: number,
    end: number,
    count: number,
    writes: boolean,
  ): void {
    this.#outbox.flushAll();
    this.#socket.write(Buffer.from(buf.subarray(start, end)));
    let run = this.ring.last;
    if (run === undefined || run.kept || run.client !== client) {
      run = this.ring.push();
      run.start = run.end = run.count = run.left = 0;
      run.client = client;
      run.handler = null;
      run.kept = run.writes = run.durable = false;
      run.reads = true;
      run.since = this.#outbox.now;
      this.ring.markSent();
      client.onRunSent(0, 0);
    }
    this.ring.extend(count);
    client.onRunExtended(count);
    if (!writes || run.writes) return;
    run.writes = run.durable = true;
    this.writesInFlight++;
    this.#reading.sent();
  }

  /** False when it answers nothing. */
  #takeOne(run: Run | undefined, buf: Buffer, start: number, end: number): boolean {
    if (this.outOfBand && this.#events.onOutOfBand?.(this, buf, start, end)) return false;
    if (run === undefined) {
      this.fail(`the server answered what was not asked: ${buf.toString('latin1', start, start + 80)}`);
    } else if (run.handler !== null) {
      const { handler } = run;
      if (!handler.proves(buf, start, end)) this.#proven = false;
      if (handler.onReply(buf, start, end)) this.#finish(run);
    } else {
      run.client?.onReply(run, buf, start, end);
      if (--run.left === 0) this.#finish(run);
    }
    return true;
  }

  /** The client is gone: what it has here and was not sent is never sent. */
  drop(client: ReplySink): void {
    if (this.closed || this.ring.dropUnsent(client, (run) => this.#uncount(run)) === 0) return;
    this.#outbox.compact();
    if (this.retired && this.ring.size === 0) this.destroy('it was replaced');
  }

  #uncount(run: Run): void {
    if (run.writes) this.writesInFlight--;
    if (run.durable) this.#reading.answered();
    this.crowd.remove(run.end - run.start);
  }

  /** Takes the run at the head off, as answered. */
  #finish(run: Run): void {
    const replyBytes = this.#headBytes;
    this.#headBytes = 0;
    const { client } = run;
    this.#uncount(run);
    if (client !== null && run.kept && run.handler?.blocking !== true) {
      client.countAnswered(this.#now - run.since, run);
    }
    this.ring.shift();
    if (this.retired && this.ring.size === 0) this.destroy('it was replaced');
    client?.onRunDone(run, replyBytes);
  }

  #close(reason: string): void {
    if (this.closed) return;
    this.#reading.onEnd();
    // What was taken may have been all that it was kept for.
    if (this.closed) return;
    this.closed = true;
    this.#socket.destroy();
    this.#outbox.close();
    this.crowd.clear();
    this.#long.breakOff();
    this.#events.onClosed(this, reason);
  }
}
