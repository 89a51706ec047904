import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { abandonSocket } from '../../redis/open-socket.ts';
import { MINUS } from '../../resp/bytes.ts';
import { frameReply, REPLY_MALFORMED, type ReplyProgress } from '../../resp/reply.ts';
import type { MemberAddress } from '../config.ts';
import { Brake } from './brake.ts';
import { ConfirmedReading } from './confirmed-reading.ts';
import { Crowd } from './crowd.ts';
import { Inbox } from './inbox.ts';
import { LongReply, longReplyBytes } from './long-reply.ts';
import { openUpstreamSocket, watchSocket } from './open-socket.ts';
import { Outbox } from './outbox.ts';
import { Passage } from './passage.ts';
import type { ReplyHandler, ReplySink, Run, Unasked } from './run.ts';
import { RunRing } from './run-ring.ts';
import { ServerSide } from './server-side.ts';
import type { UpstreamEvents } from './upstream-events.ts';
import type { UpstreamOptions } from './upstream-options.ts';

/**
 * One pipelined connection to one member. Requests go out in the order of `send`, once per turn of the event
 * loop; the replies come back in that order, and each goes to the client of the run at the head of the ring.
 */
export class Upstream {
  readonly target: MemberAddress;
  readonly ring = new RunRing();
  readonly #events: UpstreamEvents;
  readonly reading: ConfirmedReading;
  readonly crowd = new Crowd();
  readonly #inbox = new Inbox();
  readonly #progress: ReplyProgress = { missing: 0, at: 0 };
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  readonly #brake: Brake;
  readonly #long: LongReply;
  /** What is not kept goes through here. */
  readonly passage: Passage;
  /** Who it is at its server. */
  readonly atServer = new ServerSide();
  #owner: Unasked | null = null;
  #retired = false;
  #expiring = false;
  #ready = false;
  #closed = false;
  #failed = false;
  /** Every reply until now showed that it is what the gate takes it for, and nothing else can come on it. */
  #proven = true;
  /** Bytes of the answers that the run at the head has had. */
  #headBytes = 0;
  #partBytes = 0;
  /** Monotonic ms of the bytes that are looked at now. */
  #now = 0;

