/**
 * Brings some keys back beside those that are there, through the primary, while it serves: each with RESTORE, which is
 * one step. First all of them are looked for: a key that is there with another value is a conflict, and without
 * `replace` nothing is written then. A key that is there as the file has it is none, so a restore that was interrupted
 * can be run again.
 *
 * It logs in as a user of its own, which the agent's user makes for the moment: no other may touch all keys.
 */
import { constants } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { errorText } from '../base/errors.ts';
import { RdbEntry, readBatches } from '../rdb/entries.ts';
import { quoteKey } from '../rdb/errors.ts';
import { dumpedValue, restorePayload } from '../rdb/restore-payload.ts';
import type { Target } from '../rdb/target.ts';
import { ValueSum } from '../rdb/value-sum.ts';
import { RedisConnection } from '../redis/connection.ts';
import type { Credentials, TlsTexts } from '../redis/endpoint.ts';
import type { Request } from '../redis/link.ts';
import { RestoreConflict, RestoreKeysFailed } from './errors.ts';

export interface RestoreKeysOptions {
  /** Written by `prepareRdb` for this server: only the keys that are meant. */
  file: string;
  target: Target;
  address: string;
  port: number;
  tls: TlsTexts | undefined;
  /** Of the user `holdfast-restore`. */
  credentials: Credentials;
  replace: boolean;
  /** Called once before the first key that is there is overwritten. */
  beforeReplacing(conflicts: number): Promise<void>;
  report: (step: string) => void;
  signal: AbortSignal;
}

export interface RestoreKeysResult {
  restored: number;
  /** There already, as the file has them. */
  same: number;
  /** There with another value, and replaced. */
  replaced: number;
  /** Expired since the backup. */
  expired: number;
}

const keysAtATime = 256;
const bytesAtATime = 8 * 2 ** 20;
const shownConflicts = 5;
/** A value of gigabytes takes the server so long. */
const answerWithinMs = 120_000;

/** @throws RESTORE_CONFLICT before anything is written; RESTORE_KEYS_FAILED with what was done until then. */
export async function restoreKeys(options: RestoreKeysOptions): Promise<RestoreKeysResult> {
  const redis = new RedisConnection({
    endpoint: { host: options.address, port: options.port },
    credentials: options.credentials,
    tls: options.tls,
    timeoutMs: answerWithinMs,
    maxReplyBytes: constants.MAX_LENGTH,
  });
  try {
    return await new KeyRestore(redis, options).run();
  } finally {
    redis.close();
  }
}

interface Batch {
  db: number;
  entries: RdbEntry[];
}

class KeyRestore {
  readonly #redis: RedisConnection;
  readonly #options: RestoreKeysOptions;
  readonly #sum = new ValueSum();
  readonly #result: RestoreKeysResult = { restored: 0, same: 0, replaced: 0, expired: 0 };

