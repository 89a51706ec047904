/**
 * `topology: mirror`: standalone servers that stand in for each other, whatever is killed. `npm test -- --whole` does the same
 * with `ack: one`, and with three members.
 */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { isWhole } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

/** All keys but our own, of one server, with their values as it would hand them over, and whether they expire. */
async function dataOf(client: Redis): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of (await client.keys('*')).toSorted()) {
    if (key.startsWith('holdfast:')) continue;
    const type = await client.type(key);
    const value =
      type === 'string'
        ? await client.get(key)
        : type === 'list'
          ? (await client.lrange(key, 0, -1)).join()
          : (await client.dumpBuffer(key))?.toString('hex');
    found[key] = `${type} ${value} ${(await client.pttl(key)) > 0}`;
  }
  return found;
}

const usual = [['all', 2]] as const;
const whole = [...usual, ['one', 2], ['all', 3], ['quorum', 3]] as const;
const wanted = isWhole ? whole : usual;
describe.each(wanted)('ack: %s with %i standalone members', (ack, members) => {
  let deployment: TestDeployment;

  beforeAll(async () => {
    deployment = await TestDeployment.create({ redis: { members } });
    deployment.writeSpec({ topology: 'mirror' });
    deployment.writeSpec({ mirror: { ack } });
    await deployment.start();
    await healthy();
  });
  afterAll(() => deployment?.destroy());

  const healthy = (): Promise<Status> =>
    deployment.waitForStatus(
      'a healthy deployment with all in sync',
      ({ state, members: all }) =>
        state === 'healthy' &&
        all.every(({ role, linkUp, state: how }) => how === 'up' && (role === 'primary' || linkUp)),
    );

  /** Every member has what the one that leads has. */
  async function expectEqual(): Promise<void> {
    const { members: all } = await healthy();
    const clients = all.map(({ port }) => deployment.client(port));
    await waitFor(
      async () => {
        const [first, ...others] = await Promise.all(clients.map(dataOf));
        return others.every((each) => JSON.stringify(each) === JSON.stringify(first));
      },
      { what: 'all members to be equal', withinMs: 60_000, everyMs: 200 },
    );
  }

  test('a write reaches every member, deletes and expiries too; none replicates', async () => {
    const redis = deployment.client();
    await redis.mset('a', '1', 'b', '2');
    await redis.del('b');
    await redis.set('gone', 'x', 'PX', 5);
    await redis.set('stays', 'x', 'EX', 1000);
    await redis.rpush('list', 'a', 'b');
    await expectEqual();
    for (const { port } of (await deployment.status()).members) {
      expect((await deployment.client(port).role())[0]).toBe('master');
      expect(await deployment.client(port).get('a')).toBe('1');
      expect(await deployment.client(port).exists('b', 'gone')).toBe(0);
    }
    expect(await deployment.client(deployment.ports.replica).get('a')).toBe('1');
    await expect(deployment.client(deployment.ports.replica).set('a', '2')).rejects.toThrow('READONLY');
  });

  test('the one that leads is killed: the next leads, nothing acknowledged is lost, the old one comes back equal', async () => {
    const load = new WriteLoad(Array.from({ length: 4 }, () => deployment.client()));
    for (let round = 0; round < 3; round++) {
      const old = await deployment.primary();
      await new Promise((resolve) => setTimeout(resolve, 300));
      process.kill(old.pid as number, round === 1 ? 'SIGSTOP' : 'SIGKILL');
      await deployment.waitForStatus(
        'another one to lead',
        ({ primary }) => primary !== null && primary !== old.id,
      );
      await healthy();
    }
    const report = await load.stop();
    expect(report.dropped).toBe(0);
    expect([...report.errors.keys()].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(100);
    console.log(
      `ack ${ack}, ${members} members: longest gap ${Math.round(report.longestGapMs)} ms, ${report.acknowledged} acknowledged`,
    );
    const redis = deployment.client();
    if (ack !== 'one') {
      for (const [index, highest] of report.highest.entries()) {
        const there = new Set((await redis.lrange(`load:${index}`, 0, -1)).map(Number));
        expect(there.has(highest)).toBe(true);
      }
    }
    await expectEqual();
  });

  test('a member that refuses what the one that leads did gets a full copy, and is equal again', async () => {
    const { members: all } = await healthy();
    const follower = all.find(({ role }) => role === 'replica');
    await deployment.client(follower?.port).set('differs', 'text');
    await deployment.client().rpush('differs', 'a');
    await expectEqual();
    const events = (await deployment.run('events')).stdout;
    expect(events).toContain('was refused by the target');
  });

  test('switchover: no error, no lost write', async () => {
    await healthy();
    const load = new WriteLoad(Array.from({ length: 4 }, () => deployment.client()));
    const old = await deployment.primary();
    const moved = await deployment.run('switchover');
    expect(moved).toMatchObject({ status: 0 });
    await healthy();
    const report = await load.stop();
    expect((await deployment.primary()).id).not.toBe(old.id);
    expect(report.dropped).toBe(0);
    expect([...report.errors.keys()]).toEqual([]);
    await expectEqual();
  });

  test('switchover: who writes to the one that leads by another way, as gates of other hosts do, hears no OK for what is gone', async () => {
    const { port } = await deployment.primary();
    const direct = deployment.client(port);
    let [acknowledged, isOver] = [0, false];
    const writing = (async () => {
      while (!isOver) acknowledged = await direct.rpush('direct', 'x');
    })().catch(() => {});
    expect((await deployment.run('switchover')).status).toBe(0);
    isOver = true;
    await writing;
    await healthy();
    expect(acknowledged).toBeGreaterThan(0);
    expect(await deployment.client().llen('direct')).toBeGreaterThanOrEqual(acknowledged);
    await expectEqual();
  });

  test('down and up: the newest data leads', async () => {
    const redis = deployment.client();
    await redis.set('before', 'down');
    await expectEqual();
    const led = await deployment.primary();
    expect((await deployment.run('down')).status).toBe(0);
    await deployment.start();
    await healthy();
    expect((await deployment.primary()).id).toBe(led.id);
    expect(await deployment.client().get('before')).toBe('down');
    await expectEqual();
  });
});