  constructor(target: MemberAddress, options: UpstreamOptions, events: UpstreamEvents) {
    const { connectMs, patience, tls } = options;
    this.reading = new ConfirmedReading(target, options, this.#inbox, {
      isClosed: () => this.#closed,
      consume: (end) => this.#consume(end),
      read: (on) => (on && !this.#brake.on ? this.#socket.resume() : this.#socket.pause()),
      fail: (reason) => this.fail(reason),
      abandon: (reason) => this.abandon(reason),
    });
    this.target = target;
    this.#events = events;
    this.#socket = openUpstreamSocket(target, tls, {
      buffer: () => this.#inbox.room() as Buffer<ArrayBuffer>,
      callback: (bytes) => {
        this.#inbox.received(bytes);
        this.reading.onBytes();
        return true;
      },
    });
    this.#outbox = new Outbox(this.ring, this.#socket);
    const resume = () => (this.reading.standsStill ? this.#socket : this.#socket.resume());
    this.#brake = new Brake({ pause: () => this.#socket.pause(), resume }, patience, () => events.onSlow?.());
    this.#long = new LongReply(this.ring, this.#brake);
    this.passage = new Passage(this.ring, this.#outbox, this.#socket, this.reading);
    if (tls?.upstream) {
      this.#socket.on('data', (chunk) => {
        this.#inbox.add(chunk);
        this.reading.onBytes();
      });
    }
    watchSocket(this.#socket, tls, connectMs, {
      onConnect: () => events.onConnect(),
      onFailed: (reason) => this.fail(reason),
      onNoRoom: () => events.onNoRoom(),
    });
  }

  /** The client that has it for itself; null when it is shared, or idle. */
  get owner(): Unasked | null {
    return this.#owner;
  }

  /** Nothing more is sent on it. */
  get retired(): boolean {
    return this.#retired;
  }

  /** It is being given up; what is in flight has a moment to be answered. */
  get expiring(): boolean {
    return this.#expiring;
  }

  /** Its owner has put it into the state that requests need. */
  get ready(): boolean {
    return this.#ready;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The server ended it, or did not do what a server does: it may be lost. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Unanswered runs that a hold has to wait for. */
  get hasWrites(): boolean {
    return this.ring.some((run) => run.writes && run.handler?.partial !== true);
  }

  /** Requests may follow: it is in the state that they need. @param run of the server's process that it leads to */
  becomeReady(run: string): void {
    this.atServer.leadsTo(run);
    this.#ready = true;
  }

  /** This client has it for itself; null: nobody has. */
  giveTo(owner: Unasked | null): void {
    this.passage.reset();
    this.#owner = owner;
  }

  /** Nothing more is sent on it; it ends with its last answer. */
  retire(): void {
    this.#retired = true;
  }

  /** It is given up; what is in flight has a moment to be answered. */
  expire(): void {
    this.#expiring = true;
    if (!this.#closed) this.#brake.release();
  }

  /** That moment is over. */
  endExpiry(): void {
    this.#expiring = false;
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
    run.begin(client, count, writes, handler);
    this.reading.sent(run);
    // Whoever looks at the reply itself keeps the request, too.
    this.#outbox.add(run, buf, start, end, handler !== null);
    this.crowd.add(end - start);
    const { now } = this.#outbox;
    if (client === null) run.sent(now, now, 0);
    else {
      client.onRunSent(count, end - start);
      run.sent(now, client.heldSince > 0 ? client.heldSince : now, client.deaths);
    }
    return run;
  }

  /** How long, in ms, the server has said nothing though the run at the head waits for its answer. */
  get silentMs(): number {
    const head = this.ring.sent > 0 ? this.ring.peek() : undefined;
    const isRead = !this.#brake.on && !this.reading.standsStill;
    if (head === undefined || head.handler?.blocking === true || !isRead) return 0;
    return performance.now() - Math.max(head.since, this.#now);
  }

  /** How long, in ms, the server has not answered what everything behind it waits for; 0 while nothing does. */
  get stuckMs(): number {
    return this.reading.waits || this.#retired || !this.#ready ? 0 : this.silentMs;
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

  /** Bytes that are kept for its owner here, and nowhere else. */
  get heldBytes(): number {
    return this.#partBytes + this.passage.untaken;
  }

  /** How many requests may be unanswered on it, by how long answers have been. */
  get window(): number {
    return this.#outbox.window;
  }

  /** Closes at once, for a reason that says nothing of the server; unanswered runs go to onClosed. */
  destroy(reason: string): void {
    this.#close(reason);
  }

  /** The same, and its server never gets what it was sent and has not got yet: whoever sent that hears that it is uncertain. */
  abandon(reason: string): void {
    if (!this.#closed) abandonSocket(this.#socket);
    this.#close(reason);
  }

  /** The same, because of the server. */
  fail(reason: string): void {
    this.#failed ||= !this.#closed;
    this.abandon(reason);
  }

  #consume(end: number): void {
    const inbox = this.#inbox;
    const { buf } = inbox;
    const { requestsSent } = this.ring;
    let pos = inbox.start;
    let taken = pos;
    this.#now = performance.now();
    this.#partBytes = 0;
    // Replies for one client that follow each other leave in one write: from `mark` to `pos`.
    if (this.#long.goesOn) pos = this.#passOn(pos, end);
    let mark = pos;
    let counted = pos;
    let client: ReplySink | null = null;
    let next = pos;
    while (pos < end && !this.#closed) {
      const run = this.ring.peek();
      if (run === undefined || !run.plain || this.#isOdd(buf[pos])) {
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
      let { left } = run;
      do {
        next = frameReply(buf, pos, end, this.#progress);
        if (next < 0) break;
        pos = next;
        left = run.answered();
        this.#long.end();
      } while (left > 0 && pos < end && !this.#isOdd(buf[pos]));
      if (next < 0) break;
      if (left > 0) continue;
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
      inbox.taken(pos);
      this.fail('the server sent something that is not RESP');
      return;
    }
    inbox.taken(end - pos > longReplyBytes ? this.#passOnStart(pos, end) : pos);
    this.#headBytes += inbox.start - counted;
    this.#outbox.answered(requestsSent - this.ring.requestsSent, inbox.start - taken);
    const head = this.ring.peek();
    if (head?.kept === false && head.client !== null) this.#brake.holdBack(head.client);
    if (end - inbox.start <= longReplyBytes || this.#closed) return;
    this.#partBytes = end - inbox.start;
    (this.#owner ?? head?.client)?.onPart(this.#partBytes);
  }

  /** Whether what begins with this byte has to be looked at; in the middle of a reply nothing has. */
  #isOdd(byte: number | undefined): boolean {
    if (byte !== MINUS && this.#owner === null) return false;
    return !this.#long.begun && (byte === MINUS || this.#owner?.mayBeUnasked(byte) === true);
  }

  /** Replies for one client, as they stand in the inbox. */
  #pass(client: ReplySink, start: number, end: number): void {
    if (client.pass(this.#inbox.buf, start, end)) this.#inbox.lend();
  }

  /** The beginning of a long reply goes to its client before the rest is there. Returns what was taken. */
  #passOnStart(pos: number, end: number): number {
    const run = this.ring.peek();
    if (run === undefined || !run.plain || this.#isOdd(this.#inbox.buf[pos])) return pos;
    const taken = this.#long.begin(
      run.client as ReplySink,
      this.#inbox.buf,
      pos,
      pos + this.#progress.at,
      end,
    );
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
      if (run.answered() === 0) this.#finish(run);
    }
    return next;
  }

  /** What its client does not read is kept in the gate for now. */
  readOn(): void {
    if (!this.#closed) this.#brake.release();
  }

  /** False when it answers nothing. */
  #takeOne(run: Run | undefined, buf: Buffer, start: number, end: number): boolean {
    if (this.#owner?.takesUnasked(buf, start, end)) return false;
    if (run === undefined) {
      this.fail(`the server answered what was not asked: ${buf.toString('latin1', start, start + 80)}`);
    } else if (run.handler !== null) {
      const { handler } = run;
      if (!handler.proves(buf, start, end)) this.#proven = false;
      if (handler.onReply(buf, start, end)) this.#finish(run);
    } else {
      run.client?.onReply(run, buf, start, end);
      if (run.answered() === 0) this.#finish(run);
    }
    return true;
  }

  /** The client is gone: what it has here and was not sent is never sent. */
  drop(client: ReplySink): void {
    if (this.#closed || this.ring.dropUnsent(client, (run) => this.#uncount(run)) === 0) return;
    this.#outbox.compact();
    if (this.#retired && this.ring.size === 0) this.destroy('it was replaced');
  }

  #uncount(run: Run): void {
    this.reading.answered(run);
    this.crowd.remove(run.end - run.start);
  }

  /** Takes the run at the head off, as answered. */
  #finish(run: Run): void {
    const replyBytes = this.#headBytes;
    this.#headBytes = 0;
    const { client, handler } = run;
    this.#uncount(run);
    if (client !== null && run.kept && run.handler?.blocking !== true) {
      client.countAnswered(this.#now - run.since, run);
    }
    this.ring.shift();
    if (this.#retired && this.ring.size === 0) this.destroy('it was replaced');
    client?.onRunDone(run, replyBytes, handler !== null);
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.reading.onEnd();
    // What was taken may have been all that it was kept for.
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#outbox.close();
    this.crowd.clear();
    this.#long.breakOff();
    this.#events.onClosed(reason);
  }
}
