import type { Ability } from './abilities.ts';
import type { StreamGroup, StreamIdempotence, StreamInfo } from './body/visitor.ts';
import type { KeyPlace, RespBatch } from './resp-batch.ts';
import { StreamIds } from './stream-ids.ts';

/** Of seconds and of ids, in redis src/config.c. */
const defaultLimit = 100n;

/**
 * What makes a stream beyond its entries: XSETID, XGROUP, XCLAIM … FORCE, XCFGSET, XIDMPRECORD. A pending entry whose
 * stream entry was deleted can't be claimed (tried with Redis 6.2.16 and 7.0.15), and no command makes one; such are named.
 */
export class RespStream {
  /** What of the stream can't be made, in words. */
  readonly without = new Set<string>();
  private readonly batch: RespBatch;
  private readonly can: (ability: Ability) => boolean;
  private readonly repliesAreSeen: boolean;
  private readonly ids = new StreamIds();
  private key: KeyPlace | undefined;
  private hasEntries = false;

  /** @param repliesAreSeen what may be refused is tried: who sends it sees an error, or of XCLAIM an answer without the id. */
  constructor(batch: RespBatch, can: (ability: Ability) => boolean, repliesAreSeen: boolean) {
    this.batch = batch;
    this.can = can;
    this.repliesAreSeen = repliesAreSeen;
  }

  begin(key: KeyPlace): void {
    this.key = key;
    this.without.clear();
    this.ids.clear();
    this.hasEntries = false;
  }

  entry(ms: bigint, seq: bigint): void {
    this.hasEntries = true;
    if (!this.repliesAreSeen) this.ids.add(ms, seq);
  }

  info({ lastId, length, entriesAdded, maxDeletedId = '0-0' }: StreamInfo): void {
    const { batch, name } = this;
    // A stream without entries is made with one that is dropped at once, as Redis does when it rewrites its AOF.
    if (!this.hasEntries) batch.command('XADD', name, 'MAXLEN', '0', '0-1', 'x', 'y');
    const hasCounts = this.can('streamCounts');
    if (!hasCounts && maxDeletedId !== '0-0') this.without.add('which of its entries were deleted');
    if (!hasCounts && entriesAdded !== undefined && entriesAdded !== length) {
      this.without.add('how many entries it ever had');
    }
    const counts =
      hasCounts && entriesAdded !== undefined
        ? ['ENTRIESADDED', String(entriesAdded), 'MAXDELETEDID', maxDeletedId]
        : [];
    batch.command('XSETID', name, lastId, ...counts);
  }

  group(group: StreamGroup): void {
    const { batch, name } = this;
    const read = group.entriesRead;
    const isCounted = read !== undefined && read >= 0n;
    const counts = this.can('streamCounts') && isCounted ? ['ENTRIESREAD', String(read)] : [];
    if (isCounted && counts.length === 0) this.without.add('how many entries its groups have read');
    batch.command('XGROUP', 'CREATE', name, group.name, group.lastId, ...counts);
    const pending = new Map(group.pending.map((entry) => [entry.id, entry]));
    for (const consumer of group.consumers) {
      if (this.can('createConsumer')) {
        batch.command('XGROUP', 'CREATECONSUMER', name, group.name, consumer.name);
      } else if (consumer.pending.length === 0) {
        this.without.add('consumers that have nothing pending');
      }
      for (const id of consumer.pending) {
        if (!this.canBeClaimed(id)) continue;
        const { deliveredMs, deliveries } = pending.get(id) ?? {
          deliveredMs: consumer.seenMs,
          deliveries: 1n,
        };
        const when = ['TIME', String(deliveredMs), 'RETRYCOUNT', String(deliveries), 'FORCE', 'JUSTID'];
        batch.command('XCLAIM', name, group.name, consumer.name, '0', id, ...when);
      }
    }
  }

  idempotence({ seconds, maxIds, producers, added, duplicates }: StreamIdempotence): void {
    const { batch, name } = this;
    const isDefault = seconds === defaultLimit && maxIds === defaultLimit;
    if (!this.can('idempotence')) {
      if (!isDefault || added > 0n || producers.length > 0)
        this.without.add('what it remembers of its producers');
      return;
    }
    if (!isDefault) {
      batch.command('XCFGSET', name, 'IDMP-DURATION', String(seconds), 'IDMP-MAXSIZE', String(maxIds));
    }
    let made = 0n;
    for (const producer of producers) {
      if (producer.ids.length === 0) this.without.add('producers that have no ids');
      for (const { id, entry } of producer.ids) {
        if (!this.canBeRecorded(entry)) continue;
        batch.command('XIDMPRECORD', name, producer.name, id, entry);
        made++;
      }
    }
    if (added !== made || duplicates > 0n) this.without.add('counts of the ids of producers that are gone');
  }

  private get name(): Buffer {
    const { keyBuf, keyStart, keyEnd } = this.key!;
    return Buffer.from(keyBuf.subarray(keyStart, keyEnd));
  }

  /** An id is refused for an entry that is not there. */
  private canBeRecorded(entry: string): boolean {
    if (this.repliesAreSeen || this.ids.has(entry)) return true;
    const unclear = this.ids.isComplete ? '' : ', if it has any: it is too long to tell';
    this.without.add(`ids of producers whose messages are gone${unclear}`);
    return !this.ids.isComplete;
  }

  private canBeClaimed(id: string): boolean {
    if (this.repliesAreSeen || this.ids.has(id)) return true;
    if (this.ids.isComplete) {
      this.without.add('pending entries of deleted messages');
      return false;
    }
    this.without.add('pending entries of deleted messages, if it has any: it is too long to tell');
    return true;
  }
}
