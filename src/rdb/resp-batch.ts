import type { ByteSink } from './byte-sink.ts';
import { writeInteger } from './integer-text.ts';

const maxArguments = 512;
const maxBytes = 64 * 1024;

/**
 * Commands as a client sends them: an array of bulk strings. Since the number of arguments comes first, those of
 * long commands are collected until there are enough, and one value becomes several commands.
 */
export class RespBatch {
  private readonly sink: ByteSink;
  private head = '';
  private key: Buffer = Buffer.alloc(0);
  private waiting: Buffer = Buffer.allocUnsafeSlow(maxBytes * 2);
  private pos = 0;
  private count = 0;
  private headCount = 0;

  constructor(sink: ByteSink) {
    this.sink = sink;
  }

  /** Starts commands of the form `name key argument…`. */
  begin(name: string, key: Buffer): void {
    this.head = bulkText(name);
    this.key = key;
    this.headCount = 2;
  }

  add(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.reserve(length + 32);
    const { waiting } = this;
    waiting[this.pos] = 0x24;
    let pos = writeInteger(waiting, this.pos + 1, length);
    waiting[pos++] = 0x0d;
    waiting[pos++] = 0x0a;
    if (length < 48) for (let at = start; at < end; at++) waiting[pos++] = bytes[at]!;
    else pos += bytes.copy(waiting, pos, start, end);
    waiting[pos++] = 0x0d;
    waiting[pos++] = 0x0a;
    this.pos = pos;
    this.count++;
  }

  addText(text: string): void {
    const bytes = Buffer.from(text);
    this.add(bytes, 0, bytes.length);
  }

  /** Sends what has come when that is enough for one command; to be called where a value may be cut. */
  cut(): void {
    if (this.count >= maxArguments || this.pos >= maxBytes) this.send();
  }

  /** Sends what has come, if anything. */
  send(): void {
    if (this.count === 0) return;
    const { sink } = this;
    sink.ascii(`*${this.headCount + this.count}\r\n${this.head}$${this.key.length}\r\n`);
    sink.copy(this.key, 0, this.key.length);
    sink.ascii('\r\n');
    sink.copy(this.waiting, 0, this.pos);
    this.pos = 0;
    this.count = 0;
  }

  /** One whole command. */
  command(...parts: (string | Buffer)[]): void {
    const { sink } = this;
    sink.ascii(`*${parts.length}\r\n`);
    for (const part of parts) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part;
      sink.ascii(`$${bytes.length}\r\n`);
      sink.copy(bytes, 0, bytes.length);
      sink.ascii('\r\n');
    }
  }

  private reserve(more: number): void {
    if (this.pos + more <= this.waiting.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.waiting.length * 2, this.pos + more));
    this.waiting.copy(larger, 0, 0, this.pos);
    this.waiting = larger;
  }
}

function bulkText(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}
