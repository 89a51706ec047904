/**
 * Changes of redis.persistence on three hosts, each of which changes its own member, with every host killed at a random
 * moment of it. HOLDFAST_TEST_MOMENTS says how often each way is tried.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApplyResult } from '../../src/agent/change/apply-spec.ts';
import { waitFor } from '../../src/base/retry.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';
import { howMany, whyNotUsual } from '../support/whole-run.ts';

const moments = howMany('HOLDFAST_TEST_MOMENTS', 0, 1);
const hosts = ['a', 'b', 'c'];
const keys = 5000;

type Kind = 'rdb' | 'aof-everysec' | 'aof-always';
const ways: [Kind, Kind, 'apply' | 'up'][] = [
  ['rdb', 'aof-everysec', 'apply'],
  ['aof-everysec', 'rdb', 'up'],
  ['rdb', 'aof-always', 'up'],
  ['aof-always', 'rdb', 'apply'],
];

const why = moments > 0 ? whyNoNetworkHosts() : whyNotUsual;

describe.skipIf(why !== null)(`three hosts${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;
  beforeAll(async () => {
    fleet = new HostFleet(hosts, { redis: { persistence: 'rdb' } });
    await Promise.all(hosts.map((host) => fleet.up(host)));
    await fleet.waitUntilHealthy();
  });
  afterAll(() => fleet?.destroy());

  const client = async () => {
    const primary = await fleet.primary();
    return fleet.member(primary.id);
  };

  async function fill(value: string, kind: Kind): Promise<void> {
    const primary = await client();
    const load = primary.pipeline();
    for (let i = 0; i < keys; i++) load.set(`key:${i}`, value);
    for (const [error] of (await load.exec()) ?? []) if (error) throw error;
    await primary.wait(2, 10_000);
    if (kind !== 'rdb') return;
    for (const { id } of fleet.spec.members) {
      const saved = async () => (await fleet.member(id).save()) === 'OK';
      await waitFor(saved, { what: 'SAVE to be taken', withinMs: 60_000 });
    }
  }

  async function settle(kind: Kind): Promise<void> {
    fleet.writeSpec({ redis: { persistence: kind } });
    for (const host of hosts) await fleet.run(host, 'apply', ['--yes']);
    for (const host of hosts) {
      const planned = async () => {
        const { stdout } = await fleet.run(host, 'apply', ['--dry-run', '--json']);
        return (JSON.parse(stdout) as ApplyResult).changes.length === 0;
      };
      await waitFor(planned, { what: `${kind} on ${host}`, withinMs: 60_000, everyMs: 300 });
    }
  }

  test.each(ways)('%s to %s by %s, cut off', { timeout: 180_000 * moments }, async (from, to, way) => {
    for (let moment = 0; moment < moments; moment++) {
      const value = `${from} ${to} ${moment}`;
      await settle(from);
      await fill(value, from);
      if (way === 'up') for (const host of hosts) await fleet.run(host, 'down');
      fleet.writeSpec({ redis: { persistence: to } });
      const begun = hosts.map((host) =>
        way === 'up' ? fleet.up(host) : fleet.run(host, 'apply', ['--yes']),
      );
      await delay(Math.random() * (way === 'up' ? 5000 : 2000));
      await Promise.all(hosts.map((host) => fleet.killHost(host)));
      await Promise.allSettled(begun);
      await Promise.all(hosts.map((host) => fleet.killHost(host)));
      await Promise.all(hosts.map((host) => fleet.up(host)));
      await fleet.waitUntilHealthy();
      const primary = await client();
      expect(await primary.dbsize()).toBe(keys);
      expect(await primary.mget('key:0', `key:${keys - 1}`)).toEqual([value, value]);
      await settle(to);
    }
  });
});
