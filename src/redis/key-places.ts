/**
 * Which arguments of a command are keys, by the server's own table (COMMAND), so that it holds for commands of modules and of
 * later releases too. Since 7.0 the table has key specifications, which say for nearly all commands how their keys are
 * found; before that it has ranges, and a flag for those whose keys move (`movablekeys`): those that are known are listed here.
 *
 * Source: "Key specifications" of the Redis documentation; `getKeysUsingKeySpecs` in db.c of Redis 7 to 8; the COMMAND of 6.2.
 */

/** How one group of keys is found. Indices count the name as 0. */
export interface KeySpec {
  /** Where it begins: at an index, or behind a word that is looked for from an index on (negative: from the end backwards). */
  readonly begin: { readonly index: number } | { readonly word: string; readonly from: number };
  /**
   * Up to `last`: counted from the first, or when it is negative from the end (`limit` 2: half of what is there); or as many
   * as the argument `countAt` after the beginning says, from `first` after the beginning on.
   */
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly countAt: number; readonly first: number; readonly step: number };
}

/** Of one command: no keys, the first argument and nothing else, what the specs say, or nobody knows. */
export type KeyPlaces = 'none' | 'first' | 'unknown' | readonly KeySpec[];

/**
 * @param entry of COMMAND: name, arity, flags, first key, last key, step, categories, tips, key specifications, subcommands
 */
export function keyPlacesOf(entry: readonly unknown[]): KeyPlaces {
  const name = String(entry[0]).toLowerCase();
  const [first, last, step] = [3, 4, 5].map((index) => Number(entry[index] ?? 0)) as [number, number, number];
  const specs = Array.isArray(entry[8]) ? specsOf(entry[8]) : [];
  if (specs === 'unknown') return listed.get(name) ?? 'unknown';
  if (specs.length > 0) return simplest(specs);
  const known = listed.get(name);
  if (known !== undefined) return known;
  const flags = Array.isArray(entry[2]) ? entry[2].map(String) : [];
  if (flags.includes('movablekeys')) return 'unknown';
  if (!(first > 0)) return 'none';
  return simplest([range(first, last < 0 ? last : last - first, Math.max(1, step))]);
}

function simplest(specs: readonly KeySpec[]): KeyPlaces {
  const [{ begin, find } = none, ...more] = specs;
  const one = 'index' in begin && begin.index === 1 && 'last' in find && find.last === 0;
  return one && more.length === 0 ? 'first' : specs;
}

/** The indices of the keys among the arguments, the name being 0; undefined: nobody knows. What is missing is left out. */
export function keysIn(places: KeyPlaces, args: readonly Uint8Array[]): number[] | undefined {
  if (places === 'unknown') return undefined;
  if (places === 'none') return [];
  if (places === 'first') return args.length > 1 ? [1] : [];
  const found = new Set<number>();
  for (const { begin, find } of places) {
    const start = 'index' in begin ? begin.index : behindWord(args, begin.word, begin.from);
    if (start === undefined || start >= args.length) continue;
    const [first, last] =
      'last' in find ? [start, lastOf(start, find, args.length)] : counted(start, find, args);
    for (let at = first; at <= Math.min(last, args.length - 1); at += find.step) found.add(at);
  }
  return [...found].sort((a, b) => a - b);
}

type Range = Extract<KeySpec['find'], { last: number }>;
type Count = Exclude<KeySpec['find'], Range>;

function lastOf(start: number, { last, limit }: Range, count: number): number {
  if (last >= 0) return start + last;
  return limit < 2 ? count + last : start + Math.floor((count - start) / limit) + last;
}

function counted(
  start: number,
  { countAt, first, step }: Count,
  args: readonly Uint8Array[],
): [number, number] {
  const text = textOf(args[start + countAt]);
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return [start + first, start + first + (count - 1) * step];
}

function behindWord(args: readonly Uint8Array[], word: string, from: number): number | undefined {
  const step = from > 0 ? 1 : -1;
  for (let at = from > 0 ? from : args.length + from; at > 0 && at < args.length; at += step) {
    if (textOf(args[at]).toLowerCase() === word) return at + 1;
  }
  return undefined;
}

