/**
 * Where a request goes, at a gate with routes: a decision of what the request says and of where its client is, and
 * nothing else. `docs/gate.md` has the rules for people.
 *
 * - A key belongs to the route with the longest prefix that it begins with, and to the catch-all if there is none.
 * - What names no key goes to the catch-all, and so does all that makes a connection somebody: AUTH, HELLO, SELECT, SUBSCRIBE,
 *   CLIENT. Who may come in is asked there.
 * - A client that holds something at a server (a transaction, watched keys, a subscription, a mode of its connection)
 *   stays there until it lets go. A transaction in which nothing was queued yet goes where its first key belongs.
 * - Keys of several routes in one request: split where each key stands for itself, refused in every other case.
 */
import { keysIn } from '../../redis/key-places.ts';
import type { Command } from '../commands/command-table.ts';
import type { PrefixMap } from './prefix-map.ts';

/** The catch-all. */
export const home = 0;

/** Where keys are. */
export interface Places {
  readonly map: PrefixMap;
  /** Lanes whose keys are read at the catch-all, which has a copy. */
  readonly readHere: ReadonlySet<number>;
}

/** What is asked, by a client that is at `at` and can't leave while it is `pinned`. */
export interface Asked {
  readonly command: Pick<Command, 'name' | 'read' | 'behaviour' | 'keys'>;
  readonly args: readonly Buffer[];
  readonly at: number;
  readonly pinned: boolean;
  /** It keeps the copy at the catch-all, from which those keys are read. */
  readonly isCopying?: boolean;
}

export type Way =
  | { readonly kind: 'go'; readonly lane: number; readonly keys: readonly number[] }
  | { readonly kind: 'split'; readonly parts: readonly Part[] }
  /** `reply`: the text of the error. */
  | { readonly kind: 'refuse'; readonly reply: string };

/** What one route gets of a request: which of the request's keys, by their number among the keys. */
export interface Part {
  readonly lane: number;
  readonly keys: readonly number[];
}

/** Each key stands for itself, with so many arguments of its own; what is answered can be put together from the parts. */
export const separable: ReadonlyMap<string, number> = new Map([
  ['mget', 1],
  ['mset', 2],
  ['del', 1],
  ['unlink', 1],
  ['exists', 1],
  ['touch', 1],
]);

export function wayOf(asked: Asked, places: Places): Way {
  const { command, args, at, pinned, isCopying = false } = asked;
  const { name, behaviour } = command;
  if (staysPut.has(behaviour.kind)) return go(at);
  if (behaviour.kind === 'transaction' && behaviour.verb !== 'watch') {
    return go(behaviour.verb === 'multi' && !pinned ? home : at);
  }
  if (!hasKeys.has(behaviour.kind)) return keyless(asked);
  const pattern = patternOf(name, args);
  if (pattern !== undefined) return byPattern(pattern, asked, places);
  const keys = keysIn(command.keys, args);
  if (keys === undefined)
    return refuse(`ERR ${upper(name)} is not possible through a gate with routes: nobody knows its keys`);
  if (keys.length === 0) return keyless(asked);
  const lanes = keys.map((index) => laneOf(args[index] as Buffer, places.map));
  if (/^sort(_ro)?$/.test(name))
    lanes.push(...sortPatterns(args).map((each) => laneOfPattern(each, places.map)));
  // Whoever holds something there reads there.
  if ((command.read || isCopying) && !(pinned && at !== home))
    lanes.splice(0, lanes.length, ...lanes.map((lane) => (places.readHere.has(lane) ? home : lane)));
  const [lane = home] = lanes;
  if (lanes.some((each) => each !== lane)) {
    const width = separable.get(name);
    if (width === undefined || pinned) return refuse(crossing);
    // The server says that an argument is missing.
    if ((args.length - 1) % width !== 0) return go(home);
    const each = [...new Set(lanes)];
    return {
      kind: 'split',
      parts: each.map((one) => ({
        lane: one,
        keys: lanes.flatMap((other, key) => (other === one ? [key] : [])),
      })),
    };
  }
  return pinned && lane !== at ? refuse(bound) : { kind: 'go', lane, keys };
}

const crossing = "CROSSSLOT Keys in request don't belong to the same route";
const bound =
  'ERR a key of another route is not possible here: this connection has a transaction, watched keys, a subscription or a mode';

/** Answered by the gate, or about what was done last. */
const staysPut = new Set(['quit', 'browser', 'refused', 'wait']);
/** Of these the arguments are looked at; others are about connections, channels, clients and the server. */
const hasKeys = new Set(['plain', 'foreign', 'scan', 'blocking', 'maybe-blocking', 'transaction']);

function keyless({ command: { name }, at, pinned }: Asked): Way {
  if (!pinned || at === home || /^(ping|echo|time)$/.test(name)) return go(pinned ? at : home);
  return refuse(
    `ERR ${upper(name)} is not possible here: it goes to the catch-all, and this connection has a transaction or watched keys at another route`,
  );
}

/** KEYS, and SCAN with MATCH: what only one route can have. */
function byPattern(pattern: Buffer, { at, pinned }: Asked, { map, readHere }: Places): Way {
  const found = laneOfPattern(pattern, map);
  const lane = readHere.has(found) && !(pinned && at !== home) ? home : found;
  return pinned && lane !== at ? refuse(bound) : go(lane);
}

function patternOf(name: string, args: readonly Buffer[]): Buffer | undefined {
  if (name === 'keys') return args[1];
  if (name !== 'scan') return undefined;
  const at = args.findIndex((arg, index) => index >= 2 && index % 2 === 0 && isWord(arg, 'match'));
  return at < 0 ? undefined : args[at + 1];
}

/** What it sorts by, and gets: other keys, unless it is `#`, or has no place for an element. */
function sortPatterns(args: readonly Buffer[]): Buffer[] {
  return args.flatMap((arg, at) => {
    const pattern = args[at + 1];
    const asks = at > 1 && (isWord(arg, 'by') || isWord(arg, 'get'));
    return asks && pattern?.includes('*') ? [pattern] : [];
  });
}

function isWord(arg: Buffer, word: string): boolean {
  return arg.length === word.length && arg.toString('latin1').toLowerCase() === word;
}

function laneOf(key: Buffer, map: PrefixMap): number {
  return map.find(key, 0, key.length)?.lane ?? home;
}

function laneOfPattern(pattern: Buffer, map: PrefixMap): number {
  const found = map.findPattern(pattern);
  return found === undefined || found === 'many' ? home : found.lane;
}

function go(lane: number): Way {
  return { kind: 'go', lane, keys: [] };
}

function refuse(reply: string): Way {
  return { kind: 'refuse', reply };
}

/** A command's name is the client's own text where no table knows it. */
function upper(name: string): string {
  return name.replace('|', ' ').toUpperCase();
}
