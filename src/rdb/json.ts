import { bodyMode } from './body/mode.ts';
import type { StreamGroup, StreamIdempotence, StreamInfo, ValueVisitor } from './body/visitor.ts';
import type { ByteSink } from './byte-sink.ts';
import { type Kind, type, typeInfo } from './format.ts';
import { bigintOf } from './int64.ts';
import { putJsonNumber, putJsonString } from './json-text.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { viewOf } from './short-copy.ts';

export interface JsonOptions {
  /** One object a line and nothing around them; else one array. */
  lines: boolean;
  test: (scanner: ScanState) => boolean;
}

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
const words = {
  expireAt: constant(',"expireAt":'),
  value: constant(',"value":'),
  member: constant('{"member":'),
  nextMember: constant(',{"member":'),
  score: constant(',"score":'),
  comma: constant(',\n'),
  newLine: constant('\n'),
};

function constant(ascii: string): DataView {
  return viewOf(Buffer.from(ascii));
}

/**
 * Writes keys and values as JSON, straight into a sink: `{"db":0,"key":…,"type":…,"encoding":…,"value":…}` with
 * `expireAt`, `idle` and `freq` where there are any. docs/rdb.md shows each type.
 */
export class JsonWriter implements ScanHandler, ValueVisitor {
  keys = 0;
  private readonly sink: ByteSink;
  private readonly lines: boolean;
  private readonly test: (scanner: ScanState) => boolean;
  private readonly wish: BodyWish = { mode: bodyMode.decode, raw: undefined, visitor: this };
  private count = 0;
  private kind: Kind = 'string';
  private texts = 0;
  private opens = 0;
  private groups = 0;
  private groupsAreOpen = false;
  private hasExpiry = false;
  private field: Buffer | undefined;
  private expiries: { field: Buffer; atMs: bigint }[] = [];
  private isOpen = false;
  private db = -1;
  private keyHead = words.value;
  private readonly typeBytes: DataView[] = [];

  constructor(sink: ByteSink, options: JsonOptions) {
    this.sink = sink;
    this.lines = options.lines;
    this.test = options.test;
    if (!this.lines) sink.ascii('[\n');
  }

  functionLibrary(code: Buffer): void {
    this.separate();
    this.sink.ascii('{"type":"function","code":');
    putJsonString(this.sink, code, 0, code.length);
    this.sink.ascii('}');
  }

  key(scanner: ScanState): BodyWish {
    this.isOpen = this.test(scanner);
    if (!this.isOpen) return passOver;
    const { sink } = this;
    this.keys++;
    this.separate();
    if (scanner.db !== this.db) {
      this.db = scanner.db;
      this.keyHead = constant(`{"db":${scanner.db},"key":`);
    }
    sink.constant(this.keyHead);
    putJsonString(sink, scanner.keyBuf, scanner.keyStart, scanner.keyEnd);
    this.putType(scanner);
    if (scanner.expireMs !== -1) {
      sink.constant(words.expireAt);
      if (Number.isSafeInteger(scanner.expireMs)) sink.integer(scanner.expireMs);
      else sink.ascii(String(bigintOf(scanner.expireHigh, scanner.expireLow)));
    }
    if (scanner.idle !== -1) sink.ascii(`,"idle":${scanner.idle}`);
    if (scanner.freq !== -1) sink.ascii(`,"freq":${scanner.freq}`);
    sink.constant(words.value);
    this.hasExpiry = scanner.type >= type.hashMetadataPreGa;
    this.field = undefined;
    if (this.expiries.length > 0) this.expiries = [];
    return this.wish;
  }

  /** Once the file has been read: closes the array. */
  finish(): void {
    if (!this.lines) this.sink.ascii('\n]\n');
    else if (this.count > 0) this.sink.ascii('\n');
  }

  begin(kind: Kind): void {
    this.kind = kind;
    this.texts = 0;
    this.opens = 0;
    this.groups = 0;
    if (kind === 'hash') this.sink.byte(0x7b);
    else if (kind === 'stream') this.sink.ascii('{"entries":[');
    else if (kind !== 'string' && kind !== 'module') this.sink.byte(0x5b);
  }

  text(buf: Buffer, start: number, end: number): void {
    const { sink, texts } = this;
    switch (this.kind) {
      case 'hash':
        if (texts % 2 === 0) {
          if (texts > 0) sink.byte(0x2c);
          if (this.hasExpiry) this.field = Buffer.from(buf.subarray(start, end));
        } else {
          sink.byte(0x3a);
        }
        break;
      case 'zset':
        sink.constant(texts > 0 ? words.nextMember : words.member);
        break;
      case 'stream':
        if (texts % 2 === 0) sink.ascii(texts > 0 ? ',[' : '[');
        else sink.byte(0x2c);
        break;
      default:
        if (texts > 0) sink.byte(0x2c);
    }
    putJsonString(sink, buf, start, end);
    if (this.kind === 'stream' && texts % 2 === 1) sink.byte(0x5d);
    this.texts = texts + 1;
  }

