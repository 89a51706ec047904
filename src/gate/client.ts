import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { splitInline } from '../resp/arguments.ts';
import {
  createRequestFrame,
  frameRequest,
  INCOMPLETE,
  MALFORMED,
  resetFrame,
  shiftFrame,
} from '../resp/request.ts';
import { writeError, writeRequest } from '../resp/write.ts';
import { type Bounce, currentRequest, type Item, refusalOf, requestsOf } from './bounce.ts';
import { type Command, isIdempotent } from './commands.ts';
import type { Router } from './router.ts';
import type { Run } from './run-ring.ts';
import { Session } from './session.ts';
import { sendSpecial } from './specials.ts';
import type { Upstream } from './upstream.ts';

const noBytes = Buffer.alloc(0);

const uncertain = writeError(
  'UNCERTAIN the primary went down before it answered; this write may or may not have been applied',
);

/**
 * One client of a door. It reads requests, finds an upstream for each in order, and passes replies back. At any
 * time everything it has in flight is on one connection, so the order of its replies is that connection's order;
 * a request that needs another connection, or is answered here, waits until those before it are answered.
 *
 * What can't go on now stays where it is: unread requests in `#buf`, what must be sent again in `backlog`. `pump`
 * goes on from there; whoever clears an obstacle calls it.
 */
export class Client {
  readonly id: number;
  readonly socket: Socket;
  readonly router: Router;
  readonly session = new Session();
  readonly #frame = createRequestFrame();
  #buf: Buffer = noBytes;
  #pos = 0;
  #incomplete = false;
  #pumping = false;
  #paused = false;
  backlog: Item[] = [];
  bounce: Bounce | null = null;
  /** Runs sent and not answered. */
  inFlight = 0;
  /** `pump` wants to be called when nothing is in flight any more. */
  waiting = false;
  /** Monotonic ms since when its next request waits for a primary; 0 when it doesn't. */
  heldSince = 0;
  upstream: Upstream | null = null;
  /** MULTI was sent, and no EXEC or DISCARD after it. */
  inMulti = false;
  /** A queued command failed here, so its EXEC must not be sent. */
  multiFailed = false;
  replies: 'on' | 'off' | 'skip-next' | 'skip' = 'on';
  closing = false;
  closed = false;

  constructor(id: number, socket: Socket, router: Router) {
    this.id = id;
    this.socket = socket;
    this.router = router;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#resume());
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroy();
    this.router.onClientClosed(this);
  }

  #onData(chunk: Buffer): void {
    this.router.counters.bytesIn += chunk.length;
    if (this.closing) return;
    const rest = this.#buf.length - this.#pos;
    if (rest === 0) {
      this.#buf = chunk;
    } else {
      shiftFrame(this.#frame, this.#pos);
      this.#buf = Buffer.concat([this.#buf.subarray(this.#pos), chunk]);
    }
    this.#pos = 0;
    this.#incomplete = false;
    this.pump();
    const kept = this.#buf.length - this.#pos;
    if (kept > this.router.config.limits.requestBytes && !this.#incomplete && !this.#paused) this.#pause();
  }

  #pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  #resume(): void {
    if (this.#paused && this.socket.writableLength === 0) {
      this.#paused = false;
      this.socket.resume();
      this.pump();
    }
  }

