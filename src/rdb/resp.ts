import { bodyMode } from './body/mode.ts';
import type { StreamGroup, StreamInfo, ValueVisitor } from './body/visitor.ts';
import type { ByteSink } from './byte-sink.ts';
import { Crc64 } from './crc64.ts';
import { type Kind, type, typeInfo } from './format.ts';
import type { PackedReader } from './packed/packed-reader.ts';
import { RespBatch } from './resp-batch.ts';
import type { BodyWish, ScanHandler, Scanner } from './scanner.ts';
import { copyShort, longBytes, sameViewOf, viewOf } from './short-copy.ts';

export interface RespOptions {
  /** Delete each key before it is written. */
  replace: boolean;
  /** Leave out what Redis before 7.0 does not understand: counts of streams and groups, functions. */
  old: boolean;
  test: (scanner: Scanner) => boolean;
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
const commands: Partial<Record<Kind, string>> = {
  string: 'SET',
  list: 'RPUSH',
  set: 'SADD',
  zset: 'ZADD',
  hash: 'HSET',
};

/**
 * Writes the commands that make the same keys in a running server, for `redis-cli --pipe`. Values of modules, which
 * have no commands known here, go as RESTORE.
 */
export class RespWriter implements ScanHandler, ValueVisitor {
  keys = 0;
  private readonly options: RespOptions;
  private readonly batch: RespBatch;
  private readonly wish: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: this };
  private readonly restoreWish: BodyWish = { mode: bodyMode.skip, raw: 'body' };
  private db = -1;
  private kind: Kind = 'string';
  private place: Scanner | undefined;
  private texts = 0;
  private hasExpiry = false;
  private field: Buffer | undefined;
  private expiries: { field: Buffer; atMs: bigint }[] = [];
  private memberBytes: Buffer = Buffer.allocUnsafeSlow(256);
  private memberView = viewOf(this.memberBytes);
  private memberLength = 0;
  private entries = 0;
  private pieces: Buffer[] | undefined;
  private isOpen = false;

  constructor(sink: ByteSink, options: RespOptions) {
    this.options = options;
    this.batch = new RespBatch(sink);
  }

  functionLibrary(code: Buffer): void {
    if (!this.options.old) this.batch.command('FUNCTION', 'LOAD', 'REPLACE', code);
  }

  key(scanner: Scanner): BodyWish {
    this.isOpen = this.options.test(scanner);
    this.pieces = undefined;
    if (!this.isOpen) return passOver;
    this.keys++;
    if (scanner.db !== this.db) {
      this.db = scanner.db;
      this.batch.command('SELECT', String(scanner.db));
    }
    this.place = scanner;
    this.kind = typeInfo(scanner.type, scanner.flavor)!.kind;
    this.hasExpiry = scanner.type >= type.hashMetadataPreGa;
    if (this.expiries.length > 0) this.expiries = [];
    if (this.kind === 'module') {
      this.pieces = [Buffer.from([scanner.type])];
      return this.restoreWish;
    }
    if (this.options.replace && this.kind !== 'string') this.batch.command('DEL', scanner.copyKey());
    return this.wish;
  }

  raw(buf: Buffer, from: number, to: number): void {
    this.pieces?.push(Buffer.from(buf.subarray(from, to)));
  }

  begin(kind: Kind, count: number): void {
    this.texts = 0;
    this.entries = 0;
    const perElement = kind === 'hash' || kind === 'zset' ? 2 : 1;
    this.batch.begin(commands[kind] ?? 'XADD', this.place!, kind === 'stream' ? -1 : count * perElement);
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
    this.batch.add(this.memberBytes, 0, this.memberLength);
    this.batch.cut();
  }

  score(value: number): void {
    const text =
      value === Infinity ? 'inf' : value === -Infinity ? '-inf' : Object.is(value, -0) ? '-0' : String(value);
    this.batch.addText(text);
    this.batch.add(this.memberBytes, 0, this.memberLength);
    this.batch.cut();
  }

  fieldExpiry(atMs: bigint | undefined): void {
    if (atMs !== undefined && this.field !== undefined) this.expiries.push({ field: this.field, atMs });
  }

  streamEntry(id: string): void {
    this.batch.send();
    this.batch.addText(id);
    this.entries++;
  }

  streamInfo(info: StreamInfo): void {
    const { batch } = this;
    const name = this.place!.copyKey();
    batch.send();
    // A stream without entries is made with one that is dropped at once, as Redis does when it rewrites its AOF.
    if (this.entries === 0) batch.command('XADD', name, 'MAXLEN', '0', '0-1', 'x', 'y');
    const counts =
      this.options.old || info.entriesAdded === undefined
        ? []
        : ['ENTRIESADDED', String(info.entriesAdded), 'MAXDELETEDID', info.maxDeletedId ?? '0-0'];
    batch.command('XSETID', name, info.lastId, ...counts);
  }

  streamGroup(group: StreamGroup): void {
    const { batch } = this;
    const name = this.place!.copyKey();
    const read = group.entriesRead;
    const counts = this.options.old || read === undefined || read < 0n ? [] : ['ENTRIESREAD', String(read)];
    batch.command('XGROUP', 'CREATE', name, group.name, group.lastId, ...counts);
    const pending = new Map(group.pending.map((entry) => [entry.id, entry]));
    for (const consumer of group.consumers) {
      batch.command('XGROUP', 'CREATECONSUMER', name, group.name, consumer.name);
      for (const id of consumer.pending) {
        const { deliveredMs, deliveries } = pending.get(id) ?? {
          deliveredMs: consumer.seenMs,
          deliveries: 1n,
        };
        const when = ['TIME', String(deliveredMs), 'RETRYCOUNT', String(deliveries), 'FORCE', 'JUSTID'];
        batch.command('XCLAIM', name, group.name, consumer.name, '0', id, ...when);
      }
    }
  }

  moduleValue(): void {}

  /** Both the end of a value, from the walker, and the end of an entry, from the scanner. */
  end(scanner?: Scanner): void {
    const { batch } = this;
    if (scanner === undefined) {
      batch.send();
      return;
    }
    if (!this.isOpen) return;
    this.isOpen = false;
    if (this.pieces !== undefined || this.expiries.length > 0) this.putRest(scanner);
    if (scanner.expireMs === -1) return;
    batch.integer('PEXPIREAT', scanner, scanner.expireHigh, scanner.expireLow);
  }

  /** What goes beyond the plain commands: a module's value, and fields that expire. */
  private putRest(scanner: Scanner): void {
    const { batch } = this;
    const name = scanner.copyKey();
    if (this.pieces !== undefined) {
      batch.command(
        'RESTORE',
        name,
        '0',
        this.payload(scanner),
        ...(this.options.replace ? ['REPLACE'] : []),
      );
      this.pieces = undefined;
    }
    for (const { field, atMs } of this.expiries) {
      batch.command('HPEXPIREAT', name, String(atMs), 'FIELDS', '1', field);
    }
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

  /** What DUMP would give: type, body, RDB version, and the checksum of all that. */
  private payload(scanner: Scanner): Buffer {
    const version = Buffer.from([scanner.header.version & 255, scanner.header.version >>> 8]);
    const bytes = Buffer.concat([...(this.pieces ?? []), version, Buffer.alloc(8)]);
    const crc = new Crc64();
    crc.update(bytes, 0, bytes.length - 8);
    crc.writeTo(bytes, bytes.length - 8);
    return bytes;
  }
}