  constructor(redis: RedisConnection, options: RestoreKeysOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  async run(): Promise<RestoreKeysResult> {
    const { replace, report } = this.#options;
    report('looking which of the keys are there already');
    const conflicts = await this.#findConflicts();
    if (conflicts.count > 0 && !replace) throw refusal(conflicts);
    if (conflicts.count > 0) await this.#options.beforeReplacing(conflicts.count);
    try {
      for await (const batch of this.#batches()) await this.#write(batch);
    } catch (cause) {
      const { restored, replaced } = this.#result;
      throw RestoreKeysFailed(`stopped after ${restored + replaced} keys: ${errorText(cause)}`, {
        hint: 'Each of those is whole. Run it again when holdfast status is healthy: keys that are there already are passed over.',
        cause,
      });
    }
    return this.#result;
  }

  async #findConflicts(): Promise<{ count: number; shown: string[] }> {
    const found = { count: 0, shown: [] as string[] };
    for await (const batch of this.#batches()) {
      for (const [index, state] of (await this.#states(batch)).entries()) {
        if (state !== 'other') continue;
        found.count++;
        if (found.shown.length < shownConflicts) found.shown.push(quoteKey(batch.entries[index]!.key));
      }
    }
    return found;
  }

  /** What is there in place of each key. */
  async #states({ entries }: Batch): Promise<('absent' | 'same' | 'other')[]> {
    const there = await this.#redis.askAll(entries.map(({ key }): Request => ['EXISTS', key]));
    const held = entries.filter((_, index) => there[index] === 1);
    const questions = held.flatMap(({ key }): Request[] => [
      ['DUMP', key],
      ['PTTL', key],
    ]);
    const answers = await this.#redis.askAll(questions, { raw: true });
    let next = 0;
    return entries.map((entry, index) => {
      if (there[index] !== 1) return 'absent';
      const [payload, ttlMs] = [answers[next * 2], BigInt(String(answers[next * 2 + 1]))];
      next++;
      if (!Buffer.isBuffer(payload)) return 'absent';
      return this.#isSame(entry, payload, ttlMs) ? 'same' : 'other';
    });
  }

  /** A second's difference of an expiry is what PTTL and the way there cost. */
  #isSame(entry: RdbEntry, payload: Buffer, ttlMs: bigint): boolean {
    const expireMs = ttlMs < 0n ? undefined : BigInt(Date.now()) + ttlMs;
    if ((expireMs === undefined) !== (entry.expireMs === undefined)) return false;
    if (Math.abs(Number((expireMs ?? 0n) - (entry.expireMs ?? 0n))) > 1000) return false;
    const { type, body } = dumpedValue(payload);
    const { flavor } = this.#options.target;
    return this.#sum.of(type, flavor, body) === this.#sum.of(entry.type, entry.flavor, entry.body);
  }

  async #write(batch: Batch): Promise<void> {
    const states = await this.#states(batch);
    const nowMs = BigInt(Date.now());
    const requests: Request[] = [];
    const sent: ('absent' | 'other')[] = [];
    for (const [index, entry] of batch.entries.entries()) {
      const state = states[index]!;
      if (state === 'same') {
        this.#result.same++;
        continue;
      }
      if (entry.expireMs !== undefined && entry.expireMs <= nowMs) {
        this.#result.expired++;
        continue;
      }
      const ttl = String(entry.expireMs ?? 0);
      const replace = this.#options.replace ? ['REPLACE'] : [];
      const payload = restorePayload(entry.type, entry.body, this.#options.target.version);
      requests.push(['RESTORE', entry.key, ttl, payload, ...replace, 'ABSTTL']);
      sent.push(state);
    }
    if (sent.length === 0) return;
    await this.#redis.askAll(requests);
    for (const state of sent) this.#result[state === 'absent' ? 'restored' : 'replaced']++;
  }

  /** Keys of one database, not too many and not too much at a time. */
  async *#batches(): AsyncGenerator<Batch> {
    let batch: Batch = { db: 0, entries: [] };
    let bytes = 0;
    const source = createReadStream(this.#options.file, { highWaterMark: 512 * 1024 });
    for await (const items of readBatches(source as AsyncIterable<Buffer>)) {
      for (const item of items) {
        if (!(item instanceof RdbEntry)) continue;
        this.#options.signal.throwIfAborted();
        const full = batch.entries.length >= keysAtATime || bytes >= bytesAtATime;
        if (batch.entries.length > 0 && (full || item.db !== batch.db)) {
          yield await this.#selected(batch);
          batch = { db: item.db, entries: [] };
          bytes = 0;
        }
        batch.db = item.db;
        batch.entries.push(item);
        bytes += item.body.length;
      }
    }
    if (batch.entries.length > 0) yield await this.#selected(batch);
  }

  async #selected(batch: Batch): Promise<Batch> {
    await this.#redis.call('SELECT', batch.db);
    return batch;
  }
}

function refusal({ count, shown }: { count: number; shown: string[] }): Error {
  const more = count > shown.length ? ` and ${count - shown.length} more` : '';
  return RestoreConflict(
    `${count} of the keys are there with other values: ${shown.join(', ')}${more}. Nothing was changed`,
    {
      hint: '--replace overwrites them, after a backup of what is there. --prefix puts the restored ones under other names.',
    },
  );
}
