import type { Ability } from './abilities.ts';
import { bodyMode } from './body/mode.ts';
import type { StreamGroup, StreamIdempotence, StreamInfo, ValueVisitor } from './body/visitor.ts';
import type { ByteSink } from './byte-sink.ts';
import { cameWith } from './convert.ts';
import { type Unloadable, withoutMetadata } from './copy.ts';
import { type Kind, type, typeInfo } from './format.ts';
import { libraryName } from './function-library.ts';
import { lacksModule, needsModule } from './module-types.ts';
import type { PackedReader } from './packed/packed-reader.ts';
import { RespBatch } from './resp-batch.ts';
import { RespStream } from './resp-stream.ts';
import { restorePayload } from './restore-payload.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { copyShort, longBytes, sameViewOf, viewOf } from './short-copy.ts';
import { can, type Target } from './target.ts';
import { decodeBody, visitBody } from './value.ts';

export interface RespOptions {
  /** Delete each key before it is written. */
  replace: boolean;
  /** The server that will be given the commands: none that it lacks is written. Undefined: the newest. */
  target?: Target;
  test: (scanner: ScanState) => boolean;
  /** Hears what can't be made with commands that the server has. */
  onUnloadable: (unloadable: Unloadable) => void;
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
const commands: Partial<Record<Kind, string>> = {
  string: 'SET',
  list: 'RPUSH',
  set: 'SADD',
  zset: 'ZADD',
};

/** HPEXPIREAT takes a quarter of what a file may hold: HFE_MAX_ABS_TIME_MSEC in redis src/t_hash.c. */
const latestRedisFieldMs = 2n ** 46n - 1n;
/** Every server that has values of modules takes a RESTORE of this version, and their form is the same since. */
const restoreVersion = 8;

/**
 * Writes the commands that make the same keys in a running server, for `redis-cli --pipe`. Values of modules, which
 * have no commands known here, go as RESTORE. What the server has no command for is left out, whole, and told.
 */
export class RespWriter implements ScanHandler, ValueVisitor {
  keys = 0;
  private readonly options: RespOptions;
  private readonly batch: RespBatch;
  private readonly wish: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: this };
  private readonly bodyWish: BodyWish = { mode: bodyMode.skip, raw: 'body' };
  private readonly hset: string;
  private db = -1;
  private kind: Kind = 'string';
  private place: ScanState | undefined;
  private texts = 0;
  private hasExpiry = false;
  private field: Buffer | undefined;
  private expiries: { field: Buffer; atMs: bigint }[] = [];
  private memberBytes: Buffer = Buffer.allocUnsafeSlow(256);
  private memberView = viewOf(this.memberBytes);
  private memberLength = 0;
  private readonly streams: RespStream;
  private pieces: Buffer[] | undefined;
  private isOpen = false;

  constructor(sink: ByteSink, options: RespOptions) {
    this.options = options;
    this.batch = new RespBatch(sink);
    this.hset = this.can('manyFields') ? 'HSET' : 'HMSET';
    this.streams = new RespStream(this.batch, (ability) => this.can(ability));
  }

  functionLibrary(code: Buffer): void {
    if (this.can('functions')) {
      this.batch.command('FUNCTION', 'LOAD', 'REPLACE', code);
      return;
    }
    const reason = `library ${libraryName(code)}: ${cameWith('functions', 'functions')}`;
    this.options.onUnloadable({ what: 'function', reason });
  }

  key(scanner: ScanState): BodyWish {
    this.isOpen = this.options.test(scanner) && this.canBeMade(scanner);
    this.pieces = undefined;
    if (!this.isOpen) return passOver;
    this.keys++;
    if (scanner.db !== this.db) {
      this.db = scanner.db;
      this.batch.command('SELECT', String(scanner.db));
    }
    this.place = scanner;
    this.kind = typeInfo(scanner.type, scanner.flavor)!.kind;
    this.hasExpiry = this.kind === 'hash' && scanner.type >= type.hashMetadataPreGa;
    if (this.expiries.length > 0) this.expiries = [];
    // Whether a field expires later than the server allows is known only when all have been seen.
    if (this.kind === 'module' || (this.hasExpiry && this.options.target !== undefined)) {
      this.pieces = [];
      return this.bodyWish;
    }
    this.deleteFirst(scanner);
    return this.wish;
  }

