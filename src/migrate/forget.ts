import { rm } from 'node:fs/promises';
import { errorText } from '../base/errors.ts';
import { RedisConnection } from '../redis/connection.ts';
import { positionKey } from '../stream/position.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import { type MigrationPaths, type Plan, streamId } from './plan.ts';

const askMs = 5000;

/**
 * Takes the positions out of the target, and the plan out of the state directory. A target that is gone keeps nobody.
 * @returns why positions may be there still; null when they are not
 */
export async function forgetMigration(
  plan: Plan,
  paths: MigrationPaths,
  place: TargetPlace,
): Promise<string | null> {
  const target = new RedisConnection({ ...place, timeoutMs: askMs });
  const keys = [...plan.sources.keys()].map((index) => positionKey(streamId(plan, index)));
  let left: string | null = null;
  try {
    for (const key of keys) await target.call('DEL', key);
  } catch (error) {
    left = `${keys.join(', ')} may be at the target still: ${errorText(error)}`;
  } finally {
    target.close();
  }
  for (const index of plan.sources.keys()) await rm(paths.copied(index), { force: true });
  await rm(paths.plan, { force: true });
  await rm(paths.progress, { force: true });
  return left;
}
