/**
 * Which arguments of a command are keys, by the server's own table (COMMAND), so that it holds for commands of modules and of
 * later releases. Where the table can't say it (`movablekeys`), here is how: of the commands that write, and that a primary
 * hands on as they are. Scripts are none of them: their effects come instead.
 *
 * Source: COMMAND and "Key specifications" of the Redis documentation; t_zset.c, sort.c, geo.c of Redis 6.2 to 8.6.
 */

interface Range {
  first: number;
  /** Negative counts from the end. */
  last: number;
  step: number;
  isMovable: boolean;
}

type Finder = (args: readonly Buffer[]) => number[];

const counted =
  (before: readonly number[], countAt: number): Finder =>
  (args) => {
    const count = Number(args[countAt]?.toString('latin1'));
    const found = Number.isInteger(count) && count >= 0 ? Math.min(count, args.length - countAt - 1) : 0;
    return [...before, ...Array.from({ length: found }, (_, index) => countAt + 1 + index)];
  };
/** The first argument, and whatever follows one of these words. */
const withDestination =
  (words: RegExp): Finder =>
  (args) => [1, ...args.flatMap((arg, at) => (at > 1 && words.test(arg.toString('latin1')) ? [at + 1] : []))];

const movable: Readonly<Record<string, Finder>> = {
  zunionstore: counted([1], 2),
  zinterstore: counted([1], 2),
  zdiffstore: counted([1], 2),
  sort: withDestination(/^store$/i),
  georadius: withDestination(/^store(dist)?$/i),
  georadiusbymember: withDestination(/^store(dist)?$/i),
  // With its subcommands: the table of Redis 7 says nothing of the command itself.
  xgroup: () => [2],
};

export class KeyPositions {
  readonly #ranges = new Map<string, Range>();

  /** @param reply of COMMAND */
  constructor(reply: unknown) {
    for (const each of Array.isArray(reply) ? reply : []) {
      if (!Array.isArray(each)) continue;
      const [name, , flags, first, last, step] = each;
      const isMovable = Array.isArray(flags) && flags.map(String).includes('movablekeys');
      this.#ranges.set(String(name).toLowerCase(), {
        ...{ first: Number(first), last: Number(last), step: Number(step), isMovable },
      });
    }
  }

  /** Indices of the keys among the arguments, the name being 0; undefined when nobody knows. @param name in small letters */
  of(name: string, args: readonly Buffer[]): number[] | undefined {
    const finder = Object.hasOwn(movable, name) ? movable[name] : undefined;
    if (finder !== undefined) return finder(args);
    const range = this.#ranges.get(name);
    if (range === undefined || (range.isMovable && range.first === 0)) return undefined;
    const { first, last, step } = range;
    if (first === 0) return [];
    const end = last < 0 ? args.length + last : last;
    const found: number[] = [];
    for (let at = first; at <= Math.min(end, args.length - 1); at += Math.max(1, step)) found.push(at);
    return found;
  }
}
