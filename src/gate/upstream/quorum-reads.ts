import { errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import type { Link } from '../../redis/link.ts';
import { writeError } from '../../resp/write.ts';
import { inSyncKey, leadKey, readPosition, readRun } from '../../stream/lead-position.ts';
import { decodeInSync, type InSyncRecord, isAcknowledged } from '../../topology/in-sync-record.ts';
import type { GateConfig, MemberAddress } from '../config.ts';
import type { Membership } from '../primary/members.ts';
import type { Confirmed } from './confirmed-reading.ts';
import { keyOf } from './durability.ts';
import { openLink } from './open-link.ts';

/**
 * `read: quorum` of standalone members: the one that leads answers, and the answer goes out when those that a write would have
 * to reach say that they follow it: in-sync-record.ts. They are asked behind the answer, themselves, and the record of who
 * they are is read behind that. Whoever leads instead follows nobody, and of those that left the record nobody may lead. So
 * what is read is not older than any write that was acknowledged before, though the lead was cut off and replaced.
 *
 * - Answers are confirmed in batches, one at a time; what comes meanwhile goes into the next.
 * - What can't be confirmed within `holdMs` is refused, and so is what comes then, until it can be again.
 */
export interface QuorumReadsSources {
  members: Pick<Membership, 'all'>;
  primary(): MemberAddress | null;
  log(text: string): void;
}

const answerWithinMs = 1000;
const retryMs = 20;
const probeEveryMs = 200;

interface Waiting {
  server: MemberAddress;
  done: Confirmed;
}

export class QuorumReads {
  readonly #config: GateConfig;
  readonly #sources: QuorumReadsSources;
  readonly #links = new Map<string, Link>();
  #waiting: Waiting[] = [];
  #isBusy = false;
  #record: InSyncRecord | null = null;
  /** Why nothing is confirmed; null while it is. */
  #refusal: string | null = null;
  #probe: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(config: GateConfig, sources: QuorumReadsSources) {
    this.#config = config;
    this.#sources = sources;
  }

  /** Calls back when what this server answered until now may be shown. */
  readonly confirm = (server: MemberAddress, done: Confirmed): void => {
    this.#waiting.push({ server, done });
    if (!this.#isBusy) void this.#run();
  };

  /** Why reads are refused now, for their clients; null while they are answered. */
  get refusal(): string | null {
    return this.#refusal;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#probe);
    for (const link of this.#links.values()) link.close();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const [{ server }] = this.#waiting as [Waiting];
      const batch = this.#waiting.filter((each) => each.server === server);
      this.#waiting = this.#waiting.filter((each) => each.server !== server);
      const outcome = await this.#confirmed(server, this.#config.holdMs);
      const refusal = typeof outcome === 'string' ? writeError(outcome) : undefined;
      for (const { done } of batch) done(outcome === true, refusal);
    }
    this.#isBusy = false;
  }

  /** @returns false when another one leads by now; a text when it could not be confirmed, which its clients are told */
  async #confirmed(lead: MemberAddress, withinMs: number): Promise<boolean | string> {
    const until = performance.now() + withinMs;
    let why = '';
    do {
      // The next one is asked instead.
      if (this.#sources.primary() !== lead) return false;
      try {
        why = await this.#round(lead);
        if (why === '') return true;
      } catch (error) {
        why = errorText(error);
      }
      await pause(retryMs);
    } while (performance.now() < until);
    const text = `NOQUORUM ${lead.id} answered, and ${why}: nothing is read`;
    this.#refuse(text);
    return text;
  }

  /** Nobody may read any more: that it can be confirmed again is to be known all the same. */
  #refuse(text: string): void {
    if (this.#refusal === null) this.#sources.log(`reads are refused: ${text}`);
    this.#refusal = text;
    clearTimeout(this.#probe);
    // One that was under way when it was stopped is the last.
    if (this.#isStopped) return;
    this.#probe = setTimeout(async () => {
      const lead = this.#sources.primary();
      const why = lead === null ? 'nobody leads' : await this.#round(lead).catch(errorText);
      if (why !== '') return this.#refuse(text);
      this.#sources.log('reads are confirmed again');
      this.#refusal = null;
    }, probeEveryMs).unref();
  }

  /** @returns what is missing; nothing when it is confirmed. @throws REDIS_UNREACHABLE, REDIS_REFUSED of the lead */
  async #round(lead: MemberAddress): Promise<string> {
    const follow = new Set([lead.id]);
    await this.#untilEnough(lead, follow);
    const [text, inSync] = await this.#ask(lead);
    if (text !== null) return `says that it leads no more`;
    this.#record = decodeInSync(inSync);
    if (this.#record === null) return 'nobody says who is in sync with it';
    if (this.#isEnough(follow)) return '';
    return `of those in sync only ${[...follow].join(', ')} ${follow.size === 1 ? 'says' : 'say'} that it leads`;
  }

  #isEnough(follow: ReadonlySet<string>): boolean {
    const ack = this.#config.quorum ? 'quorum' : 'all';
    return this.#record !== null && isAcknowledged(this.#record, (id) => follow.has(id), ack);
  }

  /** Asks the others whom they follow, and waits for as many as were needed last, or for all. */
  #untilEnough(lead: MemberAddress, follow: Set<string>): Promise<void> {
    const others = this.#sources.members.all.filter(({ id }) => id !== lead.id);
    return new Promise((resolve) => {
      let left = others.length;
      if (left === 0) resolve();
      for (const member of others) {
        const heard = ([text]: (string | null)[]) => {
          if (text != null && follows(text, lead)) follow.add(member.id);
        };
        this.#ask(member)
          .then(heard, () => {})
          .finally(() => {
            if (--left === 0 || this.#isEnough(follow)) resolve();
          });
      }
    });
  }

  async #ask(member: MemberAddress): Promise<(string | null)[]> {
    const key = keyOf(member);
    let link = this.#links.get(key);
    if (link === undefined || link.closed) {
      const { memberCredentials: credentials, tls } = this.#config;
      link = openLink(member, { credentials, tls }, { timeoutMs: answerWithinMs });
      this.#links.set(key, link);
    }
    return (await link.call(['MGET', leadKey, inSyncKey])) as (string | null)[];
  }
}

/**
 * Whom a member follows it says itself, as long as nobody has told it otherwise: also when its stream has broken off. One that
 * is fenced may have another lead already.
 */
function follows(text: string, { address, port }: MemberAddress): boolean {
  const position = readPosition(text);
  const run = position && readRun(position.run);
  return run?.fenced === false && run.of.address === address && run.of.port === port;
}
