/** What a plan says of the keys of a source: which are carried, what they are called, and whose the others may be. Pure. */
import { KeyPattern } from '../base/key-pattern.ts';
import { patternBytes } from '../rdb/key-text.ts';
import { KeyMapping } from './key-mapping.ts';
import type { Plan } from './plan.ts';

export function patternsOf({ match }: Plan['sources'][number]): KeyPattern[] {
  return match.map((pattern) => new KeyPattern(patternBytes(pattern)));
}

export function mappingOf(source: Plan['sources'][number]): KeyMapping {
  const { prefix, dbs } = source;
  return new KeyMapping({ prefix: Buffer.from(prefix), patterns: patternsOf(source), dbs: new Map(dbs) });
}

/** Whether what only the target has, in a database of it and under the prefix of a source, may be somebody else's. */
export function mayBeOthers(plan: Plan, index: number): (targetDb: number) => boolean {
  const { owned } = plan.sources[index]!;
  if (plan.method === 'scan') return (db) => owned !== null && !owned.includes(db);
  // By replication nobody looked what else was there, under whatever prefix.
  return () => !plan.isAlone;
}
