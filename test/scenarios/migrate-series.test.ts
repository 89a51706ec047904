import { renameSync } from 'node:fs';
import path from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { fillWithAllTypes } from '../support/all-types.ts';
import { CountedWrites } from '../support/counted-writes.ts';
import { TestDeployment } from '../support/deployment.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { PlainSentinels } from '../support/plain-sentinels.ts';
import { Random } from '../support/random.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';
import { expectSameUnder } from '../support/same-data.ts';
import { howMany, isWhole } from '../support/whole-run.ts';

/**
 * What migrate-large.test.ts does by replication, in the other ways: by scan, from files, from a Redis Cluster, and while both sides
 * fail over. Too long for every run: `npm test -- --whole`, or HOLDFAST_MIGRATE_KILLS, has them done, docs/migrating.md says how.
 */
const isWanted = isWhole || process.env['HOLDFAST_MIGRATE_KILLS'] !== undefined;
const kills = howMany('HOLDFAST_MIGRATE_KILLS', 3, 10);
const keys = howMany('HOLDFAST_MIGRATE_KEYS', 600, 20_000);
const limitMs = 240_000 + keys * 10 + kills * 20_000;
/** As a managed service has it: no replication, no configuration. */
const managed = [
  ...['--user', 'default', 'on', 'nopass', '~*', '&*', '+@all'],
  ...['-psync', '-sync', '-replconf', '-config'],
];
const prefixes = ['one:', '{two}:', 'three:'];

