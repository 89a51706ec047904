/**
 * What must work on every engine: one deployment each, from the start to a restored backup. The usual run has the tests' Valkey: the
 * system's Redis is what all other tests run on. HOLDFAST_TEST_ENGINES=/path/a,/path/b names other servers.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../src/backup/manifest.ts';
import { waitFor } from '../../src/base/retry.ts';
import { holdfast, TestDeployment } from '../support/deployment.ts';
import { testEngines, whyNoValkey } from '../support/engines.ts';
import { isWhole } from '../support/whole-run.ts';

const keys = 500;
const library = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";

test.runIf(whyNoValkey() !== undefined)('Valkey is skipped', (context) => context.skip(whyNoValkey()));

const isNamed = process.env['HOLDFAST_TEST_ENGINES'] !== undefined;
const engines = isWhole || isNamed ? testEngines() : testEngines().slice(-1);
describe.each(engines)('$name', ({ name, binary }) => {
  let deployment: TestDeployment;
  let backups: string;
  let taken: Manifest;

  beforeAll(async () => {
    const [product, version] = name.split(' ') as [string, string];
    const engine = product.toLowerCase();
    deployment = await TestDeployment.create({ redis: { engine, binary, version } });
    backups = path.join(deployment.folder, 'backups');
    deployment.writeSpec({
      backup: { to: pathToFileURL(backups).href, verify: 'never' } as object as Record<string, unknown>,
    });
  });
  afterAll(() => deployment?.destroy());

  /** Until a majority has settled it: what follows a failover at once is refused for good reasons. */
  const healthy = () => deployment.waitUntilHealthy(60_000);
  const size = () => deployment.client().dbsize();

  test('up', async () => {
    await deployment.start();
    const load = deployment.client().pipeline();
    for (let i = 0; i < keys - 4; i++) load.set(`key:${i}`, `${i}`);
    load.hset('hash', { a: '1', b: '2' });
    load.zadd('sorted', 1, 'one', 2.5, 'two');
    load.xadd('stream', '1-1', 'field', 'value');
    load.xgroup('CREATE', 'stream', 'group', '0');
    load.rpush('list', ...Array.from({ length: 300 }, (_, i) => `${i}`));
    const release = Number.parseFloat(name.split(' ')[1] ?? '');
    const isValkey = name.startsWith('Valkey');
    if (release >= (isValkey ? 9 : 7.4)) load.call('HPEXPIRE', 'hash', 10_000_000, 'FIELDS', 1, 'a');
    if (release >= 7) load.call('FUNCTION', 'LOAD', library);
    for (const [error] of (await load.exec()) ?? []) expect(error).toBeNull();
    expect((await healthy()).primary).toBe('redis-1');
    expect(await deployment.client().info('server')).toContain(name.split(' ')[1]);
  });

  test('crash: another one is primary, and everything is there', async () => {
    const before = await deployment.primary();
    await deployment.client().wait(2, 5000);
    process.kill(before.pid as number, 'SIGKILL');
    await deployment.waitForStatus('another primary', ({ primary }) => primary !== before.id, 30_000);
    expect(await size()).toBe(keys);
    await healthy();
  });

  test('switchover', async () => {
    const { from, to } = await deployment.json<{ from: string; to: string }>('switchover');
    expect(to).not.toBe(from);
    await healthy();
    expect((await deployment.primary()).id).toBe(to);
    expect(await size()).toBe(keys);
  });

  test('backup and verify', async () => {
    // The agent takes the first one as soon as there is something, and only one is taken at a time.
    await deployment.waitForFirstBackup();
    taken = await deployment.json<Manifest>('backup', ['now']);
    expect(taken).toMatchObject({ keys });
    const verified = await deployment.run('backup', ['verify', taken.id]);
    expect(verified.stderr + verified.stdout).toContain('is good');
    expect(verified.status).toBe(0);
  });

  test('rdb inspect, verify, json, resp, filter and diff read what it writes', async () => {
    const file = path.join(
      backups,
      readdirSync(backups).find((each) => each.includes(taken.id) && each.endsWith('.rdb')) ?? '',
    );
    expect(existsSync(file)).toBe(true);
    for (const verb of ['inspect', 'verify', 'memory', 'json', 'resp']) {
      const result = await holdfast(['rdb', verb, file]);
      expect(`${verb}: ${result.status} ${result.stderr}`).toBe(`${verb}: 0 `);
    }
    const copy = path.join(deployment.folder, 'copy.rdb');
    expect((await holdfast(['rdb', 'filter', file, '-o', copy])).status).toBe(0);
    expect((await holdfast(['rdb', 'diff', file, copy])).status).toBe(0);
  });

  test('restore', async () => {
    const client = deployment.client();
    await client.set('later', 'x');
    const restored = await deployment.run(
      'restore',
      [taken.id],
      ['--replace', '--no-safety-backup', '--yes'],
    );
    expect(restored.stderr).not.toContain('error:');
    expect(restored.status).toBe(0);
    expect(await size()).toBe(keys);
    expect(await deployment.client().get('later')).toBeNull();
    await healthy();
  });

  test.runIf(isWhole)(
    'a change of persistence, there and back, with everything killed in between',
    async () => {
      for (const persistence of ['rdb', 'aof-everysec']) {
        deployment.writeSpec({ redis: { persistence } });
        const applied = await deployment.run('apply', [], ['--yes']);
        expect(applied.stderr).not.toContain('error:');
        for (const pid of deployment.runningPids()) process.kill(pid, 'SIGKILL');
        const gone = () => deployment.runningPids().length === 0;
        await waitFor(gone, { what: 'everything to be gone', withinMs: 60_000 });
        await deployment.start();
        expect(await size()).toBe(keys);
        await healthy();
      }
      expect(await deployment.changesLeft()).toEqual([]);
      const conf = readFileSync(`${deployment.stateDir}/members/redis-1/redis.conf`, 'utf8');
      expect(conf).toMatch(/^appendonly yes$/m);
    },
  );
});
