/** `holdfast migrate verify` without two sides: what the migration moves, each source under the names that its keys get. */
import { stateDirOf } from '../agent/state/paths.ts';
import { isFile, type MigrationPaths, migrationPaths, type Plan, readPlan } from '../migrate/plan.ts';
import { mappingOf, mayBeOthers } from '../migrate/plan-mapping.ts';
import { readProgress } from '../migrate/progress.ts';
import { findSource } from '../stream/source-address.ts';
import { compareSides, type VerifyChoices } from './compare-sides.ts';
import { BadOption } from './errors.ts';
import { sourceAddress, targetPlace } from './migrate-access.ts';
import type { Output } from './output.ts';

/** @returns the exit status: 1 when anything differs. @throws MIGRATION_NONE, and what the servers say */
export async function verifyMigration(
  output: Output,
  place: string,
  options: VerifyChoices & { stateDir?: string },
): Promise<number> {
  const paths = migrationPaths(stateDirOf(place, options.stateDir));
  const plan = await readPlan(paths);
  const whyNotRepaired = () => whyNot(plan, paths);
  const why = options.repair === true ? await whyNotRepaired() : null;
  if (why !== null)
    throw BadOption(`--repair is refused: ${why}`, { hint: 'Without --repair it only compares.' });
  const target = await targetPlace(plan.target);
  const sources: object[] = [];
  let isEqual = true;
  for (const [index, each] of plan.sources.entries()) {
    if (isFile(each.url)) {
      output.note(`${each.url} is a file, and not compared`);
      continue;
    }
    const { address: host, port, credentials, tls } = await findSource(sourceAddress(each.url, each));
    const sides = { source: { endpoint: { host, port }, credentials, tls }, target };
    const [mapping, keepExtra] = [mappingOf(each), mayBeOthers(plan, index)];
    const scope = { mapping, keepExtra, whyNotRepaired, types: each.types };
    const compared = await compareSides(output, sides, options, scope);
    isEqual &&= compared.isEqual;
    sources.push({ source: each.url, ...compared.answer });
  }
  output.data({ equal: isEqual, sources });
  return isEqual ? 0 : 1;
}

/** Why nothing may be written at the target from a source now, beside the migration; null when it may. */
async function whyNot({ method }: Plan, paths: MigrationPaths): Promise<string | null> {
  // It is there before the first client writes at the target.
  if ((await readProgress(paths))?.phase === 'cut-over')
    return 'it would write what the old side has over what was written since the cut-over';
  if (method === 'scan') return null;
  return 'what follows by replication would change a key that was repaired a second time';
}