function textOf(arg: Uint8Array | undefined): string {
  return arg === undefined || arg.length > 64 ? '' : Buffer.from(arg).toString('latin1');
}

/** `unknown` when one of them is found in a way that only the server knows, or may not be all there is. */
function specsOf(entries: readonly unknown[]): KeySpec[] | 'unknown' {
  const specs: KeySpec[] = [];
  for (const entry of entries) {
    const spec = fieldsOf(entry);
    const flags = Array.isArray(spec['flags']) ? spec['flags'].map((flag) => String(flag).toLowerCase()) : [];
    // A channel.
    if (flags.includes('not_key')) continue;
    const begin = beginOf(fieldsOf(spec['begin_search']));
    const find = findOf(fieldsOf(spec['find_keys']));
    if (begin === undefined || find === undefined || flags.includes('incomplete')) return 'unknown';
    specs.push({ begin, find });
  }
  return specs;
}

function beginOf({ type, spec }: Record<string, unknown>): KeySpec['begin'] | undefined {
  const { index, keyword, startfrom } = fieldsOf(spec);
  if (type === 'index') return { index: Number(index) };
  return type === 'keyword' ? { word: String(keyword).toLowerCase(), from: Number(startfrom) } : undefined;
}

function findOf({ type, spec }: Record<string, unknown>): KeySpec['find'] | undefined {
  const { lastkey, keystep, limit, keynumidx, firstkey } = fieldsOf(spec);
  const step = Math.max(1, Number(keystep));
  if (type === 'range') return { last: Number(lastkey), step, limit: Number(limit) };
  return type === 'keynum' ? { countAt: Number(keynumidx), first: Number(firstkey), step } : undefined;
}

/** Names and values in turn, as an object. */
function fieldsOf(list: unknown): Record<string, unknown> {
  if (!Array.isArray(list)) return {};
  const fields: [string, unknown][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) fields.push([String(list[at]), list[at + 1]]);
  return Object.fromEntries(fields);
}

const range = (index: number, last = 0, step = 1, limit = 0): KeySpec => ({
  begin: { index },
  find: { last, step, limit },
});
const count = (index: number): KeySpec => ({ begin: { index }, find: { countAt: 0, first: 1, step: 1 } });
const after = (word: string, from: number, last = 0, limit = 0): KeySpec => ({
  begin: { word, from },
  find: { last, step: 1, limit },
});
const none = range(0);

/** Where the table of a server before 7.0 does not say it, or no table does. */
const listed = new Map<string, KeyPlaces>([
  ...['eval', 'evalsha', 'zunion', 'zinter', 'zdiff'].map((name): [string, KeyPlaces] => [
    name,
    [count(name.startsWith('eval') ? 2 : 1)],
  ]),
  ...['zunionstore', 'zinterstore', 'zdiffstore'].map((name): [string, KeyPlaces] => [
    name,
    [range(1), count(2)],
  ]),
  ...['georadius', 'georadiusbymember'].map((name): [string, KeyPlaces] => [
    name,
    [range(1), after('store', 5), after('storedist', 5)],
  ]),
  ['xread', [after('streams', 1, -1, 2)]],
  ['xreadgroup', [after('streams', 4, -1, 2)]],
  // What it sorts by, and gets, are patterns: whoever routes looks at those (gate/routes/way.ts).
  ['sort', [range(1), after('store', 2)]],
  ['sort_ro', [range(1), after('store', 2)]],
  // Before 7.0 commands have no subcommands in the table.
  ['memory', [range(2)]],
  ['memory|usage', [range(2)]],
  ...['encoding', 'freq', 'idletime', 'refcount'].map((verb): [string, KeyPlaces] => [
    `object|${verb}`,
    [range(2)],
  ]),
  ...['stream', 'groups', 'consumers'].map((verb): [string, KeyPlaces] => [`xinfo|${verb}`, [range(2)]]),
  ...['create', 'setid', 'destroy', 'createconsumer', 'delconsumer'].map((verb): [string, KeyPlaces] => [
    `xgroup|${verb}`,
    [range(2)],
  ]),
]);
