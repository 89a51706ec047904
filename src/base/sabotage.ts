/**
 * Ways in which tests break holdfast on purpose, to prove that the drills notice. Nothing in the product switches one
 * on, and no setting, option or environment variable does: a test loads code of its own into the process, which calls
 * `sabotage` (test/support/sabotage.mjs). Whoever obeys one says so.
 */
export const sabotages = {
  'no-holding': 'the gate holds no client: what must wait fails at once',
  'no-empty-primary-guard': 'a primary whose files are gone is started again as if it had them',
  'detect-after-1s': 'the Sentinels run with down-after-milliseconds 1000, which the spec refuses',
} as const;

export type Sabotage = keyof typeof sabotages;

const active = new Set<Sabotage>();

/** For tests only: breaks this process in the ways named. @throws TypeError for one that does not exist */
export function sabotage(names: readonly string[]): void {
  for (const name of names) {
    if (!Object.hasOwn(sabotages, name)) throw new TypeError(`there is no sabotage '${name}'`);
    active.add(name as Sabotage);
  }
}

export function isSabotaged(way: Sabotage): boolean {
  return active.has(way);
}

/** A sentence for each way in which this process is broken on purpose. */
export function activeSabotages(): string[] {
  return [...active].map((way) => `broken on purpose, ${way}: ${sabotages[way]}`);
}
