/**
 * Has a server write again what it has under a key, or that it has nothing there: the same value, in a transaction that is not
 * executed when somebody has changed it meanwhile. Nobody sees a difference at that server. But whoever reads its stream gets
 * the value in its place among all other writes, whatever it had before: a copy that differs is repaired so without being
 * written to beside its stream.
 */
import type { ConnectionOptions } from '../redis/connection.ts';
import { Link } from '../redis/link.ts';
import { ReplyError } from '../resp/read.ts';
import { writeRequest } from '../resp/write.ts';

/** It is changed too often, and what its next change does the copy gets anyway. */
const tries = 5;
const withinMs = 60_000;
const empty = Buffer.alloc(0);

export class Reasserting {
  readonly #link: Link;
  #db = 0;

  /** @param options a user who may read and write all keys */
  constructor(options: ConnectionOptions) {
    this.#link = new Link({ ...options, timeoutMs: withinMs });
  }

  /** @returns why it could not be done; null when it was. @throws REDIS_UNREACHABLE */
  async write(db: number, key: Buffer): Promise<string | null> {
    if (db !== this.#db) await this.#link.call(['SELECT', db]);
    this.#db = db;
    for (let turn = 1; turn <= tries; turn++) {
      const outcome = await this.#once(key);
      if (outcome !== 'again') return outcome;
    }
    return 'it is changed all the time';
  }

  async #once(key: Buffer): Promise<string | 'again' | null> {
    const asked = [['WATCH', key], ['DUMP', key], ['PTTL', key], ['TIME']] as const;
    const bytes = Buffer.concat(asked.map((each) => writeRequest(each)));
    const found = await this.#link.exchange([bytes], asked.length, { raw: true });
    const refused = found.find((each) => each instanceof ReplyError);
    if (refused instanceof ReplyError) return refused.text;
    const [, payload, ttl, time] = found;
    const expires = Number(ttl) < 0 ? '0' : String(millis(time) + Number(ttl));
    const writes = Buffer.isBuffer(payload)
      ? [['RESTORE', key, expires, payload, 'REPLACE', 'ABSTTL'] as const]
      : [['SET', key, empty] as const, ['DEL', key] as const];
    const whole = [['MULTI'] as const, ...writes, ['EXEC'] as const].map((each) => writeRequest(each));
    const replies = await this.#link.exchange(whole, whole.length, { queued: writes.length });
    const done = replies.at(-1);
    if (done === null) return 'again';
    const results = Array.isArray(done) ? done : [...replies.slice(1, -1), done];
    const wrong = results.find((each) => each instanceof ReplyError);
    return wrong instanceof ReplyError ? wrong.text : null;
  }

  close(): void {
    this.#link.close();
  }
}

/** TIME's answer: seconds and microseconds. */
function millis(time: unknown): number {
  const [seconds, micros] = (time as Buffer[]).map((each) => Number(each.toString()));
  return (seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000);
}
