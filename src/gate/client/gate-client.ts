import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { writeError } from '../../resp/write.ts';
import type { Command } from '../commands/command-table.ts';
import type { ClosedFor } from '../control/control-api.ts';
import type { Login } from '../upstream/identity.ts';
import { Place } from '../upstream/place.ts';
import type { Loss, Run } from '../upstream/run.ts';
import { Apart } from './apart.ts';
import type { Client, Router } from './client.ts';
import { ClientOutput } from './client-output.ts';
import { endWith, Farewell } from './farewell.ts';
import { Flow } from './flow.ts';
import { Intake } from './intake.ts';
import { answerOrRetry, retryLost } from './replay.ts';
import { Replies } from './replies.ts';
import { RequestBuffer } from './request-buffer.ts';
import { type Again, RetryQueue } from './retry-queue.ts';
import { sendPlainly } from './send-plain.ts';
import { Session } from './session.ts';
import { SharedReadSocket } from './shared-reads.ts';
import { sendSpecial } from './specials.ts';
import { restoreTracking } from './tracking-restore.ts';
import { Turns } from './turns.ts';
import { isUnasked, mayBeUnasked } from './unasked.ts';

/**
 * One client of a listener. It reads requests, finds an upstream for each in order, and passes replies back. At any
 * time everything it has in flight is on one connection, so the order of its replies is that connection's order;
 * a request that needs another connection, or is answered here, waits until those before it are answered.
 * What can't go on stays in `requests`, or in `retries` if it is to be sent again. Who clears an obstacle calls `pump`.
 */
export class GateClient implements Client {
  readonly id: number;
  readonly socket: Socket;
  #router: Router;
  readonly address: string;
  readonly session = new Session();
  readonly requests = new RequestBuffer();
  readonly output: ClientOutput;
  readonly flow: Flow;
  readonly apart = new Apart(this);
  readonly #replies: Replies;
  readonly since = Date.now();
  readonly cameAt = performance.now();
  readonly retries = new RetryQueue();
  readonly #farewell = new Farewell(this);
  readonly #turns = new Turns(this, this.#farewell);
  readonly #intake = new Intake(this, () => this.idle() && this.retries.isEmpty && !this.#turns.settling);
  #inFlight = 0;
  #heldSince = 0;
  readonly place = new Place();
  #deaths = 0;
  #lastCommand = '';
  #counted = 0;
  #closed = false;

