import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { CountedWrites } from '../support/counted-writes.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { Random } from '../support/random.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';
import { expectSameUnder } from '../support/same-data.ts';
import { howMany } from '../support/whole-run.ts';

/**
 * Several sources with keys of all types, written to all the time, into one; the migration is killed at moments by chance.
 * HOLDFAST_MIGRATE_KEYS and HOLDFAST_MIGRATE_KILLS make it large: docs/migrating.md says how. migrate-series.test.ts does the same
 * in other ways.
 */
const keys = howMany('HOLDFAST_MIGRATE_KEYS', 600, 20_000);
const kills = howMany('HOLDFAST_MIGRATE_KILLS', 3, 10);
const limitMs = 60_000 + keys * 5 + kills * 10_000;
afterAll(async () => {
  await MigrationProcess.killAll();
  await cleanUp();
});

test(
  'three sources into one by replication, killed again and again: the same on both sides, each write once',
  async () => {
    const random = new Random(11);
    const sources = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const target = client((await startRedis()).port);
    for (const { port } of sources) await fillWithAllTypes(client(port), keys);
    const writing = sources.map(({ port }) => new CountedWrites(client(port)));
    const prefixes = ['one:', 'two:', 'three:'];
    const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
      ...sources.map(({ port }) => `redis://127.0.0.1:${port}`),
      ...['--to', `redis://127.0.0.1:${target.options.port}`],
      ...prefixes.flatMap((prefix) => ['--prefix', prefix]),
    ]);
    await waitFor(() => migration.hasPlan, { what: 'it to begin', withinMs: 60_000 });
    for (let kill = 0; kill < kills; kill++) {
      const until = writing[0]!.rounds + 1 + random.below(300);
      await waitFor(() => writing[0]!.rounds >= until, { what: 'more writes', withinMs: 60_000 });
      await migration.kill();
      migration.resume();
    }
    await migration.untilFollowing(limitMs);
    expect(await migration.ask('cutover')).toMatchObject({ status: 0 });
    expect(await migration.ask('verify')).toMatchObject({ status: 0, said: { equal: true } });
    for (const [index, { port }] of sources.entries()) {
      await expectSameUnder([client(port)], target, prefixes[index]!);
      const counted = Number(await target.get(`${prefixes[index]}count`));
      // The round under way when the writers were held may be there, or a part of it.
      expect(counted - writing[index]!.rounds).toBeOneOf([0, 1]);
    }
    await target.set('one:list:1', 'other');
    // Of what only the target has nobody can say by replication whose it is.
    await target.set('two:extra', 'v');
    const list = { db: 0, key: 'list:1', is: 'type' };
    expect(await migration.ask('verify')).toMatchObject({
      status: 1,
      said: {
        equal: false,
        sources: [{ differences: [list] }, { differences: [] }, { differences: [] }],
      },
    });
    expect(await migration.ask('verify', '--repair')).toMatchObject({ status: 2 });
    expect(await migration.ask('finish')).toMatchObject({ status: 0 });
    for (const each of writing) await each.end();
  },
  limitMs,
);
