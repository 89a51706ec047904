import type { Ability } from './abilities.ts';
import type { StreamGroup, StreamIdempotence, StreamInfo, ValueVisitor } from './body/visitor.ts';
import type { Kind } from './format.ts';
import type { PackedReader } from './packed/packed-reader.ts';
import type { KeyPlace, RespBatch } from './resp-batch.ts';
import { RespStream } from './resp-stream.ts';
import { copyShort, longBytes, sameViewOf, viewOf } from './short-copy.ts';
import type { Target } from './target.ts';

interface RespValueOptions {
  can: (ability: Ability) => boolean;
  /** No command takes more than some hundred elements, even of a value whose number of elements is known. */
  inParts?: boolean;
  /** Somebody looks at what the server answers: what may be refused is tried, and nothing is guessed. */
  repliesAreSeen?: boolean;
}

const commands: Partial<Record<Kind, string>> = {
  string: 'SET',
  list: 'RPUSH',
  set: 'SADD',
  zset: 'ZADD',
};
/** So many expiries of fields are held before they go out. */
const mostExpiries = 512;
/** HPEXPIREAT takes a quarter of what a file may hold: HFE_MAX_ABS_TIME_MSEC in redis src/t_hash.c. */
const latestRedisFieldMs = 2n ** 46n - 1n;

/** Why a field can't get its expiry by the server's command; undefined when it can. */
export function whyTooLate(atMs: bigint, target: Target | undefined): string | undefined {
  if (target?.flavor === 'valkey' || atMs <= latestRedisFieldMs) return undefined;
  return `a field expires at ${atMs}, and HPEXPIREAT takes times up to ${latestRedisFieldMs}`;
}

/** The commands that make a value, as its elements are told; but for its own expiry, and values of modules. */
export class RespValue implements ValueVisitor {
  private readonly batch: RespBatch;
  private readonly inParts: boolean;
  private readonly hset: string;
  private readonly streams: RespStream;
  private kind: Kind = 'string';
  private place: KeyPlace | undefined;
  private texts = 0;
  private hasExpiry = false;
  private field: Buffer | undefined;
  private expiries: { field: Buffer; atMs: bigint }[] = [];
  private memberBytes: Buffer = Buffer.allocUnsafeSlow(256);
  private memberView = viewOf(this.memberBytes);
  private memberLength = 0;

  constructor(batch: RespBatch, { can, inParts = false, repliesAreSeen = false }: RespValueOptions) {
    this.batch = batch;
    this.inParts = inParts;
    this.hset = can('manyFields') ? 'HSET' : 'HMSET';
    this.streams = new RespStream(batch, can, repliesAreSeen);
  }

  /** What of the stream that was told last can't be made, in words. */
  get without(): ReadonlySet<string> {
    return this.streams.without;
  }

  /** Whose value is told next. @param hasExpiry it is a hash whose fields may expire. */
  start(place: KeyPlace, hasExpiry: boolean): void {
    this.place = place;
    this.hasExpiry = hasExpiry;
    if (this.expiries.length > 0) this.expiries = [];
  }

  begin(kind: Kind, count: number): void {
    this.kind = kind;
    this.texts = 0;
    const perElement = kind === 'hash' || kind === 'zset' ? 2 : 1;
    const command = kind === 'hash' ? this.hset : (commands[kind] ?? 'XADD');
    if (kind === 'stream') this.streams.begin(this.place!);
    this.batch.begin(command, this.place!, kind === 'stream' || this.inParts ? -1 : count * perElement);
  }

  text(buf: Buffer, start: number, end: number): void {
    this.texts++;
    if (this.kind === 'zset') {
      this.keepMember(buf, start, end);
      return;
    }
    this.batch.add(buf, start, end);
    if (this.kind === 'stream') return;
    if (this.kind !== 'hash' || this.texts % 2 === 0) this.batch.cut();
    else if (this.hasExpiry) this.field = Buffer.from(buf.subarray(start, end));
  }

  allTexts(elements: PackedReader): number {
    return this.batch.addAll(elements, this.kind === 'hash' ? 2 : 1);
  }

  scoreText(buf: Buffer, start: number, end: number): void {
    this.batch.add(buf, start, end);
    this.addMember();
  }

  score(value: number): void {
    const text =
      value === Infinity ? 'inf' : value === -Infinity ? '-inf' : Object.is(value, -0) ? '-0' : String(value);
    this.batch.addText(text);
    this.addMember();
  }

  fieldExpiry(atMs: bigint | undefined): void {
    if (atMs === undefined || this.field === undefined) return;
    this.expiries.push({ field: this.field, atMs });
    if (this.expiries.length < mostExpiries) return;
    this.batch.send();
    this.sendExpiries();
  }

  streamEntry(id: string, _fields: number, ms: bigint, seq: bigint): void {
    this.batch.send();
    this.batch.addText(id);
    this.streams.entry(ms, seq);
  }

  streamInfo(info: StreamInfo): void {
    this.batch.send();
    this.streams.info(info);
  }

  streamGroup(group: StreamGroup): void {
    this.streams.group(group);
  }

  streamIdempotence(found: StreamIdempotence): void {
    this.streams.idempotence(found);
  }

  moduleValue(): void {}

  end(): void {
    this.batch.send();
    this.sendExpiries();
  }

  private sendExpiries(): void {
    if (this.expiries.length === 0) return;
    const { keyBuf, keyStart, keyEnd } = this.place!;
    const key = Buffer.from(keyBuf.subarray(keyStart, keyEnd));
    for (const { field, atMs } of this.expiries)
      this.batch.command('HPEXPIREAT', key, String(atMs), 'FIELDS', '1', field);
    this.expiries = [];
  }

  private addMember(): void {
    this.batch.add(this.memberBytes, 0, this.memberLength);
    this.batch.cut();
  }

  private keepMember(buf: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.memberBytes.length < length) {
      this.memberBytes = Buffer.allocUnsafeSlow(length * 2);
      this.memberView = viewOf(this.memberBytes);
    }
    if (length < longBytes) copyShort(this.memberView, 0, sameViewOf(buf), start, end);
    else buf.copy(this.memberBytes, 0, start, end);
    this.memberLength = length;
  }
}
