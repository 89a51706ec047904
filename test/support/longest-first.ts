/** The order in which files with real servers begin. One that takes long, and came last, would run alone. */

/** Those that take longest, about in this order; which of two is longer matters little. */
export const longest = [
  ...['scenarios/fleet', 'scenarios/restore-interrupted', 'scenarios/bench', 'scenarios/rebuilt-host'],
  ...['browser/dashboard', 'scenarios/mirror-away', 'scenarios/drill', 'scenarios/ending-in-order'],
  ...['scenarios/adopt-hosts', 'scenarios/survival', 'scenarios/engines', 'scenarios/persistence'],
  ...['browser/dashboard-actions', 'scenarios/lifecycle', 'scenarios/three-hosts', 'scenarios/failover'],
  ...['scenarios/restore-hosts', 'scenarios/restore', 'scenarios/migrate-failover', 'scenarios/switchover'],
  ...['scenarios/mirror', 'scenarios/backup-deployment', 'scenarios/backup-faults', 'scenarios/adopt'],
  ...['scenarios/drift', 'scenarios/sentinel-by-hand', 'scenarios/api-jobs', 'scenarios/standalone'],
];

/** Where a file comes, by its path; all the others come last. */
export function placeOf(file: string): number {
  const place = longest.findIndex((name) => file.endsWith(`/test/${name}.test.ts`));
  return place < 0 ? longest.length : place;
}
