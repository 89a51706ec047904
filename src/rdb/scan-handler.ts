import type { BodyMode } from './body/mode.ts';
import type { ValueVisitor } from './body/visitor.ts';
import type { FileHeader } from './format.ts';
import type { ScanState } from './scan-state.ts';

/** What the handler wants of a body. */
export interface BodyWish {
  mode: BodyMode;
  /** For those that pass bytes on: those of the whole entry, from its first mark, or of the body alone. */
  raw: 'entry' | 'body' | undefined;
  /** Must be given in decode mode. */
  visitor?: ValueVisitor;
}

/** Is told what a file holds, in the order of the file. Buffers are valid only during the call. */
export interface ScanHandler {
  header?(header: FileHeader): void;
  aux?(name: Buffer, value: Buffer): void;
  /** The source of a function library. */
  functionLibrary?(code: Buffer): void;
  /** Module data outside the key space; its body follows like a key's. */
  moduleAux?(scanner: ScanState): BodyWish;
  selectDb?(db: number): void;
  /** The server's hint: how many keys follow, and how many of them expire. */
  resizeDb?(keys: number, expires: number): void;
  /** A key; what there is to know of it stands in the scanner. */
  key(scanner: ScanState): BodyWish;
  /** A piece of the bytes that were wished. All of them have come when `end` is called. */
  raw?(buf: Buffer, from: number, to: number): void;
  /** The body is over. */
  end?(scanner: ScanState): void;
  /** Nothing that `raw` and others were given may be used after this returns. */
  settle?(): void;
}