  private deleteFirst(scanner: ScanState): void {
    if (this.options.replace && this.kind !== 'string') this.batch.command('DEL', scanner.copyKey());
  }

  private can(ability: Ability): boolean {
    const { target } = this.options;
    return target === undefined || can(target, ability);
  }

  /** What is known before the value has been read. */
  private canBeMade(scanner: ScanState): boolean {
    const { kind } = typeInfo(scanner.type, scanner.flavor)!;
    const { target } = this.options;
    let reason: string | undefined;
    if (kind === 'stream' && !this.can('streams')) reason = cameWith('streams', 'streams');
    if (kind === 'module' && !this.can('moduleValues'))
      reason = cameWith('values of modules', 'moduleValues');
    if (kind === 'module' && target !== undefined) reason ??= lacksModule(target, scanner.moduleType);
    if (reason === undefined && scanner.hasMetadata) this.tell(scanner, withoutMetadata, true);
    if (reason !== undefined) this.tell(scanner, reason);
    else if (kind === 'module' && target !== undefined && needsModule(target, scanner.moduleType)) {
      this.tell(scanner, `needs a module with the type ${scanner.moduleType} there`, true);
    }
    return reason === undefined;
  }

  private tell(scanner: ScanState, reason: string, kept = false): void {
    const key = scanner.copyKey();
    const unloadable: Unloadable = { what: 'key', db: scanner.db, key, reason };
    this.options.onUnloadable(kept ? { ...unloadable, kept } : unloadable);
  }

  raw(buf: Buffer, from: number, to: number): void {
    this.pieces?.push(Buffer.from(buf.subarray(from, to)));
  }

  begin(kind: Kind, count: number): void {
    this.texts = 0;
    const perElement = kind === 'hash' || kind === 'zset' ? 2 : 1;
    const command = kind === 'hash' ? this.hset : (commands[kind] ?? 'XADD');
    if (kind === 'stream') this.streams.begin(this.place!);
    this.batch.begin(command, this.place!, kind === 'stream' ? -1 : count * perElement);
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

  /** Both the end of a value, from the walker, and the end of an entry, from the scanner. */
  end(scanner?: ScanState): void {
    const { batch } = this;
    if (scanner === undefined) {
      batch.send();
      return;
    }
    if (!this.isOpen) return;
    this.isOpen = false;
    if (this.kind === 'stream') {
      for (const reason of this.streams.without) this.tell(scanner, `without ${reason}`, true);
    }
    if (this.pieces !== undefined && !this.putWhole(scanner, Buffer.concat(this.pieces))) return;
    for (const { field, atMs } of this.expiries) {
      batch.command('HPEXPIREAT', scanner.copyKey(), String(atMs), 'FIELDS', '1', field);
    }
    if (scanner.expireMs === -1) return;
    batch.integer('PEXPIREAT', scanner, scanner.expireHigh, scanner.expireLow);
  }

  /** A value that was held until its end. False when it can't be made there. */
  private putWhole(scanner: ScanState, body: Buffer): boolean {
    const { batch } = this;
    this.pieces = undefined;
    if (this.kind === 'module') {
      const replace = this.options.replace ? ['REPLACE'] : [];
      batch.command(
        'RESTORE',
        scanner.copyKey(),
        '0',
        restorePayload(scanner.type, body, restoreVersion),
        ...replace,
      );
      return true;
    }
    const value = decodeBody(scanner.type, scanner.flavor, body);
    const times = value.kind === 'hash' ? value.fields.flatMap(({ expireMs }) => expireMs ?? []) : [];
    const late =
      this.options.target?.flavor === 'valkey' ? undefined : times.find((at) => at > latestRedisFieldMs);
    const reason =
      times.length > 0 && !this.can('fieldExpiry')
        ? cameWith(`${times.length} of its fields expire, and that`, 'fieldExpiry')
        : late !== undefined
          ? `a field expires at ${late}, and HPEXPIREAT takes times up to ${latestRedisFieldMs}`
          : undefined;
    if (reason !== undefined) {
      this.keys--;
      this.tell(scanner, reason);
      return false;
    }
    this.deleteFirst(scanner);
    visitBody(scanner.type, scanner.flavor, body, this);
    return true;
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
