import type { Buffer } from 'node:buffer';
import { readArguments } from '../../resp/arguments.ts';
import { MINUS } from '../../resp/bytes.ts';
import { ReplyError, readReply } from '../../resp/read.ts';
import { writeError, writeSimple } from '../../resp/write.ts';
import type { Behaviour } from '../commands/behaviour.ts';
import type { Command } from '../commands/command-table.ts';
import type { RequestLoss } from '../upstream/run.ts';
import type { Client } from './client.ts';
import { accessChange, Observed } from './handlers.ts';
import { observer } from './observers.ts';
import { refusalWithin } from './refusal.ts';
import { replaceAnswers } from './replaced-replies.ts';
import { answerSuspect, answerUncertain, loseRequest } from './replay.ts';
import type { BlockPart } from './retry-queue.ts';

/**
 * Transactions across a change of primary. The rules:
 *
 * - MULTI and what is queued behind it was not executed before EXEC, so it is sent again; what was answered already
 *   is put up again without a word (transaction.ts).
 * - An EXEC whose reply is lost may have been executed. It takes its whole block with it: what of the block waits to
 *   be sent again is answered as queued, and EXEC with UNCERTAIN. Nothing of it is sent again, or the requests behind
 *   it would be queued in a transaction that is over for the client. A block that only reads is sent again whole.
 * - A request that the server would not queue makes EXEC fail. That is remembered here, because the server may be
 *   another one when EXEC comes.
 */

const parts = {
  watched: { reply: writeSimple('OK'), kind: 'watch', refused: false },
  begin: { reply: writeSimple('OK'), kind: 'begin', refused: false },
  queued: { reply: writeSimple('QUEUED'), kind: 'queued', refused: false },
  multi: { reply: writeError('ERR MULTI calls can not be nested'), kind: 'error', refused: false },
  watch: { reply: writeError('ERR WATCH inside MULTI is not allowed'), kind: 'error', refused: false },
} as const satisfies Record<string, BlockPart>;

/** WATCH, MULTI, and what is sent behind it. Behind a retry nothing of it was executed, so it is sent again. */
export class Queued extends Observed {
  readonly #part: BlockPart;

  constructor(client: Client, request: Buffer, part: keyof typeof parts, onSuccess: () => void = () => {}) {
    super(client, request, onSuccess);
    this.#part = parts[part];
  }

