import type { Unloadable } from './copy.ts';
import type { Target } from './target.ts';
import type { RdbWriter } from './writer.ts';

/**
 * Functions and module data outside the key space, which belong to a file as a whole. Out of several files the first
 * of each name is kept; what differs is told.
 */
export class ExtrasCopier {
  private readonly writer: RdbWriter;
  private readonly target: Target;
  private readonly onUnloadable: (unloadable: Unloadable) => void;
  private readonly libraries = new Map<string, Buffer>();
  private readonly moduleData = new Map<string, true>();
  /** Names of libraries that came a second time with other code. */
  readonly clashes: string[] = [];

  constructor(writer: RdbWriter, target: Target, onUnloadable: (unloadable: Unloadable) => void) {
    this.writer = writer;
    this.target = target;
    this.onUnloadable = onUnloadable;
  }

  functionLibrary(code: Buffer): void {
    const name = /^#!\S+[^\n]*?\bname=([^\s]+)/.exec(code.subarray(0, 1024).toString())?.[1] ?? '';
    const before = this.libraries.get(name);
    if (before !== undefined) {
      if (!before.equals(code)) this.clashes.push(name);
      return;
    }
    if (this.target.version < 10) {
      this.onUnloadable({ what: 'function', reason: `library ${name}: functions came with Redis 7.0` });
      return;
    }
    this.libraries.set(name, Buffer.from(code));
    this.writer.functionLibrary(code);
  }

  /** @param bytes from the opcode on. */
  moduleAux(bytes: Buffer): void {
    if (this.target.version < 9) {
      this.onUnloadable({ what: 'module data', reason: 'it came with Redis 5.0' });
      return;
    }
    const text = bytes.toString('latin1');
    if (this.moduleData.has(text)) return;
    this.moduleData.set(text, true);
    this.writer.bytes(bytes, 0, bytes.length);
    this.writer.settle();
  }
}
