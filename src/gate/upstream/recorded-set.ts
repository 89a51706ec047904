/**
 * What standalone members acknowledge: who has to have a write stands in the data of the one that leads
 * (topology/in-sync-record.ts).
 *
 * It is read behind the writes and behind what the others have applied. So whoever is not in it when it is read has left it
 * by all the rules, and whoever comes into it later gets the writes before it learns of that. Without a record nothing is
 * acknowledged.
 */
import { RedisRefused } from '../../redis/errors.ts';
import type { Link } from '../../redis/link.ts';
import { parseRole } from '../../redis/role.ts';
import { type Reply, ReplyError } from '../../resp/read.ts';
import { writeRequest } from '../../resp/write.ts';
import { inSyncKey } from '../../stream/lead-position.ts';
import {
  type Ack,
  decodeInSync,
  type InSyncRecord,
  isAcknowledged,
  othersNeeded,
} from '../../topology/in-sync-record.ts';
import type { Membership } from '../primary/members.ts';
import { firstLookMs, longestLookMs, tooMany } from './short-look.ts';

/** One that dies leaves a WAIT to its end; and whoever it was may be left out meanwhile. */
const waitMs = 50;
const roundMs = 500;
const askedAtATime = 4;

export class RecordedSet {
  readonly #ack: Ack;
  readonly #sources: { members: Pick<Membership, 'find'>; log(text: string): void };
  #record: InSyncRecord | null = null;
  /** What it was read from; undefined before the first. */
  #found: string | null | undefined;
  #asked = { wait: '', bytes: Buffer.alloc(0) };
  #told = '';
  /** The lead's WAIT is about its own connection's writes only: durability.ts. */
  #waitsForOwn = false;

  constructor(ack: Ack, sources: { members: Pick<Membership, 'find'>; log(text: string): void }) {
    this.#ack = ack;
    this.#sources = sources;
  }

  /**
   * Whether all that it executed until now is where it has to be; false when that took long. @throws REDIS_REFUSED,
   * REDIS_UNREACHABLE
   */
  async reached(link: Link, lead: string): Promise<boolean> {
    const until = performance.now() + roundMs;
    let target: number | null = null;
    for (let ms = firstLookMs; ; ms = Math.min(ms * 2, longestLookMs)) {
      const others = this.#record === null ? 0 : othersNeeded(this.#record, this.#ack);
      const wait = this.#waitsForOwn ? `WAIT ${tooMany} ${ms}` : `WAIT ${others} ${waitMs}`;
      const [before, waited, after, found] = await this.#ask(link, wait);
      const known = parseRole(before);
      if (known?.role !== 'primary') return false;
      target ??= known.offset;
      this.#note((found as (string | null)[])[0] ?? null);
      if (this.#isReached(lead, target, after)) return true;
      if (others > 0 && Number(waited) >= others) this.#waitsForOwn = true;
      if (this.#record === null || performance.now() >= until) return false;
    }
  }

  #isReached(lead: string, target: number, reply: unknown): boolean {
    const role = parseRole(reply);
    if (this.#record === null || role?.role !== 'primary') return false;
    const applied = role.replicas.filter(({ offset }) => offset >= target);
    const has = new Set([lead, ...applied.map((each) => this.#sources.members.find(each)?.id)]);
    return isAcknowledged(this.#record, (id) => has.has(id), this.#ack);
  }

  /** One write, as it was made the last time, and one wait for all: this is done behind each few writes. */
  async #ask(link: Link, wait: string): Promise<Reply[]> {
    if (wait !== this.#asked.wait) {
      const asked = ['ROLE', wait, 'ROLE', `MGET ${inSyncKey}`];
      this.#asked = { wait, bytes: Buffer.concat(asked.map((each) => writeRequest(each.split(' ')))) };
    }
    const replies = await link.exchange([this.#asked.bytes], askedAtATime);
    const refused = replies.find((reply) => reply instanceof ReplyError);
    if (refused instanceof ReplyError)
      throw RedisRefused(`it answered ROLE, WAIT or MGET with: ${refused.text}`, { cause: refused });
    return replies;
  }

  #note(found: string | null): void {
    if (found === this.#found) return;
    this.#found = found;
    const record = decodeInSync(found);
    this.#record = record;
    const sets = record && [record.in, record.leaving, record.joining];
    const text =
      sets === null
        ? 'nobody says who is in sync: no write is acknowledged'
        : `writes wait for ${inWords(sets)}`;
    if (text !== this.#told) this.#sources.log(text);
    this.#told = text;
  }
}

function inWords([members, leaving, joining]: readonly (readonly string[])[]): string {
  const more = (ids: readonly string[] = [], how = '') =>
    ids.length === 0 ? '' : `; ${ids.join(', ')} ${how}`;
  return `${members?.join(', ')}${more(leaving, 'until the Sentinels know that it left')}${more(joining, 'as it joins')}`;
}
