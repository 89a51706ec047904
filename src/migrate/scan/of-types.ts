/** A source of which only keys of some types count: whatever else it has is as if it were not there. */
import { type Kind, kinds, typeInfo } from '../../rdb/format.ts';
import type { ConnectionOptions } from '../../redis/connection.ts';
import type { ServerFacts } from '../../redis/server-facts.ts';
import type { Expiries, Held, KeyRun, KeySource } from '../key-source.ts';
import type { ComingValue } from '../long/coming-value.ts';

export class OfTypes implements KeySource {
  readonly #source: KeySource;
  readonly #types: ReadonlySet<Kind>;

  constructor(source: KeySource, types: ReadonlySet<Kind>) {
    this.#source = source;
    this.#types = types;
  }

  get where(): string {
    return this.#source.where;
  }

  get primaries(): readonly ConnectionOptions[] {
    return this.#source.primaries;
  }

  facts(): Promise<ServerFacts> {
    return this.#source.facts();
  }

  select(db: number): Promise<void> {
    return this.#source.select(db);
  }

  async *pages(count: number): AsyncGenerator<Buffer[]> {
    for await (const page of this.#source.pages(count)) {
      const kept = await this.#ours(page);
      if (kept.length > 0) yield kept;
    }
  }

  async randomKeys(count: number): Promise<Buffer[]> {
    return await this.#ours(await this.#source.randomKeys(count));
  }

  async exist(keys: readonly Buffer[]): Promise<boolean[]> {
    return (await this.#source.types(keys)).map((type) => this.#types.has(kindOf(type)));
  }

  types(keys: readonly Buffer[]): Promise<string[]> {
    return this.#source.types(keys);
  }

  runs(keys: readonly Buffer[], areByChance?: boolean): Promise<KeyRun[]> {
    return this.#source.runs(keys, areByChance);
  }

  async read(keys: readonly Buffer[], expiries?: Expiries): Promise<Held[]> {
    return (await this.#source.read(keys, expiries)).map((held) => (this.#isOurs(held) ? held : null));
  }

  async open(key: Buffer): Promise<ComingValue | null> {
    const value = await this.#source.open(key);
    if (value === null || this.#types.has(kindOf(value.type))) return value;
    value.close();
    return null;
  }

  layout(): Promise<string> {
    return this.#source.layout();
  }

  close(): void {
    this.#source.close();
  }

  async #ours(keys: readonly Buffer[]): Promise<Buffer[]> {
    const are = await this.exist(keys);
    return keys.filter((_, index) => are[index]);
  }

  #isOurs(held: Held): boolean {
    if (held === null) return false;
    // Of what type it is, it says when it is opened.
    if (held === 'long') return true;
    const { value } = held;
    if ('text' in value) return this.#types.has('string');
    // The numbers of types that two products use differently are hashes in both.
    return this.#types.has(typeInfo(value.payload[0] ?? 0, 'redis')?.kind ?? 'module');
  }
}

/** @param type as TYPE says it: of a module's value the module's own name. `none` is of no kind. */
function kindOf(type: string): Kind {
  return kinds.find((kind) => kind === type) ?? 'module';
}
