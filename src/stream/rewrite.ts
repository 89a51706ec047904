/** What becomes of a command on its way: as whoever transforms a stream answers it. */
export type Rewritten =
  /** The bytes that came. */
  | 'as-it-is'
  | 'nothing'
  /** These instead, each with its name first. */
  | readonly (readonly (Buffer | string)[])[];

export interface Rewriter {
  /** Which database of the target one of the source becomes; undefined when it is left out. */
  targetDb(db: number): number | undefined;
  /** Every key is carried, under the name that it has: `targetKey` need not be asked. */
  readonly keepsKeys: boolean;
  /** What one of the source's keys is called in the target; undefined when it is left out. */
  targetKey(key: Buffer): Buffer | undefined;
  /**
   * @param name in small letters
   * @param args all arguments, the name first; asked for only where they are needed.
   * @throws STREAM_CANT_CARRY
   */
  rewrite(name: string, args: () => Buffer[], db: number): Rewritten;
}

/** Everything as it is. */
export const unchanged: Rewriter = {
  targetDb: (db) => db,
  keepsKeys: true,
  targetKey: (key) => key,
  rewrite: () => 'as-it-is',
};