  constructor(id: number, socket: Socket, router: Router, address: string | null = null) {
    this.id = id;
    this.address = address ?? `${socket.remoteAddress}:${socket.remotePort}`;
    this.socket = socket;
    this.#router = router;
    this.output = new ClientOutput(socket, router.counters);
    this.flow = new Flow(router.config.limits.replyBytes);
    this.#replies = new Replies(this, socket);
    const intake = this.#intake;
    if (socket instanceof SharedReadSocket) socket.onReceived((buf, bytes) => intake.receive(buf, bytes));
    else socket.on('data', (chunk: Buffer) => intake.receive(chunk, chunk.length));
    socket.on('drain', () => this.#onDrained());
    socket.on('error', () => this.close());
    socket.on('end', () => {
      // As a server, which hears nothing of whom it waits for in the middle of a request, or in WAIT.
      if (intake.passesLong || this.#turns.parked) this.close();
      else this.#farewell.onEnd();
    });
    socket.on('close', () => this.close());
  }

  get router(): Router {
    return this.#router;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get heldSince(): number {
    return this.#heldSince;
  }

  /** Of what is being sent: servers that died while they had it. */
  get deaths(): number {
    return this.#deaths;
  }

  get lastCommand(): string {
    return this.#lastCommand;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(reason?: ClosedFor, last?: Buffer): void {
    if (this.#closed) return;
    this.#closed = true;
    if (reason !== undefined) this.#router.counters.close(reason);
    if (last === undefined) this.socket.destroy();
    else endWith(this.socket, last);
    this.#replies.drained();
    this.apart.stop();
    this.#intake.abandon();
    this.#turns.giveUp();
    this.#router.buffered.update(this);
    this.#router.onClientClosed(this);
    // A connection that still answers it knows it for a while.
    this.requests.clear();
  }

  get heldBytes(): number {
    const { requests, output, session, flow, retries, place } = this;
    const replies = output.unread + (place.own?.heldBytes ?? 0);
    const kept = retries.bytes + session.keptBytes + (this.#router.routes?.keptBytes(this) ?? 0);
    return requests.size + this.#intake.heldBytes + flow.heldBytes + replies + kept;
  }

  get direct(): boolean {
    return !this.retries.collecting && this.#replies.mode !== 'skip';
  }

  get expectant(): boolean {
    return this.#turns.waiting || this.flow.starved;
  }

  get waiting(): boolean {
    return this.#turns.waiting;
  }

  get closing(): boolean {
    return this.#turns.closing;
  }

  get unread(): number {
    return this.output.unread;
  }

  get patientBytes(): number {
    return this.apart.patientBytes ?? this.flow.mostUnread;
  }

  get replies(): 'on' | 'off' | 'skip' {
    return this.#replies.mode;
  }

  whenRead(onRead: () => void): void {
    this.output.whenRead(onRead);
  }

  onOwnReady(): void {
    restoreTracking(this);
    this.pump();
  }

  onPart(bytes: number): void {
    if (bytes > this.#router.config.limits.replyBytes) this.close('slow-reader');
    else this.#router.buffered.update(this);
  }

  closeHalfway(): void {
    this.close('half-reply');
  }

  countAnswered(ms: number, run: Run): void {
    this.#router.counters.answered(ms, run.count, run.writes);
    if (run.handler === null) this.#router.copies?.take(this, run);
  }

  mayBeUnasked(byte: number | undefined): boolean {
    return mayBeUnasked(this.session, byte);
  }

  takesUnasked(buf: Buffer, start: number, end: number): boolean {
    if (!isUnasked(this.session, buf, start, end)) return false;
    this.write(buf, start, end);
    return true;
  }

  get counted(): number {
    return this.#counted;
  }

  recount(): number {
    const before = this.#counted;
    this.#counted = this.#closed ? 0 : this.heldBytes;
    return this.#counted - before;
  }

  setReplies(mode: 'on' | 'off' | 'skip'): void {
    this.#replies.want(mode);
  }

  startHold(): boolean {
    if (this.#heldSince > 0 || !this.hasWork) return false;
    this.#heldSince = performance.now();
    return true;
  }

  endHold(): void {
    this.#heldSince = 0;
  }

  onSent(command: Command): void {
    this.#heldSince = 0;
    this.#lastCommand = command.name;
  }

  get hasWork(): boolean {
    return !this.retries.isEmpty || this.requests.size > 0 || this.#intake.heldBytes > 0;
  }

  /** Goes on with what waits, as far as it can. */
  pump(): void {
    if (this.#closed || !this.#turns.go()) return;
    if (this.heldBytes !== this.#counted) this.#router.buffered.update(this);
    this.#intake.pumped();
  }

  resume(): void {
    this.#intake.resume();
  }

  onHolding(): void {
    this.#intake.onHolding();
  }

  #onDrained(): void {
    this.#replies.drained();
    this.flow.drained();
    if (this.apart.goesOn && this.#inFlight === 0) this.#rejoin();
    this.#router.buffered.update(this);
    this.resume();
    this.pump();
  }

  /** It has all its answers, and goes where others go. */
  #rejoin(): void {
    this.apart.stop();
    if (this.place.own !== null) this.#router.giveBack(this);
  }

  goTo(router: Router, standIn: Login | null): boolean {
    if (!this.apart.end() || !this.idle() || !this.retries.isEmpty) return false;
    this.#router.leave(this);
    this.endHold();
    this.#router = router;
    this.session.actAs(standIn);
    this.place.reroute();
    return true;
  }

  survived(deaths: number): void {
    this.#deaths = deaths;
  }

  settle(): void {
    this.#turns.settle();
  }

  park(start: (done: (reply: Buffer) => void) => () => void): void {
    this.#turns.park(start);
  }

  end(): void {
    this.#turns.close();
    this.pump();
  }

  idle(): boolean {
    if (this.#inFlight === 0) return true;
    this.#turns.wait();
    this.readOn();
    return false;
  }

  /** Its connection does not wait for it to read. */
  readOn(): void {
    if (this.apart.on) this.place.own?.readOn();
  }

  sendOne(command: Command, buf: Buffer, start: number, end: number): boolean {
    const { router } = this;
    const refusal = router.refuses ? router.refuse(this, command) : null;
    let sent = true;
    if (refusal !== null) {
      if (!this.idle()) return false;
      if (this.session.transaction.open) this.session.transaction.spoil();
      this.deliver(refusal, 0, refusal.length);
    } else if (command.behaviour.kind !== 'plain' || this.session.transaction.open) {
      sent = this.apart.end() && sendSpecial(this, command, buf, start, end);
    } else {
      sent = sendPlainly(this, command, buf, null, start, end);
    }
    if (!sent) return false;
    // Who says goodbye asks for nothing: so agents of other hosts see whether the listener answers.
    if (command.behaviour.kind !== 'quit') {
      command.calls++;
      router.counters.executed(1);
    }
    this.onSent(command);
    return true;
  }

  fail(text: string, reason: ClosedFor = 'protocol'): void {
    this.#router.counters.close(reason);
    this.retries.push({ reply: writeError(text) });
    this.#turns.close();
    this.requests.clear();
    this.socket.pause();
  }

  refuseSession(error: string): void {
    if (this.closing) {
      this.close('session');
      return;
    }
    this.retries.clear();
    this.fail(error, 'session');
    this.pump();
  }

  confirm(buf: Buffer, start: number, end: number): void {
    this.#replies.confirm(buf, start, end);
  }

  deliver(buf: Buffer, start: number, end: number): void {
    this.#replies.deliver(buf, start, end);
  }

  write(buf: Buffer, start: number, end: number): void {
    this.#replies.write(buf, start, end);
  }

  pass(buf: Buffer, start: number, end: number): boolean {
    return this.#replies.pass(buf, start, end);
  }

  onReply(run: Run, buf: Buffer, start: number, end: number): void {
    answerOrRetry(this, run, buf, start, end);
  }

  sendAgain(item: Again): void {
    this.retries.again(item);
    this.#router.counters.count('retried');
  }

  onRunSent(requests: number, bytes: number): void {
    this.#inFlight++;
    this.flow.sent(requests, bytes);
  }

  onRunExtended(requests: number): void {
    this.flow.sent(requests, 0);
    this.#router.copies?.skip(this, requests);
  }

  onRunLost(run: Run, loss: Loss): void {
    if (!run.kept) this.apart.stop();
    retryLost(this, run, loss);
    this.#inFlight--;
    this.flow.done(run.count, run.end - run.start);
    this.#router.buffered.update(this);
  }

  onRunDone(run: Run, replyBytes: number, handled: boolean): void {
    const { flow } = this;
    flow.done(run.count, run.end - run.start);
    if (run.reads) flow.learn(run.count, replyBytes);
    if (--this.#inFlight === 0 && (this.#turns.waiting || this.retries.collecting || this.place.own !== null))
      this.onIdle();
    if (flow.starved && flow.fed) this.pump();
    // A handler may have changed what is kept of the client.
    if (this.#counted > 0 || handled) this.#router.buffered.update(this);
  }

  /** Nothing is in flight: what is sent again comes first, then the rest. */
  onIdle(): void {
    if (this.apart.on && this.unread === 0) {
      this.#rejoin();
      this.pump();
    }
    if (this.retries.collecting) {
      const resubscribed = this.retries.release();
      const rewound = this.session.transaction.rewind();
      // The old connection is not where the client is: inside a MULTI that can't go on, or subscribed to other things.
      if (rewound || resubscribed) this.#router.dropOwn(this);
      this.pump();
    } else if (this.#turns.waiting) this.pump();
    if (this.place.own !== null && this.#inFlight === 0 && !this.apart.on) this.#router.giveBack(this);
  }
}
