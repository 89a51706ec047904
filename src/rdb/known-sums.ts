import type { Crc64 } from './crc64.ts';

/**
 * Checksums of pieces of a file that were worked out elsewhere, so that whoever reads the pieces need not: each is
 * that of one piece by itself, started at 0.
 */
const sums = new WeakMap<Buffer, Sum>();

export type Sum = Pick<Crc64, 'low' | 'high'>;

export function tellSum(piece: Buffer, sum: Sum): void {
  sums.set(piece, sum);
}

export function knownSum(piece: Buffer): Sum | undefined {
  return sums.get(piece);
}
