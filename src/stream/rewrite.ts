/** What becomes of a command on its way: as whoever transforms a stream answers it. */
export type Rewritten =
  /** The bytes that came. */
  | 'as-it-is'
  | 'nothing'
  /** These instead, each with its name first. */
  | readonly (readonly (Buffer | string)[])[];

/** What can be told of a command without reading its arguments. */
export interface CommandGlance {
  /** Its name counted; 0 when it is not known. */
  readonly argCount: number;
  /** Whether the argument behind the name begins with this. */
  argBeginsWith(prefix: Uint8Array): boolean;
}

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
  /** True where `rewrite` would answer `as-it-is`, as far as a glance tells: it need not be asked then. */
  isUntouched?(name: string, command: CommandGlance): boolean;
}

/** Everything as it is. */
export const unchanged: Rewriter = {
  targetDb: (db) => db,
  keepsKeys: true,
  targetKey: (key) => key,
  rewrite: () => 'as-it-is',
  isUntouched: () => true,
};
