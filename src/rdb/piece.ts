/**
 * What whoever brings a piece of a file may know of it, beside its bytes: then its reader need not sum it up, or
 * copy it to have it behind the rest of the piece before.
 */
export interface PieceFacts {
  /** The two halves of the checksum of the piece by itself, started at 0. */
  low: number;
  high: number;
  /** So many bytes of memory before the piece are free to be written to, for as long as the piece is there. */
  room: number;
}

const told = new WeakMap<Buffer, PieceFacts>();

export function tellOfPiece(piece: Buffer, facts: PieceFacts): void {
  told.set(piece, facts);
}

export function factsOf(piece: Buffer): PieceFacts | undefined {
  return told.get(piece);
}