  override onReply(buf: Buffer, start: number, end: number): boolean {
    const { client, request } = this;
    if (this.refused(buf, start, end)) client.sendAgain({ request, block: { ...this.#part, refused: true } });
    else if (client.retries.collecting) client.sendAgain({ request, block: this.#part });
    else {
      const { kind } = this.#part;
      if (buf[start] === MINUS && kind === 'begin') client.session.transaction.onMulti(request, false);
      const spoils = kind === 'queued' || (kind === 'error' && !this.#saysNoMore(buf, start, end));
      if (buf[start] === MINUS && spoils) client.session.transaction.onRefused();
      return super.onReply(buf, start, end);
    }
    return true;
  }

  override onLost(loss: RequestLoss): void {
    const { client, request } = this;
    const { retries, session } = client;
    const within = session.transaction.begun || retries.block()[0]?.block.kind === 'begin';
    // Its MULTI was refused: the server executed it.
    if (this.#part.kind === 'queued' && !within) loseRequest(client, request, loss);
    else retries.again({ request, block: this.#part });
  }

  /** The error that MULTI and WATCH have in any transaction, which goes on; another one spoils it. */
  #saysNoMore(buf: Buffer, start: number, end: number): boolean {
    return buf.compare(this.#part.reply, 0, this.#part.reply.length, start, end) === 0;
  }
}

/** EXEC or DISCARD. */
export class TransactionEnd extends Observed {
  readonly #executes: boolean;
  /** Monotonic ms. */
  readonly #sentMs = performance.now();

  constructor(client: Client, request: Buffer, executes: boolean) {
    super(client, request);
    this.#executes = executes;
  }

  override onReply(buf: Buffer, start: number, end: number): boolean {
    const { client } = this;
    const notExecuted = buf[start] === MINUS || !this.#executes;
    if (client.retries.collecting && (notExecuted || this.#onlyReads())) {
      client.sendAgain({ request: this.request, ends: true });
      return true;
    }
    if (this.refused(buf, start, end) || (!notExecuted && this.#refusedWithin(buf, start, end))) {
      client.sendAgain({ request: this.request, ends: true });
      return true;
    }
    if (!notExecuted) this.#observe(buf, start, end);
    const replaced = notExecuted ? null : this.#replaced(buf, start, end);
    const { transaction } = client.session;
    // Whatever the server says to EXEC ends it; DISCARD that is not executed does not (`rejectCommand` in Redis's server.c).
    if (buf[start] === MINUS && !this.#executes && this.#begun && transaction.begun) transaction.onKept();
    // Without MULTI it ends nothing, and what is watched stays so; but not if it is aborted before that is looked at.
    else if (buf[start] !== MINUS || transaction.begun || isAborted(buf, start)) this.#end();
    client.deliver(replaced ?? buf, replaced === null ? start : 0, replaced?.length ?? end);
    return true;
  }

  /** The server is no primary any more, and said so to the scripts in it: nothing of the block was executed. */
  #refusedWithin(buf: Buffer, start: number, end: number): boolean {
    const { router } = this.client;
    if (!this.#kept || !buf.subarray(start, end).includes(anError)) return false;
    const commands = this.#queued().map((request) => router.table.commandIn(request));
    const replies = readReply(buf, start, end);
    const refusal = Array.isArray(replies)
      ? refusalWithin(commands, replies, performance.now() - this.#sentMs)
      : null;
    return refusal !== null && router.onRefusal(this.client, refusal);
  }

  override onLost({ sent, suspect, deaths, refusal }: RequestLoss): void {
    const { client } = this;
    const notExecuted = !sent || client.retries.block().some(({ block }) => block.refused);
    const deadly = suspect || (sent && deaths > 0);
    if (refusal !== null && this.#executes && !notExecuted && this.#onlyReads()) {
      this.#end();
      client.retries.again({ reply: refusal });
    } else if (deadly && this.#executes && !notExecuted && this.#onlyReads()) {
      this.#end();
      answerSuspect(client);
    } else if (!this.#executes || notExecuted || this.#onlyReads()) {
      client.retries.again({ request: this.request, ends: true });
    } else {
      this.#end();
      answerUncertain(client);
    }
  }

  override proves(buf: Buffer, start: number, end: number): boolean {
    if (buf[start] === MINUS) return isAborted(buf, start);
    if (!this.#executes) return true;
    const changes = this.#changes();
    if (changes.length === 0) return true;
    const replies = readReply(buf, start, end);
    if (!Array.isArray(replies)) return replies === null;
    return changes.every(
      ({ index, command }) => command.behaviour.kind !== 'foreign' && !(replies[index] instanceof ReplyError),
    );
  }

  /** What of the block does more to its connection, or to what others may do, than a plain command. */
  #changes(): { index: number; request: Buffer; command: Command }[] {
    const { client } = this;
    return this.#queued().flatMap((request, index) => {
      const command = request.length === 0 ? null : client.router.table.commandIn(request);
      return command !== null && changing.has(command.behaviour.kind) ? [{ index, request, command }] : [];
    });
  }

  /** The session's transaction is that of this request: its MULTI was answered. */
  get #begun(): boolean {
    return this.client.retries.block()[0]?.block.kind !== 'begin';
  }

  /** What was queued, also what waits to be sent again. */
  #queued(): Buffer[] {
    const known = this.#begun ? this.client.session.transaction.requests : [];
    const waiting = this.client.retries.block().filter(({ block }) => block.kind === 'queued');
    return [...known, ...waiting.map(({ request }) => request)];
  }

  /** The whole block is here, to be sent again. */
  get #kept(): boolean {
    return !this.#begun || !this.client.session.transaction.forgetful;
  }

  /** Whether the block may be executed twice. */
  #onlyReads(): boolean {
    const { client } = this;
    return this.#kept && this.#queued().every((request) => client.router.table.commandIn(request).read);
  }

  /** EXEC's answer with what is the gate's own in it; null when nothing is. */
  #replaced(buf: Buffer, start: number, end: number): Buffer | null {
    const { own } = this.client.place;
    return own === null
      ? null
      : replaceAnswers(this.client, this.#queued(), own.atServer.run, buf, start, end);
  }

  /** What the executed block made of the connection: SELECT, AUTH, HELLO and modes may be queued too. */
  #observe(buf: Buffer, start: number, end: number): void {
    const { client } = this;
    const changes = this.#changes();
    if (changes.length === 0) return;
    const replies = readReply(buf, start, end);
    if (!Array.isArray(replies)) return;
    for (const { index, request, command } of changes) {
      if (replies[index] instanceof ReplyError) continue;
      const { kind } = command.behaviour;
      const args = readArguments(request, 0, request.length);
      if (kind === 'foreign') client.session.becomeForeign();
      else if (kind !== 'access') observer(client, command.name, args, request)();
      else {
        const user = accessChange(args);
        if (user !== undefined) client.router.onAccessChanged(user);
      }
    }
  }

  /** What waits to be sent again is over too. */
  #end(): void {
    const { retries, session } = this.client;
    const alone = this.#begun;
    const another = retries.endBlock();
    // Another transaction before it is sent again: the session's is that one still.
    if (alone || !another) session.transaction.end();
  }
}

/** As it stands in a list. */
const anError = '\r\n-';

/**
 * An EXEC that is refused (`execCommandAbort` in Redis's multi.c): whatever there was of a transaction, a watch
 * included, is over.
 */
function isAborted(buf: Buffer, start: number): boolean {
  return buf.toString('latin1', start, start + 11) === '-EXECABORT ';
}

/** Whether EXEC's answer to it has to be looked at: it may change the connection, or who may do what, or is the gate's own. */
export function isReadInExec({ kind }: Behaviour): boolean {
  return changing.has(kind) || kind === 'clients' || kind === 'scan';
}

const changing = new Set<Behaviour['kind']>(['identity', 'foreign', 'access', 'mode', 'monitor']);