  /** Goes on with what waits, as far as it can. */
  pump(): void {
    if (this.#pumping || this.closed) return;
    this.#pumping = true;
    this.waiting = false;
    while (this.bounce === null && this.#goOn());
    this.#pumping = false;
    if (this.#paused && this.#buf.length === this.#pos) this.#resume();
  }

  /** True when there may be more to do at once. */
  #goOn(): boolean {
    const item = this.backlog[0];
    if (item !== undefined) {
      if ('reply' in item) {
        if (!this.idle()) return false;
        this.deliver(item.reply, 0, item.reply.length);
      } else if (!this.#sendItem(item.request)) return false;
      this.backlog.shift();
      return true;
    }
    if (this.closing) {
      if (this.idle()) this.socket.end();
      return false;
    }
    return this.#sendNext();
  }

  /** Something of it waits to be sent. */
  get hasWork(): boolean {
    return this.backlog.length > 0 || this.bounce !== null || this.#pos < this.#buf.length;
  }

  /** Whether nothing is in flight; if not, pump is called when that is so. */
  idle(): boolean {
    if (this.inFlight === 0) return true;
    this.waiting = true;
    return false;
  }

  #sendItem(request: Buffer): boolean {
    const frame = createRequestFrame();
    frameRequest(request, 0, request.length, frame, this.router.requestLimits);
    const command = this.#commandOf(request, frame);
    return this.#send(command, request, 0, request.length);
  }

  /** Sends the plain requests that come next as one run, or one that is not plain. */
  #sendNext(): boolean {
    const { router } = this;
    const frame = this.#frame;
    const start = this.#pos;
    let pos = start;
    let count = 0;
    let writes = false;
    let upstream: Upstream | null = null;
    while (pos < this.#buf.length && !this.#incomplete) {
      const next = frameRequest(this.#buf, pos, this.#buf.length, frame, router.requestLimits);
      if (next === INCOMPLETE) {
        this.#incomplete = true;
        break;
      }
      if (next === MALFORMED || frame.count <= 0) {
        if (count > 0) break;
        return this.#takeOdd(next);
      }
      const command = this.#commandOf(this.#buf, frame);
      if (command.special !== null || this.inMulti || command.subcommands !== null || router.refuses) {
        if (count > 0) break;
        if (!this.#send(command, this.#buf, pos, next)) return false;
        this.#pos = next;
        return true;
      }
      if (!command.read) {
        if (router.holding !== 'none') break;
        writes = true;
      }
      if (upstream === null) {
        upstream = router.upstreamFor(this, command);
        if (upstream === null) return false;
      }
      command.calls++;
      count++;
      pos = next;
    }
    if (count === 0) {
      if (pos < this.#buf.length && !this.#incomplete) router.hold(this);
      return false;
    }
    (upstream as Upstream).send(this, this.#buf, start, pos, count, writes, null);
    router.counters.commands += count;
    this.#pos = pos;
    this.heldSince = 0;
    return pos < this.#buf.length;
  }

  /** One request on its own: true when it was sent or answered, false when it must wait. */
  #send(command: Command, buf: Buffer, start: number, end: number): boolean {
    const { router } = this;
    const refusal = router.refuses ? router.refuse(this, command) : null;
    if (refusal !== null) {
      if (!this.idle()) return false;
      this.deliver(refusal, 0, refusal.length);
      return true;
    }
    if (command.special !== null || this.inMulti) {
      const sent = sendSpecial(this, command, buf, start, end);
      if (sent) this.#sent(command);
      return sent;
    }
    if (!command.read && router.holding !== 'none') {
      router.hold(this);
      return false;
    }
    const upstream = router.upstreamFor(this, command);
    if (upstream === null) return false;
    upstream.send(this, buf, start, end, 1, !command.read, null);
    this.#sent(command);
    return true;
  }

  #sent(command: Command): void {
    command.calls++;
    this.router.counters.commands++;
    this.heldSince = 0;
  }

  #commandOf(
    buf: Buffer,
    frame: { nameStart: number; nameEnd: number; argStart: number; argEnd: number },
  ): Command {
    const command = this.router.table.find(buf, frame.nameStart, frame.nameEnd);
    if (command.subcommands === null || command.special !== null || frame.argStart < 0) return command;
    const name = buf
      .toString('latin1', frame.argStart, Math.min(frame.argEnd, frame.argStart + 32))
      .toLowerCase();
    return command.subcommands.get(name) ?? command;
  }

  /** A request that is malformed, empty or a line of words. */
  #takeOdd(next: number): boolean {
    if (next === MALFORMED) {
      this.fail(`ERR ${this.#frame.error}`);
      return true;
    }
    const line = this.#buf.subarray(this.#pos, next);
    this.#pos = next;
    if (this.#frame.count === 0) return true;
    const words = splitInline(line.subarray(0, line.length - 1));
    if (words === undefined) this.fail('ERR Protocol error: unbalanced quotes in request');
    else if (words.length > 0) this.backlog.push({ request: writeRequest(words) });
    return true;
  }

  /** Answers with an error after everything before it, and closes the connection then. */
  fail(text: string): void {
    this.router.counters.errors++;
    this.backlog.push({ reply: writeError(text) });
    this.closing = true;
    this.#buf = noBytes;
    this.#pos = 0;
    resetFrame(this.#frame);
  }

  /** A reply that is the client's next: written at once, or kept while an earlier request is sent again. */
  deliver(buf: Buffer, start: number, end: number): void {
    if (this.bounce !== null) {
      this.bounce.items.push({ reply: Buffer.from(buf.subarray(start, end)) });
      return;
    }
    if (this.replies === 'on') this.write(buf, start, end);
    else if (this.replies === 'skip') this.replies = 'on';
  }

  /** Bytes for the client that are in nobody's turn. */
  write(buf: Buffer, start: number, end: number): void {
    if (this.closed) return;
    const { socket } = this;
    this.router.counters.bytesOut += end - start;
    if (end - start <= 4096) socket.write(buf.toString('latin1', start, end), 'latin1');
    else socket.write(Buffer.from(buf.subarray(start, end)));
    if (socket.writableLength > 0) this.#onSlow(socket.writableLength);
  }

  #onSlow(bytes: number): void {
    if (bytes > this.router.config.limits.replyBytes) {
      this.router.counters.errors++;
      this.close();
    } else if (!this.#paused && bytes > 65_536) this.#pause();
  }

  /** One reply to a run of several requests that is not simply passed on: an error, or one behind a bounce. */
  onReply(run: Run, buf: Buffer, start: number, end: number): void {
    const refusal = refusalOf(buf, start, end);
    if (refusal !== null && this.router.onRefusal(this, refusal, run)) {
      this.sendAgain(currentRequest(run));
    } else if (this.bounce === null) {
      this.deliver(buf, start, end);
    } else {
      const request = currentRequest(run);
      if (this.#readsOnly(request)) this.sendAgain(request);
      else this.deliver(buf, start, end);
    }
  }

  /** Has the request sent again when everything that is in flight was answered. */
  sendAgain(request: Buffer): void {
    this.bounce ??= { items: [] };
    this.bounce.items.push({ request });
    this.router.counters.bounced++;
  }

  /** The run's connection broke before it was answered. */
  onRunLost(run: Run): void {
    this.bounce ??= { items: [] };
    if (run.handler !== null) run.handler.onLost();
    else for (const request of requestsOf(run)) this.onRequestLost(request);
    this.inFlight--;
  }

  onRequestLost(request: Buffer): void {
    const { counters, config } = this.router;
    const command = this.#commandIn(request);
    if (command.read || (config.inflightWrites === 'retry-idempotent' && isIdempotent(command, request))) {
      counters.replayed++;
      this.bounce?.items.push({ request });
    } else this.answerUncertain();
  }

  answerUncertain(): void {
    this.router.counters.uncertain++;
    this.bounce?.items.push({ reply: uncertain });
  }

  #commandIn(request: Buffer): Command {
    const frame = createRequestFrame();
    frameRequest(request, 0, request.length, frame, this.router.requestLimits);
    return this.#commandOf(request, frame);
  }

  #readsOnly(request: Buffer): boolean {
    return this.#commandIn(request).read;
  }

  /** A run was answered; its connection calls this. */
  onRunDone(): void {
    if (--this.inFlight === 0) this.onIdle();
  }

  /** Nothing is in flight: what bounced comes first, then the rest. */
  onIdle(): void {
    if (this.bounce !== null) {
      this.backlog.unshift(...this.bounce.items);
      this.bounce = null;
      const inMulti = this.session.transaction !== null;
      // The old connection is inside a MULTI that can't go on; the new one is put back to where the client is.
      if (inMulti || this.inMulti) this.router.dropUpstream(this);
      this.inMulti = inMulti;
      this.pump();
    } else if (this.waiting) this.pump();
  }

  /** What waits for a primary has waited long enough: every request that is here is answered with an error. */
  failHeld(): void {
    const { counters, config } = this.router;
    this.heldSince = 0;
    const answer = (request: Buffer, error?: Buffer): Item => {
      counters.heldInVain++;
      if (this.inMulti || this.session.transaction !== null) this.multiFailed = true;
      const name = this.#commandIn(request).name;
      if (name === 'exec' || name === 'discard') this.router.dropUpstream(this);
      return { reply: error ?? writeError(`NOPRIMARY no primary was found within ${config.holdMs} ms`) };
    };
    this.backlog = this.backlog.map((item) =>
      'reply' in item ? item : answer(item.request, item.heldError),
    );
    while (this.#pos < this.#buf.length && !this.#incomplete) {
      const next = frameRequest(
        this.#buf,
        this.#pos,
        this.#buf.length,
        this.#frame,
        this.router.requestLimits,
      );
      if (next === INCOMPLETE) this.#incomplete = true;
      else if (next === MALFORMED || this.#frame.count <= 0) this.#takeOdd(next);
      else {
        this.backlog.push(answer(this.#buf.subarray(this.#pos, next)));
        this.#pos = next;
      }
    }
    this.pump();
  }
}
