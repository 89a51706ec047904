/** A mirror as an operator has it: a server elsewhere that follows, whatever is killed, and what it refuses. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MirrorStatus } from '../../src/agent/mirrors/mirror-keeper.ts';
import type { ApiMigration, ApiMigrations, ApiMirrors } from '../../src/api/moves.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ApiClient } from '../support/api-client.ts';
import { TestDeployment } from '../support/deployment.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { workersOf } from '../support/mirror-workers.ts';
import { cleanUp, client, type Server, startRedis, tempFolder } from '../support/redis-processes.ts';

describe('a mirror', () => {
  let deployment: TestDeployment;
  let copy: Server;
  let target: Redis;
  beforeAll(async () => {
    copy = await startRedis();
    target = client(copy.port);
    deployment = await TestDeployment.create();
    deployment.writeSpec({ mirrors: { dr: { to: `redis://127.0.0.1:${copy.port}` } } });
    await deployment.start();
  });
  afterAll(async () => {
    await deployment?.destroy();
    await cleanUp();
  });

  const mirror = async (): Promise<MirrorStatus> => (await deployment.status()).mirrors[0]!;
  const until = (what: string, is: (status: MirrorStatus) => boolean) =>
    waitFor(
      async () => {
        const found = await mirror();
        return is(found) ? found : undefined;
      },
      { what, withinMs: 60_000, everyMs: 100 },
    );
  const untilEqual = async (key: string, value: string) =>
    waitFor(async () => (await target.get(key)) === value, {
      what: `${key} in the mirror`,
      withinMs: 60_000,
    });

  test('follows whatever is killed: every write is there once', async () => {
    await until('it to follow', ({ state }) => state === 'following');
    const redis = deployment.client();
    const agent = Number(JSON.parse(readFileSync(`${deployment.stateDir}/agent.json`, 'utf8')).pid);
    const kills = [
      async () => {
        for (const pid of workersOf(agent)) process.kill(pid, 'SIGKILL');
      },
      async () => void process.kill((await deployment.primary()).pid as number, 'SIGKILL'),
      async () => void (await target.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
    ];
    let count = 0;
    for (const kill of kills) {
      for (let each = 0; each < 300; each++) {
        if (each === 150) await kill();
        const write = redis.multi().incr('count').rpush('list', count++).set('gone', 'x', 'PX', 1);
        // One that was with a primary that died may be there or not.
        await write
          .del('deleted')
          .exec()
          .catch(() => {});
      }
    }
    await redis.set('end', 'there');
    await untilEqual('end', 'there');
    const list = await target.lrange('list', 0, -1);
    expect(list.length).toBeGreaterThanOrEqual(count - 3);
    expect(new Set(list).size).toBe(list.length);
    expect(await target.get('count')).toBe(String(list.length));
    expect(list).toEqual(await redis.lrange('list', 0, -1));
    expect(await target.exists('gone', 'deleted')).toBe(0);
    const diff = await deployment.run('mirror', ['diff', 'dr']);
    expect(diff).toMatchObject({ status: 0, stdout: expect.stringContaining('no difference') });
    expect(deployment.events().filter(({ kind }) => kind === 'mirror-copying')).toHaveLength(1);
  });

  test('paused, nothing comes; resumed, it goes on from where it was', async () => {
    const redis = deployment.client();
    expect((await deployment.run('mirror', ['pause', 'dr'])).stdout).toContain('is now paused');
    expect(await mirror()).toMatchObject({ state: 'paused' });
    await redis.set('while paused', 'v');
    expect((await deployment.run('mirror', ['diff', 'dr'])).status).toBe(1);
    expect(await target.get('while paused')).toBeNull();
    await deployment.run('mirror', ['resume', 'dr']);
    await untilEqual('while paused', 'v');
    await until('it to follow', ({ state }) => state === 'following');
    expect((await deployment.run('mirror', ['status'])).status).toBe(0);
  });

  test('a target that was written to by others is repaired, or filled anew', async () => {
    await target.set('count', 'wrong');
    await target.set('extra', 'v');
    const diff = await deployment.run('mirror', ['diff', 'dr', '--repair']);
    expect(diff).toMatchObject({ status: 0, stdout: expect.stringContaining('2 differ, 2 repaired') });
    await target.set('extra', 'v');
    expect((await deployment.run('mirror', ['resync', 'dr'], ['--yes'])).status).toBe(0);
    await waitFor(async () => (await target.exists('extra')) === 0, { what: 'it to go', withinMs: 60_000 });
    await until('it to follow again', ({ state }) => state === 'following');
    expect((await deployment.run('mirror', ['diff', 'dr'])).status).toBe(0);
  });

  test('the API tells of what is on its way, in and out', async () => {
    const api = new ApiClient(deployment.ports.api);
    const mirrors = (await api.get<ApiMirrors>('/api/mirrors')).body;
    expect(mirrors).toMatchObject({
      mirrors: [{ name: 'dr', host: 'local', state: 'following', problem: null }],
      missing: [],
    });
    const old = await startRedis();
    await client(old.port).mset('moved:1', 'a', 'moved:2', 'b');
    const state = tempFolder();
    const sides = [`redis://127.0.0.1:${old.port}`, '--to', deployment.specFile];
    const moving = MigrationProcess.begin(state, [...sides, '--target-state-dir', deployment.stateDir]);
    const told = () => api.get<ApiMigrations>('/api/migrations').then(({ body }) => body.migrations[0]);
    const untilTold = (what: string, is: (migration: ApiMigration | undefined) => boolean) =>
      waitFor(async () => is(await told()), { what, withinMs: 60_000, everyMs: 200 });
    try {
      await untilTold('it to follow', (each) => each?.sources[0]?.phase === 'following');
      expect(await told()).toMatchObject({ host: 'local', folder: state, phase: 'running', runs: true });
      await untilTold('both keys', (each) => each?.sources[0]?.keys === 2);
      await moving.kill();
      await untilTold('that nobody runs it', (each) => each?.runs === false);
      expect((await moving.ask('abort')).status).toBe(0);
      await untilTold('it to be gone', (each) => each === undefined);
    } finally {
      await MigrationProcess.killAll();
    }
  });

  test('a target of others is not touched, and one that is mirrored here makes a loop', async () => {
    const other = await startRedis();
    await client(other.port).set('theirs', 'stays');
    const back = await TestDeployment.create();
    deployment.writeSpec({ mirrors: { full: { to: `redis://127.0.0.1:${other.port}` } } });
    try {
      expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
      const failed = async (name: string) =>
        (await deployment.status()).mirrors.find((each) => each.name === name && each.state === 'failed');
      const full = await waitFor(() => failed('full'), { what: 'a refusal', withinMs: 60_000 });
      expect(full.problem).toContain('holds 1 keys that are not this mirror');
      expect(await client(other.port).keys('*')).toEqual(['theirs']);
      back.writeSpec({ mirrors: { back: { to: `redis://127.0.0.1:${deployment.ports.gate}` } } });
      await back.start();
      deployment.writeSpec({ mirrors: { there: { to: `redis://127.0.0.1:${back.ports.gate}` } } });
      expect((await deployment.run('apply', [], ['--yes'])).status).toBe(0);
      const there = async () =>
        (await deployment.status()).mirrors.find(
          (each) => each.name === 'there' && each.state === 'following',
        );
      await waitFor(there, { what: 'the way there to be followed', withinMs: 60_000 });
      const refused = await waitFor(
        async () => (await back.status()).mirrors.find(({ problem }) => problem !== null),
        { what: 'the way back to be refused', withinMs: 60_000 },
      );
      expect(refused.problem).toMatch(/not this mirror|round for ever/);
    } finally {
      await back.destroy();
    }
  });
});
