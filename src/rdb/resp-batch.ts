import type { ByteSink } from './byte-sink.ts';
import { writeInteger } from './integer-text.ts';

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
  private readonly sink: ByteSink;
  private head = '';
  private name = '';
  private key: KeyPlace | undefined;
  private waiting: Buffer = Buffer.allocUnsafeSlow(maxBytes * 2);
  private pos = 0;
  private count = 0;

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  /** Starts commands of the form `name key argument…`. */
  begin(name: string, key: KeyPlace): void {
    if (name !== this.name) this.head = `$${name.length}\r\n${name}\r\n`;
    this.name = name;
    this.key = key;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.pos + length + 32 > this.waiting.length) this.reserve(length + 32);
    const { waiting } = this;
    let pos = putBulkHead(waiting, this.pos, length);
    if (length < 64) for (let at = start; at < end; at++) waiting[pos++] = bytes[at]!;
    else pos += bytes.copy(waiting, pos, start, end);
    waiting[pos] = 0x0d;
    waiting[pos + 1] = 0x0a;
    this.pos = pos + 2;
    this.count++;
  }

  /** ASCII only. */
  addText(text: string): void {
    const { length } = text;
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
    const { sink } = this;
    const { keyBuf, keyStart, keyEnd } = this.key!;
    sink.byte(0x2a);
    sink.integer(this.count + 2);
    sink.ascii('\r\n');
    sink.ascii(this.head);
    this.bulk(keyBuf, keyStart, keyEnd);
    sink.copy(this.waiting, 0, this.pos);
    this.pos = 0;
    this.count = 0;
  }

  /** One whole command; strings are ASCII. */
  command(...parts: (string | Buffer)[]): void {
    const { sink } = this;
    sink.byte(0x2a);
    sink.integer(parts.length);
    sink.ascii('\r\n');
    for (const part of parts) {
      if (typeof part === 'string') sink.ascii(`$${part.length}\r\n${part}\r\n`);
      else this.bulk(part, 0, part.length);
    }
  }

  private bulk(bytes: Buffer, start: number, end: number): void {
    const { sink } = this;
    sink.reserve(32);
    sink.pos = putBulkHead(sink.buf, sink.pos, end - start);
    sink.copy(bytes, start, end);
    sink.ascii('\r\n');
  }

  private reserve(more: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.waiting.length * 2, this.pos + more));
    this.waiting.copy(larger, 0, 0, this.pos);
    this.waiting = larger;
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
