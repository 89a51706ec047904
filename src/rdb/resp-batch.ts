import type { ByteSink } from './byte-sink.ts';
import { writeInteger, writeInteger64 } from './integer-text.ts';
import type { PackedReader } from './packed/packed-reader.ts';
import { copyShort, longBytes, sameViewOf, viewOf } from './short-copy.ts';

const maxArguments = 512;
const maxBytes = 64 * 1024;

/** Where the key of the commands stands; asked for only when a command is sent, since it may move. */
export interface KeyPlace {
  keyBuf: Buffer;
  keyStart: number;
  keyEnd: number;
}

/**
 * Commands as a client sends them: an array of bulk strings. Since the number of arguments comes first, those of
 * long commands are collected until there are enough, and one value becomes several commands.
 */
export class RespBatch {
  /** How many were written. */
  commands = 0;
  private readonly sink: ByteSink;
  private name = '';
  private heads: DataView[] = [];
  private readonly headsByName = new Map<string, DataView[]>();
  private key: KeyPlace | undefined;
  private waiting: Buffer = Buffer.allocUnsafeSlow(maxBytes * 2);
  private waitingView = viewOf(this.waiting);
  private pos = 0;
  private count = 0;
  private isDirect = false;
  private readonly digits = Buffer.allocUnsafe(32);

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  /**
   * Starts commands of the form `name key argument…`.
   * @param count how many arguments will come, when that is known: few enough make one command, which then is
   * written as they come. They must be exactly as many.
   */
  begin(name: string, key: KeyPlace, count = -1): void {
    this.use(name);
    this.key = key;
    this.isDirect = count > 0 && count <= maxArguments;
    if (this.isDirect) this.putHead(count);
  }

  add(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.isDirect) {
      this.bulk(bytes, start, end);
      return;
    }
    if (this.pos + length + 32 > this.waiting.length) this.reserve(length + 32);
    const { waiting } = this;
    let pos = putBulkHead(waiting, this.pos, length);
    if (length < longBytes) copyShort(this.waitingView, pos, sameViewOf(bytes), start, end);
    else bytes.copy(waiting, pos, start, end);
    pos += length;
    waiting[pos] = 0x0d;
    waiting[pos + 1] = 0x0a;
    this.pos = pos + 2;
    this.count++;
  }

  /** All elements of a packed value; `perElement` of them must not be parted. Returns how many there were. */
  addAll(elements: PackedReader, perElement: number): number {
    let added = 0;
    while (elements.next()) {
      if (elements.isInteger) elements.resolve();
      added++;
      if (this.isDirect) {
        this.bulk(elements.buf, elements.start, elements.end);
        continue;
      }
      this.add(elements.buf, elements.start, elements.end);
      if (added % perElement === 0) this.cut();
    }
    return added;
  }

  /** ASCII only. */
  addText(text: string): void {
    const { length } = text;
    if (this.isDirect) {
      this.sink.reserve(length + 32);
      this.sink.pos = putBulkHead(this.sink.buf, this.sink.pos, length);
      this.sink.ascii(text);
      this.sink.ascii('\r\n');
      return;
    }
    if (this.pos + length + 32 > this.waiting.length) this.reserve(length + 32);
    const { waiting } = this;
    let pos = putBulkHead(waiting, this.pos, length);
    for (let at = 0; at < length; at++) waiting[pos++] = text.charCodeAt(at);
    waiting[pos] = 0x0d;
    waiting[pos + 1] = 0x0a;
    this.pos = pos + 2;
    this.count++;
  }

  /** Sends what has come when that is enough for one command; to be called where a value may be cut. */
  cut(): void {
    if (this.count >= maxArguments || this.pos >= maxBytes) this.send();
  }

  /** Sends what has come, if anything. */
  send(): void {
    if (this.count === 0) return;
    this.putHead(this.count);
    this.sink.copy(this.waiting, 0, this.pos);
    this.pos = 0;
    this.count = 0;
  }

  /** `name key integer`, of which there are many when keys expire; as two halves. */
  integer(name: string, { keyBuf, keyStart, keyEnd }: KeyPlace, high: number, low: number): void {
    this.use(name);
    this.putCommand(1);
    this.bulk(keyBuf, keyStart, keyEnd);
    this.bulk(this.digits, 0, writeInteger64(this.digits, 0, high, low));
  }

  /** One whole command; strings are ASCII. */
  command(...parts: (string | Buffer)[]): void {
    const { sink } = this;
    this.commands++;
    sink.byte(0x2a);
    sink.integer(parts.length);
    sink.ascii('\r\n');
    for (const part of parts) {
      if (typeof part === 'string') sink.ascii(`$${part.length}\r\n${part}\r\n`);
      else this.bulk(part, 0, part.length);
    }
  }

  private use(name: string): void {
    if (name === this.name) return;
    this.name = name;
    let heads = this.headsByName.get(name);
    if (heads === undefined) {
      heads = [];
      this.headsByName.set(name, heads);
    }
    this.heads = heads;
  }

  private putHead(count: number): void {
    const { keyBuf, keyStart, keyEnd } = this.key!;
    this.putCommand(count);
    this.bulk(keyBuf, keyStart, keyEnd);
  }

  /** How many bulk strings follow, and the first of them, the name: the same bytes again and again. */
  private putCommand(count: number): void {
    const { sink, name, heads } = this;
    this.commands++;
    let head = heads[count];
    if (head === undefined) {
      head = viewOf(Buffer.from(`*${count + 2}\r\n$${name.length}\r\n${name}\r\n`));
      heads[count] = head;
    }
    sink.constant(head);
  }

  private bulk(bytes: Buffer, start: number, end: number): void {
    const { sink } = this;
    const length = end - start;
    if (length >= longBytes) {
      sink.reserve(32);
      sink.pos = putBulkHead(sink.buf, sink.pos, length);
      sink.copy(bytes, start, end);
      sink.ascii('\r\n');
      return;
    }
    if (sink.pos + length + 32 > sink.buf.length) sink.reserve(length + 32);
    const target = sink.buf;
    let pos = putBulkHead(target, sink.pos, length);
    copyShort(sink.view, pos, sameViewOf(bytes), start, end);
    pos += length;
    target[pos] = 0x0d;
    target[pos + 1] = 0x0a;
    sink.pos = pos + 2;
  }

  private reserve(more: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.waiting.length * 2, this.pos + more));
    this.waiting.copy(larger, 0, 0, this.pos);
    this.waiting = larger;
    this.waitingView = viewOf(larger);
  }
}

/** `$length\r\n`; most lengths have one or two digits. Returns where it ends. */
function putBulkHead(target: Buffer, at: number, length: number): number {
  target[at] = 0x24;
  let pos = at + 1;
  if (length < 10) {
    target[pos++] = 0x30 + length;
  } else if (length < 100) {
    const tens = (length / 10) | 0;
    target[pos++] = 0x30 + tens;
    target[pos++] = 0x30 + length - tens * 10;
  } else {
    pos = writeInteger(target, pos, length);
  }
  target[pos] = 0x0d;
  target[pos + 1] = 0x0a;
  return pos + 2;
}
