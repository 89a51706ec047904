// Manifests of a store in which others write: whatever they say, listing and pruning end, and nothing is read or removed
// but the objects of the backups that the names in the store speak of.
import path from 'node:path';
import { MemoryStore, sampleManifest } from '../fuzz-support/memory-store.mjs';
import { mutateJson, mutateText } from '../fuzz-support/mutate.mjs';
import { root } from '../setup.mjs';

const load = (name) => import(path.join(root, 'dist', 'backup', `${name}.js`));
const keep = { hourly: 1, daily: 0, weekly: 0, monthly: 0, maxAgeMs: null };

export async function create() {
  const { pruneBackups } = await load('prune');
  let pruned = 0;
  let broken = 0;

  async function run(random) {
    const days = [1, 2, 3].map((day) => sampleManifest(`2026-01-0${day}T00:00:00Z`));
    const store = new MemoryStore();
    const { objects, removed } = store;
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
