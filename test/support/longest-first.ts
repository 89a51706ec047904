/** The order in which files with real servers begin. One that takes long, and came last, would run alone. */

/** Those that take longest, about in this order; which of two is longer matters little. */
export const longest = [
  ...['scenarios/fleet', 'scenarios/restore-interrupted', 'scenarios/bench', 'scenarios/restore'],
  ...['scenarios/mirror-away', 'browser/dashboard', 'scenarios/survival', 'scenarios/drill'],
  ...['browser/dashboard-actions', 'scenarios/lifecycle', 'scenarios/three-hosts', 'scenarios/persistence'],
  ...['scenarios/rebuilt-host', 'scenarios/adopt', 'scenarios/mirror', 'scenarios/api-jobs'],
  ...['scenarios/drift', 'browser/dashboard-hosts', 'scenarios/backup-deployment', 'scenarios/gate-flow'],
  ...['scenarios/failover', 'scenarios/switchover', 'browser/dashboard-fits', 'scenarios/migrating-page'],
  ...['scenarios/adopt-hosts', 'scenarios/migrate-files', 'scenarios/migrate-scan', 'scenarios/init'],
  ...['scenarios/migrate', 'scenarios/damaged-data', 'scenarios/sentinel-by-hand', 'scenarios/gate-memory'],
];

/** Where a file comes, by its path; all the others come last. */
export function placeOf(file: string): number {
  const place = longest.findIndex((name) => file.endsWith(`/test/${name}.test.ts`));
  return place < 0 ? longest.length : place;
}
