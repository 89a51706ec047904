/** What a migration that is given up leaves at its target. The target is asked: a copy that broke has removed it, or somebody else. */
import { RedisConnection } from '../redis/connection.ts';
import { keyCount, parseInfo } from '../redis/info.ts';
import { decodePosition, positionKey } from '../stream/position.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import { KeyList } from './key-list.ts';
import { type MigrationPaths, type Plan, streamId } from './plan.ts';

export interface Stays {
  /** `unknown`: the target does not answer. */
  copied: 'nothing' | 'some' | 'unknown';
  /** How many keys the target has, where it had none before; null where it had, or does not answer. */
  keys: number | null;
}

const askMs = 5000;

/** To be called before its positions are taken out of the target. */
export async function whatStays(plan: Plan, paths: MigrationPaths, place: TargetPlace): Promise<Stays> {
  const target = new RedisConnection({ ...place, timeoutMs: askMs });
  try {
    if (plan.isAlone) {
      const keys = await countKeys(target, plan);
      return { copied: keys === 0 ? 'nothing' : 'some', keys };
    }
    for (const index of plan.sources.keys())
      if (await isAnyThere(target, plan, paths, index)) return { copied: 'some', keys: null };
    return { copied: 'nothing', keys: null };
  } catch {
    return { copied: 'unknown', keys: null };
  } finally {
    target.close();
  }
}

async function countKeys(target: RedisConnection, plan: Plan): Promise<number> {
  const all = keyCount(parseInfo(String(await target.call('INFO', 'keyspace'))));
  const positions = [...plan.sources.keys()].map((index) => positionKey(streamId(plan, index)));
  return all - Number(await target.call('EXISTS', ...positions));
}

/** Whether something of this source may be there. What a scan has written nobody lists, and nobody takes away. */
async function isAnyThere(
  target: RedisConnection,
  plan: Plan,
  paths: MigrationPaths,
  index: number,
): Promise<boolean> {
  const key = positionKey(streamId(plan, index));
  const text = await target.call('GET', key);
  const position = decodePosition(typeof text === 'string' ? text : null, key);
  if (position === null) return plan.method === 'scan';
  if (position.phase !== 'copying') return true;
  for await (const { db, keys } of new KeyList(paths.copied(index)).read()) {
    await target.call('SELECT', db);
    if (Number(await target.call('EXISTS', ...keys)) > 0) return true;
  }
  await target.call('SELECT', 0);
  return false;
}
