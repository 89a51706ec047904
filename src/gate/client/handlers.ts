import type { Buffer } from 'node:buffer';
import { MINUS } from '../../resp/bytes.ts';
import { Push, readReply } from '../../resp/read.ts';
import { writeRequest } from '../../resp/write.ts';
import type { ReplyHandler, RequestLoss } from '../upstream/run.ts';
import type { Client } from './client.ts';
import { refusalFor } from './refusal.ts';
import { loseRequest } from './replay.ts';

/** A request whose success changes the client's session. What it may have done at the server decides if it is sent again. */
export class Observed implements ReplyHandler {
  protected readonly client: Client;
  protected readonly request: Buffer;
  readonly #onSuccess: () => void;

  constructor(client: Client, request: Buffer, onSuccess: () => void = () => {}) {
    this.client = client;
    this.request = request;
    this.#onSuccess = onSuccess;
  }

  onReply(buf: Buffer, start: number, end: number): boolean {
    if (this.retried(buf, start, end)) return true;
    if (buf[start] !== MINUS) this.#onSuccess();
    this.client.deliver(buf, start, end);
    return true;
  }

  onLost(loss: RequestLoss): void {
    loseRequest(this.client, this.request, loss);
  }

  proves(_buf: Buffer, _start: number, _end: number): boolean {
    return true;
  }

  protected retried(buf: Buffer, start: number, end: number): boolean {
    if (!this.refused(buf, start, end)) return false;
    this.client.sendAgain({ request: this.request });
    return true;
  }

  /** Whether the server refused without executing, and the request is to be sent again. */
  protected refused(buf: Buffer, start: number, end: number): boolean {
    if (buf[start] !== MINUS) return false;
    const { router } = this.client;
    const refusal = refusalFor(router.table.commandIn(this.request), buf, start, end);
    return refusal !== null && router.onRefusal(this.client, refusal);
  }
}

/** A request that changes nothing but its own connection, or nothing at all: it is sent again, whatever became of it. */
export class Repeated extends Observed {
  override onLost(): void {
    this.client.retries.again({ request: this.request });
  }
}

/**
 * AUTH, HELLO, SELECT, RESET, and what sets a mode. After an error its connection may be anything: HELLO of Redis 7.0
 * authenticates before it refuses the name that came with it.
 */
export class Settling extends Repeated {
  override proves(buf: Buffer, start: number, _end: number): boolean {
    return buf[start] !== MINUS;
  }
}

/** HELLO, and questions about tracking: the ids in their answers are the gate's own. */
export class Identifying extends Settling {
  override onReply(buf: Buffer, start: number, end: number): boolean {
    const own = withOwnIds(this.client, buf, start, end);
    return own === null ? super.onReply(buf, start, end) : super.onReply(own, 0, own.length);
  }
}

/** A reply with the gate's ids in the place of the server's; null when there are none. */
export function withOwnIds(client: Client, buf: Buffer, start: number, end: number): Buffer | null {
  const { redirect } = client.session.tracking;
  const told = buf.toString('latin1', start, end);
  let text = told.replace(/(\$2\r\nid\r\n:)\d+/, `$1${client.id}`);
  if (redirect !== null) text = text.replace(/(^|\$8\r\nredirect\r\n)(:[1-9]\d*)/, `$1:${redirect}`);
  return text === told ? null : globalThis.Buffer.from(text, 'latin1');
}

/** What may have changed its connection, nobody knows how: its client keeps it, and nobody gets it afterwards. */
export class Foreign extends Observed {
  override onReply(buf: Buffer, start: number, end: number): boolean {
    if (!this.proves(buf, start, end)) this.client.session.becomeForeign();
    return super.onReply(buf, start, end);
  }

  override proves(buf: Buffer, start: number, end: number): boolean {
    return refusedUnseen.test(buf.toString('latin1', start, Math.min(end, start + 64)));
  }
}

/** The server did not execute it. */
const refusedUnseen = /^-(ERR unknown (sub)?command|ERR wrong number of arguments|NOPERM|NOAUTH|BUSY) /;

/** ACL SETUSER and its like: connections of before are not for those who come. */
export class AccessChange extends Observed {
  readonly #args: Buffer[];

  constructor(client: Client, request: Buffer, args: Buffer[]) {
    super(client, request, () => this.#tell());
    this.#args = args;
  }

  override onLost(loss: RequestLoss): void {
    super.onLost(loss);
    // It may have been executed.
    if (loss.sent) this.#tell();
  }

  #tell(): void {
    const user = accessChange(this.#args);
    if (user !== undefined) this.client.router.onAccessChanged(user);
  }
}

/** Whose access a request changes, as latin1: one user's, or everybody's (null). Undefined: nobody's. */
export function accessChange(args: Buffer[]): string | null | undefined {
  const words = args.map((arg) => arg.toString('latin1'));
  const verb = words.slice(0, 2).join(' ').toLowerCase();
  if (verb === 'acl setuser') return words[2];
  if (verb !== 'config set') return null;
  const names = words.filter((_word, index) => index >= 2 && index % 2 === 0);
  return names.some((name) => name.toLowerCase() === 'requirepass') ? 'default' : undefined;
}

/**
 * SUBSCRIBE, UNSUBSCRIBE and their kin: one confirmation for each name. Without names, an unsubscription confirms
 * every subscription there is, or says once that there is none; how many that are is known when its turn comes.
 */
export class Subscribing implements ReplyHandler {
  readonly #client: Client;
  readonly #request: Buffer;
  readonly #verb: string;
  readonly #names: Buffer[];
  #left = -1;
  #again = false;

  constructor(client: Client, request: Buffer, verb: string, names: Buffer[]) {
    this.#client = client;
    this.#request = request;
    this.#verb = verb;
    this.#names = names;
  }

  onReply(buf: Buffer, start: number, end: number): boolean {
    const client = this.#client;
    if (buf[start] === MINUS) {
      client.deliver(buf, start, end);
      return true;
    }
    if (this.#left < 0) {
      this.#left = Math.max(1, this.#names.length || this.#set().size);
      // Behind a retry it is sent again in its turn: a subscriber may not send what comes before it.
      this.#again = client.retries.collecting;
      if (this.#again) client.sendAgain({ request: this.#request });
    }
    const reply = readReply(buf, start, end, true);
    const items = reply instanceof Push ? reply.items : reply;
    const name = Array.isArray(items) ? items[1] : null;
    if (name !== null && name !== undefined) {
      const key = (name as Buffer).toString('latin1');
      if (this.#verb.includes('un')) this.#set().delete(key);
      else this.#set().add(key);
    }
    if (!this.#again) client.confirm(buf, start, end);
    if (--this.#left > 0) return false;
    client.router.buffered.update(client);
    return true;
  }

  proves(buf: Buffer, start: number, _end: number): boolean {
    return buf[start] !== MINUS;
  }

  onLost(): void {
    if (this.#again) return;
    // What was confirmed is put up again with the session; it must not be confirmed twice.
    const left = this.#left < 0 ? this.#names : this.#names.slice(-this.#left);
    const request = this.#names.length === 0 ? this.#request : writeRequest([this.#verb, ...left]);
    this.#client.retries.again({ request });
  }

  /** Behind a retry, what its connection has is not what the session is to be. */
  #set(): Set<string> {
    const { session, retries } = this.#client;
    const sets = retries.collecting ? retries.subscriptions(() => session.copySubscriptions()) : session;
    if (this.#verb.startsWith('p')) return sets.patterns;
    return this.#verb.startsWith('s') && !this.#verb.startsWith('sub') ? sets.shardChannels : sets.channels;
  }
}
