/**
 * Which arguments of a command of the stream are keys, by the server's own table, COMMAND: how it says that is in
 * redis/key-places.ts. Of a command with subcommands, each is looked for by itself; one that the table has not may have
 * keys anywhere.
 */
import { type KeyPlaces, keyPlacesOf, keysIn } from '../redis/key-places.ts';

export class KeyPositions {
  readonly #places = new Map<string, KeyPlaces>();
  /** Of the commands that the table has subcommands of. */
  readonly #parents = new Set<string>();

  /** @param reply of COMMAND */
  constructor(reply: unknown) {
    for (const entry of Array.isArray(reply) ? reply : []) if (Array.isArray(entry)) this.#add(entry);
  }

  /** Indices of the keys among the arguments, the name being 0; undefined when nobody knows. @param name in small letters */
  of(name: string, args: readonly Buffer[]): number[] | undefined {
    const whole = this.#parents.has(name) ? `${name}|${args[1]?.toString('latin1').toLowerCase()}` : name;
    const places = this.#places.get(whole);
    return places === undefined ? undefined : keysIn(places, args);
  }

  #add(entry: readonly unknown[]): void {
    const name = String(entry[0]).toLowerCase();
    this.#places.set(name, keyPlacesOf(entry));
    const children = Array.isArray(entry[9]) ? entry[9].filter((each) => Array.isArray(each)) : [];
    if (children.length > 0) this.#parents.add(name);
    for (const child of children) this.#add(child);
  }
}
