// Manifests of a store in which others write: whatever they say, listing and pruning end, and nothing is read or removed
// but the objects of the backups that the names in the store speak of.
import path from 'node:path';
import { mutateJson, mutateText } from '../fuzz-support/mutate.mjs';
import { root } from '../setup.mjs';

const load = (name) => import(path.join(root, 'dist', 'backup', `${name}.js`));
const keep = { hourly: 0, daily: 1, weekly: 0, monthly: 0, maxAgeMs: null };

export async function create() {
  const { pruneBackups } = await load('prune');
  let pruned = 0;
  let broken = 0;

  async function run(random) {
    const days = [1, 2, 3].map((day) => sample(day));
    const objects = new Map();
    const removed = [];
    for (const manifest of days) {
      objects.set(manifest.object, Buffer.alloc(1));
      objects.set(`${manifest.id}.json`, Buffer.from(JSON.stringify(manifest)));
    }
    const victim = days[random(3)];
    const spoilt = mutateJson(victim, random);
    const text = JSON.stringify(spoilt);
    objects.set(
      `${victim.id}.json`,
      Buffer.from(random(4) === 0 ? mutateText(text, random, '{}[],:"0') : text),
    );
    const known = new Set(objects.keys());
    const store = storeOf(objects, removed);
    const result = await pruneBackups({ store, deployment: 'test', keep, timezone: 'UTC', holder: 'fuzz' });
    pruned += result.remove.length;
    broken += result.broken.length;
    for (const name of removed) {
      if (name !== 'holdfast.lock' && !known.has(name))
        return `removed ${JSON.stringify(name)}, which is not there`;
    }
    for (const { backup } of result.remove) {
      for (const other of days) {
        if (
          other.id !== backup.id &&
          removed.includes(other.object) &&
          !result.remove.some((each) => each.backup.id === other.id)
        )
          return `removed the data of ${other.id} with ${backup.id}: ${text}`;
      }
    }
    return undefined;
  }

  return { run, summary: () => `${pruned} pruned, ${broken} broken` };
}

function storeOf(objects, removed) {
  return {
    url: 'memory:',
    list: async (prefix) =>
      [...objects]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, bytes]) => ({ name, bytes: bytes.length, modifiedMs: 0 })),
    async *read(name) {
      const bytes = objects.get(name);
      if (bytes === undefined)
        throw Object.assign(new Error(`there is no ${name}`), { code: 'BACKUP_NOT_FOUND' });
      yield bytes;
    },
    put: async (name, bytes) => void objects.set(name, bytes) ?? true,
    remove: async (name) => {
      removed.push(name);
      objects.delete(name);
    },
    sweep: async () => 0,
  };
}

function sample(day) {
  const startedAt = `2026-01-0${day}T00:00:00Z`;
  const id = `redis_2026-01-0${day}T000000Z`;
  const sum = { bytes: 1, sha256: '0'.repeat(64) };
  return {
    ...{
      version: 1,
      id,
      deployment: 'test',
      object: `${id}.rdb`,
      startedAt,
      finishedAt: startedAt,
      durationMs: 1,
    },
    source: { member: 'redis-2', address: '127.0.0.1', port: 6379, role: 'replica' },
    ...{
      serverVersion: 'redis 7.0.15',
      holdfastVersion: '0.1.0',
      rdbVersion: 10,
      replicationId: 'a'.repeat(40),
    },
    ...{
      replicationOffset: 1,
      keys: 1,
      databases: [{ db: 0, keys: 1, expiring: 0 }],
      functions: 0,
      dataDigest: 'd1:0',
    },
    ...{ rdb: sum, stored: sum, compression: 'none', encryption: 'none', reason: 'manual' },
  };
}