describe.runIf(isWanted)('migrations that are killed again and again', () => {
  afterEach(() => MigrationProcess.killAll());
  afterAll(cleanUp);

  function begin(sources: readonly string[], ...options: string[]): MigrationProcess {
    return MigrationProcess.begin(path.join(tempFolder(), 'state'), [...sources, ...options]);
  }

  const under = (used: readonly string[]) => used.flatMap((prefix) => ['--prefix', prefix]);

  /** At moments by chance, which are nearer together than a copy takes. */
  async function killAgainAndAgain(
    migration: MigrationProcess,
    random: Random,
    between: (kill: number) => Promise<void> = async () => {},
  ): Promise<void> {
    await waitFor(() => migration.hasPlan, { what: 'it to begin', withinMs: 60_000 });
    for (let kill = 0; kill < kills; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 300 + random.below(3000)));
      await between(kill);
      if (!migration.hasPlan) return;
      await migration.kill();
      migration.resume();
    }
  }

  /** Long for passes that compare, which writers wait for where nobody tells what changed. */
  async function cutOver(migration: MigrationProcess): Promise<void> {
    const changed = await migration.ask('cutover', '--within', '20m');
    expect(changed, migration.said()).toMatchObject({ status: 0 });
    await expectEqual(migration);
  }

  async function expectEqual(migration: MigrationProcess): Promise<void> {
    const { status, said } = await migration.ask('verify');
    expect({ status, said }, JSON.stringify(said)).toMatchObject({ status: 0, said: { equal: true } });
  }

  test(
    'by scan, three sources that refuse SYNC, PSYNC and CONFIG',
    async () => {
      const sources = await Promise.all(prefixes.map(() => startRedis(managed)));
      const target = client((await startRedis()).port);
      for (const { port } of sources) await fillWithAllTypes(client(port), keys);
      const writing = sources.map(({ port }) => new CountedWrites(client(port)));
      const urls = sources.map(({ port }) => `redis://127.0.0.1:${port}`);
      const migration = begin(urls, '--to', `redis://127.0.0.1:${target.options.port}`, ...under(prefixes));
      await killAgainAndAgain(migration, new Random(12));
      await migration.untilFollowing(limitMs);
      expect(migration.said()).toContain('refuses CONFIG');
      await cutOver(migration);
      for (const [index, { port }] of sources.entries()) {
        await expectSameUnder([client(port)], target, prefixes[index]!);
        const counted = Number(await target.get(`${prefixes[index]}count`));
        expect(counted - writing[index]!.rounds).toBeOneOf([0, 1]);
        const lengths = await Promise.all(
          [0, 1, 2, 3, 4, 5, 6].map((n) => target.llen(`${prefixes[index]}appended:${n}`)),
        );
        const appended = lengths.reduce((sum, each) => sum + each, 0);
        expect(appended - writing[index]!.rounds).toBeOneOf([0, 1]);
      }
      expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
      for (const each of writing) await each.end();
    },
    limitMs,
  );

  test(
    'three RDB files',
    async () => {
      const [from, to] = [await startRedis(), await startRedis()];
      const [source, target] = [client(from.port), client(to.port)];
      const files: string[] = [];
      await fillWithAllTypes(source, keys);
      for (const name of ['1.rdb', '2.rdb', '3.rdb']) {
        await source.set('which', name);
        await source.save();
        files.push(path.join(tempFolder(), name));
        renameSync(path.join(from.folder, 'dump.rdb'), files.at(-1)!);
      }
      const migration = begin(files, '--to', `redis://127.0.0.1:${to.port}`, ...under(prefixes));
      await killAgainAndAgain(migration, new Random(13));
      await waitFor(() => !migration.hasPlan, { what: 'all to be there', withinMs: limitMs });
      expect(migration.said()).toContain('done');
      for (const [index, prefix] of prefixes.entries()) {
        await source.set('which', `${index + 1}.rdb`);
        await expectSameUnder([source], target, prefix);
      }
      expect(await target.keys('holdfast:*')).toEqual([]);
    },
    limitMs,
  );

  test(
    'a Redis Cluster of three',
    async () => {
      const { nodes, clients } = await startCluster();
      const target = client((await startRedis()).port);
      const port = nodes[0]!.port;
      const through = new Cluster([{ host: '127.0.0.1', port }], {
        redisOptions: { maxRetriesPerRequest: 0 },
      });
      await fillCluster(through, keys);
      const writing = new CountedWrites(through);
      const migration = begin(
        [`redis://127.0.0.1:${port}`],
        ...['--to', `redis://127.0.0.1:${target.options.port}`],
      );
      await killAgainAndAgain(migration, new Random(14));
      await migration.untilFollowing(limitMs);
      await cutOver(migration);
      await expectSameUnder(clients, target, '', [0]);
      expect(Number(await target.get('count')) - writing.rounds).toBeOneOf([0, 1]);
      expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
      await writing.end();
    },
    limitMs,
  );

  test(
    'a Redis Cluster whose slots move under writes, in the copy and behind it',
    async () => {
      const { nodes, clients, ownerOf, moveSlot } = await startCluster();
      const target = client((await startRedis()).port);
      const port = nodes[0]!.port;
      const through = new Cluster([{ host: '127.0.0.1', port }]);
      await fillCluster(through, keys);
      const moving = Array.from({ length: 3000 }, (_, n) => `moving:${n}`).filter(
        (key) => ownerOf(key) === 0,
      );
      const slots = [...new Set(await Promise.all(moving.map((key) => clients[0]!.cluster('KEYSLOT', key))))];
      let [rounds, isOver] = [0, false];
      const writing = (async () => {
        for (; !isOver; rounds++) await Promise.all(moving.slice(0, 50).map((key) => through.incr(key)));
      })();
      const migration = begin(
        [`redis://127.0.0.1:${port}`],
        ...['--to', `redis://127.0.0.1:${target.options.port}`],
      );
      await waitFor(() => migration.hasPlan, { what: 'it to begin', withinMs: 60_000 });
      for (const slot of slots.slice(0, 25)) await moveSlot(Number(slot), 0, 1);
      await migration.untilFollowing(limitMs);
      for (const slot of slots.slice(25, 50)) await moveSlot(Number(slot), 0, 2);
      isOver = true;
      await writing;
      await cutOver(migration);
      await expectSameUnder(clients, target, '', [0]);
      const counted = await Promise.all(moving.slice(0, 50).map((key) => target.get(key)));
      expect([rounds > 0, new Set(counted)]).toEqual([true, new Set([String(rounds)])]);
      expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
      through.disconnect();
    },
    limitMs,
  );

  test.each(['replication', 'scan'])(
    'by %s, while Sentinels fail the source over and the target’s primary is killed',
    async (method) => {
      const plain = await PlainSentinels.start();
      const deployment = await TestDeployment.up({ redis: { members: 3, persistence: 'none' } });
      try {
        const at = async () => plain.clientOf({ port: await plain.primary() } as never);
        await fillWithAllTypes(await at(), Math.ceil(keys / 5));
        const sentinels = plain.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
        const redis = new Redis({ sentinels, name: plain.name, maxRetriesPerRequest: 0 });
        redis.on('error', () => {});
        const writing = new CountedWrites(redis, { goesOn: true });
        const migration = begin(
          [`sentinel://${plain.addresses}/${plain.name}`],
          ...['--to', deployment.specFile, '--target-state-dir', deployment.stateDir, '--method', method],
        );
        await killAgainAndAgain(migration, new Random(15), async (kill) => {
          if (kill % 4 === 1) await plain.switchOver();
          if (kill % 4 !== 3) return;
          await deployment.waitUntilHealthy();
          process.kill((await deployment.primary()).pid as number, 'SIGKILL');
        });
        await migration.untilFollowing(limitMs);
        // As long as the old primary takes writes and the new one is not followed, there is no cut-over.
        const isChanged = async () => (await migration.ask('cutover', '--within', '20m')).status === 0;
        await waitFor(isChanged, { what: 'the cut-over', withinMs: limitMs, everyMs: 500 });
        await expectEqual(migration);
        const counted = async (of: Redis) =>
          await Promise.all([
            ...[of.get('count'), of.get('{both}:a'), of.get('{both}:b'), of.get('{bag}:scripted')],
            ...[0, 1, 2, 3, 4, 5, 6].map((n) => of.lrange(`appended:${n}`, 0, -1)),
          ]);
        expect(await counted(deployment.client())).toEqual(await counted(await at()));
        expect(writing.rounds).toBeGreaterThan(0);
        expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
        await writing.end();
      } finally {
        await deployment.destroy();
      }
    },
    limitMs,
  );
});

/** Keys of every type, each on the node that has its slot. */
async function fillCluster(cluster: Cluster, keys: number): Promise<void> {
  const farMs = Date.now() + 3_600_000;
  for (let first = 0; first < keys; first += 2000) {
    const writes: Promise<unknown>[] = [];
    for (let n = first; n < Math.min(keys, first + 2000); n++) {
      const key = `${['string', 'list', 'set', 'zset', 'hash'][n % 5]}:${n}`;
      const texts = Array.from({ length: n % 97 === 0 ? 300 : 3 }, (_, index) => `${key}-${index}`);
      if (n % 5 === 0) writes.push(cluster.set(key, texts.join()));
      if (n % 5 === 1) writes.push(cluster.rpush(key, ...texts));
      if (n % 5 === 2) writes.push(cluster.sadd(key, ...texts));
      if (n % 5 === 3) writes.push(cluster.zadd(key, ...texts.flatMap((text, index) => [index, text])));
      if (n % 5 === 4) writes.push(cluster.hset(key, ...texts.flatMap((text, index) => [text, index])));
      if (n % 4 === 0) writes.push(cluster.pexpireat(key, farMs + n));
    }
    await Promise.all(writes);
  }
}