  score(value: number): void {
    this.sink.constant(words.score);
    putJsonNumber(this.sink, value);
    this.sink.byte(0x7d);
  }

  fieldExpiry(atMs: bigint | undefined): void {
    if (atMs !== undefined && this.field !== undefined) this.expiries.push({ field: this.field, atMs });
  }

  streamEntry(id: string): void {
    this.sink.ascii(`${this.opens > 0 ? ']},' : ''}{"id":"${id}","fields":[`);
    this.opens++;
    this.texts = 0;
  }

  streamInfo(info: StreamInfo): void {
    const { sink } = this;
    sink.ascii(`${this.opens > 0 ? ']}' : ''}],"length":${info.length},"lastId":"${info.lastId}"`);
    if (info.firstId !== undefined) {
      sink.ascii(`,"firstId":"${info.firstId}","maxDeletedId":"${info.maxDeletedId}"`);
      sink.ascii(`,"entriesAdded":${info.entriesAdded}`);
    }
    sink.ascii(',"groups":[');
    this.groupsAreOpen = true;
  }

  streamGroup(group: StreamGroup): void {
    const { sink } = this;
    sink.ascii(`${this.groups++ > 0 ? ',' : ''}{"name":`);
    putJsonString(sink, group.name, 0, group.name.length);
    sink.ascii(`,"lastId":"${group.lastId}"`);
    if (group.entriesRead !== undefined) sink.ascii(`,"entriesRead":${group.entriesRead}`);
    sink.ascii(',"pending":[');
    for (const [index, { id, deliveredMs, deliveries }] of group.pending.entries()) {
      const comma = index > 0 ? ',' : '';
      sink.ascii(`${comma}{"id":"${id}","deliveredAt":${deliveredMs},"deliveries":${deliveries}}`);
    }
    sink.ascii('],"consumers":[');
    for (const [index, consumer] of group.consumers.entries()) {
      sink.ascii(`${index > 0 ? ',' : ''}{"name":`);
      putJsonString(sink, consumer.name, 0, consumer.name.length);
      sink.ascii(`,"seenAt":${consumer.seenMs}`);
      if (consumer.activeMs !== undefined) sink.ascii(`,"activeAt":${consumer.activeMs}`);
      sink.ascii(',"pending":[');
      for (const [at, id] of consumer.pending.entries()) sink.ascii(`${at > 0 ? ',' : ''}"${id}"`);
      sink.ascii(']}');
    }
    sink.ascii(']}');
  }

  streamIdempotence({ seconds, maxIds, producers, added, duplicates }: StreamIdempotence): void {
    const { sink } = this;
    this.groupsAreOpen = false;
    sink.ascii(`],"idempotence":{"seconds":${seconds},"maxIds":${maxIds}`);
    sink.ascii(`,"added":${added},"duplicates":${duplicates},"producers":[`);
    for (const [index, { name, ids }] of producers.entries()) {
      sink.ascii(`${index > 0 ? ',' : ''}{"name":`);
      putJsonString(sink, name, 0, name.length);
      sink.ascii(',"ids":[');
      for (const [at, { id, entry }] of ids.entries()) {
        sink.ascii(`${at > 0 ? ',' : ''}{"id":`);
        putJsonString(sink, id, 0, id.length);
        sink.ascii(`,"entry":"${entry}"}`);
      }
      sink.ascii(']}');
    }
    sink.ascii(']}');
  }

  moduleValue(name: string, version: number): void {
    this.sink.ascii(`null,"module":{"name":"${name}","version":${version}}`);
  }

  /** Both the end of a value, from the walker, and the end of an entry, from the scanner. */
  end(scanner?: ScanState): void {
    if (scanner !== undefined) {
      if (this.isOpen) this.sink.byte(0x7d);
      this.isOpen = false;
      return;
    }
    const { sink, kind } = this;
    if (kind === 'hash') sink.byte(0x7d);
    else if (kind === 'stream') sink.ascii(this.groupsAreOpen ? ']}' : '}');
    else if (kind !== 'string' && kind !== 'module') sink.byte(0x5d);
    if (this.expiries.length > 0) this.putExpiries();
  }

  private putType(scanner: ScanState): void {
    let bytes = this.typeBytes[scanner.type];
    if (bytes === undefined) {
      const { kind, encoding } = typeInfo(scanner.type, scanner.flavor)!;
      bytes = constant(`,"type":"${kind}","encoding":"${encoding}"`);
      this.typeBytes[scanner.type] = bytes;
    }
    this.sink.constant(bytes);
  }

  private putExpiries(): void {
    const { sink } = this;
    sink.ascii(',"fieldExpireAt":{');
    for (const [index, { field, atMs }] of this.expiries.entries()) {
      if (index > 0) sink.byte(0x2c);
      putJsonString(sink, field, 0, field.length);
      sink.ascii(`:${atMs}`);
    }
    sink.byte(0x7d);
  }

  private separate(): void {
    if (this.count++ > 0) this.sink.constant(this.lines ? words.newLine : words.comma);
  }
}
