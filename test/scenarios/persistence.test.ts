/**
 * Changes of redis.persistence, by apply and by up, cut off at random moments: every acknowledged write that the old
 * persistence had on disk is there afterwards. HOLDFAST_TEST_MOMENTS says how many moments each way is tried at; a few
 * ways are tried at one unless it is set.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApplyResult } from '../../src/agent/change/apply-spec.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { TestDeployment } from '../support/deployment.ts';
import { howMany } from '../support/whole-run.ts';

const moments = howMany('HOLDFAST_TEST_MOMENTS', 0, 1);
const perWay = Math.max(1, moments);

type Kind = 'none' | 'rdb' | 'aof-everysec' | 'aof-always';
type Way = 'apply' | 'up';

/** Each way between two kinds once, one after the other. */
const everyWay: Kind[] = [
  ...(['rdb', 'aof-everysec', 'rdb', 'aof-always', 'aof-everysec', 'aof-always', 'rdb'] as const),
  ...(['none', 'rdb', 'none', 'aof-everysec', 'none', 'aof-always', 'none', 'rdb'] as const),
];

const keys = 20_000;
const started: TestDeployment[] = [];
afterAll(async () => {
  for (const deployment of started) await deployment.destroy();
});

async function up(members: number, persistence: Kind): Promise<TestDeployment> {
  const deployment = await TestDeployment.up({ redis: { members, persistence } });
  started.push(deployment);
  return deployment;
}

/** Writes every key anew, and has it on the disk of every member as far as its persistence goes. */
async function fill(deployment: TestDeployment, members: number, kind: Kind, value: string): Promise<void> {
  const client = deployment.client();
  const pipeline = client.pipeline();
  for (let i = 0; i < keys; i++) pipeline.set(`key:${i}`, value);
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  await client.wait(members - 1, 10_000);
  if (kind !== 'rdb') return await deployment.written();
  for (let i = 0; i < members; i++) {
    const member = deployment.client(deployment.ports.members + i);
    const saved = async () => (await member.save()) === 'OK';
    await waitFor(saved, { what: 'SAVE to be taken', withinMs: 60_000 });
  }
}

/** All keys with this value, on the primary that clients are led to. */
async function holds(deployment: TestDeployment, value: string): Promise<boolean> {
  const client = deployment.client();
  const count = await client.dbsize();
  const some = await client.mget('key:0', `key:${keys / 2}`, `key:${keys - 1}`);
  if (count === keys && some.every((each) => each === value)) return true;
  throw new Error(`${count} of ${keys} keys, and ${JSON.stringify(some)} for ${value}`);
}

async function kill(pids: number[]): Promise<void> {
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  const gone = () => pids.every((pid) => !isAlive(pid));
  await waitFor(gone, { what: 'every process to be gone', withinMs: 60_000 });
}

describe('before anything is done', () => {
  test('up --dry-run and apply --dry-run list the steps, and change nothing', async () => {
    const deployment = await up(1, 'rdb');
    deployment.writeSpec({ redis: { persistence: 'aof-always' } });
    const { changes } = await deployment.json<ApplyResult>('apply', [], ['--dry-run']);
    const change = changes.find(({ what }) => what === 'persistence');
    expect(change).toMatchObject({ where: 'redis-1', from: 'rdb', to: 'aof-always', takes: 'now' });
    expect(change?.steps?.join()).toContain('its first rewrite is awaited');
    await deployment.run('down');
    const planned = await deployment.run('up', [], ['--dry-run']);
    expect(planned.stdout).toContain('redis-1: its persistence changes from rdb to aof-always');
    expect(deployment.runningPids()).toEqual([]);
    const conf = readFileSync(`${deployment.stateDir}/members/redis-1/redis.conf`, 'utf8');
    expect(conf).toMatch(/^appendonly no$/m);
  });
});

/** Starts the change, cuts it off after a while, and starts the deployment again with what the spec says now. */
async function cutOff(deployment: TestDeployment, way: Way, to: Kind, afterMs: number, all: boolean) {
  if (way === 'up') await deployment.run('down');
  deployment.writeSpec({ redis: { persistence: to } });
  const running =
    way === 'up' ? deployment.run('up', [], ['--detach']) : deployment.run('apply', [], ['--yes']);
  await delay(afterMs);
  const pids = deployment.runningPids();
  await kill(all ? pids : pids.filter((pid) => pid === deployment.agentPid()));
  await running;
  // What a start that was cut off had begun in between.
  if (all) await kill(deployment.runningPids());
  await deployment.start();
  // Servers that went on are as they were: a start changes nothing in what it adopts.
  if (!all) await deployment.run('apply', [], ['--yes']);
}

async function settled(deployment: TestDeployment, kind: Kind): Promise<void> {
  const done = async () => (await deployment.changesLeft()).length === 0;
  await waitFor(done, { what: `everything to be as ${kind} wants it`, withinMs: 60_000, everyMs: 200 });
  const conf = readFileSync(`${deployment.stateDir}/members/redis-1/redis.conf`, 'utf8');
  expect(conf).toMatch(kind.startsWith('aof') ? /^appendonly yes$/m : /^appendonly no$/m);
}

const few: [Way, number, Kind[]][] = [
  ['up', 1, ['rdb', 'aof-everysec']],
  ['apply', 3, ['aof-everysec', 'rdb']],
];
const many: [Way, number, Kind[]][] = (['up', 'apply'] as const).flatMap((way) =>
  [1, 3].map((members): [Way, number, Kind[]] => [
    way,
    members,
    everyWay.filter((kind) => members > 1 || kind !== 'none'),
  ]),
);

describe.each(moments > 0 ? many : few)('by %s, with %i members', (way, members, kinds) => {
  let deployment: TestDeployment;
  beforeAll(async () => {
    deployment = await up(members, kinds[0] as Kind);
  });

  const ways = kinds.slice(1).map((to, i) => [kinds[i] as Kind, to] as const);
  test.each(ways)('%s to %s, cut off', { timeout: 120_000 * perWay }, async (from, to) => {
    // Without persistence on one side only the change itself can be cut off, not the servers.
    const all = from !== 'none' && to !== 'none';
    for (let moment = 0; moment < perWay; moment++) {
      const value = `${from} ${to} ${moment}`;
      deployment.writeSpec({ redis: { persistence: from } });
      await deployment.run('apply', [], ['--yes']);
      await settled(deployment, from);
      await fill(deployment, members, from, value);
      // By `up`, what was in memory only is gone before anything begins.
      if (way === 'up' && from === 'none') continue;
      const afterMs = Math.random() * (way === 'up' ? 4000 : 1500);
      await cutOff(deployment, way, to, afterMs, all);
      if (way === 'up' && to === 'none') continue;
      const found = await waitFor(() => holds(deployment, value), {
        what: `every key after ${Math.round(afterMs)} ms`,
        withinMs: 60_000,
      });
      expect(found).toBe(true);
      await settled(deployment, to);
    }
  });
});
