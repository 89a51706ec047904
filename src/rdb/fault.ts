/**
 * What the low-level readers throw: a reason and the place, without the words for a person. The scanner knows
 * the key and the database, and turns it into the error that callers see.
 */
export type FaultKind = 'corrupt' | 'truncated' | 'unsupported' | 'too-large';

export class Fault extends Error {
  readonly kind: FaultKind;
  /** Absolute in the file when a cursor threw it; within the blob when a packed reader did. */
  readonly offset: number;

  constructor(kind: FaultKind, reason: string, offset: number) {
    super(reason);
    this.kind = kind;
    this.offset = offset;
  }
}
