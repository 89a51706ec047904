/** Where keys are read from: one server, or the primaries of a Redis Cluster. Interface of those who compare and copy. */
import type { ConnectionOptions } from '../redis/connection.ts';
import type { ServerFacts } from '../redis/server-facts.ts';
import type { Expiry } from './expiry.ts';
import type { ComingValue } from './long/coming-value.ts';

/** What a server holds under a key. */
export interface HeldValue {
  /** A string as it is; or of whatever there is, what DUMP gives. */
  value: { text: Buffer } | { payload: Buffer };
  expiry: Expiry;
}

/** Null for nothing; `long` for what is too long to be held: `open` gives it as it comes. */
export type Held = HeldValue | 'long' | null;

/** About how many bytes are held. */
export function heldBytes(held: Held): number {
  if (held === null || held === 'long') return 0;
  return 'text' in held.value ? held.value.text.length : held.value.payload.length;
}

export interface KeyRun {
  keys: Buffer[];
  /** It is one key, whose value is better not read at once. */
  isLong: boolean;
}

/**
 * Whether each key is asked when it expires; or none, where the server says that no key of the database does. What stands between
 * us and the servers may answer for one of them: so only where both sides are compared afterwards.
 */
export type Expiries = 'each' | 'if-any';

export interface KeySource {
  /** For messages. */
  readonly where: string;
  /** Who has the keys: where notifications of changes are heard. */
  readonly primaries: readonly ConnectionOptions[];
  facts(): Promise<ServerFacts>;
  select(db: number): Promise<void>;
  /** The keys of the selected database, some hundred at a time; one may come more than once. */
  pages(count: number): AsyncGenerator<Buffer[]>;
  randomKeys(count: number): Promise<Buffer[]>;
  exist(keys: readonly Buffer[]): Promise<boolean[]>;
  /** As TYPE says it; `none` for what is not there. */
  types(keys: readonly Buffer[]): Promise<string[]>;
  /**
   * Runs of keys whose values together are not too long; each run is one trip.
   * @param areByChance they came from `pages` or `randomKeys`
   */
  runs(keys: readonly Buffer[], areByChance?: boolean): Promise<KeyRun[]>;
  /** @param expiries `each`, if omitted */
  read(keys: readonly Buffer[], expiries?: Expiries): Promise<Held[]>;
  /** One value as it comes, which is closed by whoever asked for it. */
  open(key: Buffer): Promise<ComingValue | null>;
  /** Which server has which keys, as a text; another text means that keys may have been passed over meanwhile. */
  layout(): Promise<string>;
  close(): void;
}
