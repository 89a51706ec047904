/** Hosts that lost their disks: nobody else's data is lost with them. Each test goes on with what the one before left. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();
const keys = 200;

describe.skipIf(why !== null)(`rebuilt hosts${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;

  beforeAll(async () => {
    fleet = new HostFleet(hosts, { redis: { on: hosts }, sentinel: { on: hosts }, gate: { on: hosts } });
    for (const { status, stderr } of await Promise.all(hosts.map((host) => fleet.up(host)))) {
      expect(stderr).not.toContain('error');
      expect(status).toBe(0);
    }
    // At a first start Sentinels may begin a failover before the servers were up, which may end after that.
    for (let attempt = 1; ; attempt++) {
      await fleet.waitUntilHealthy();
      const primary = await fleet.primary();
      try {
        const client = fleet.member(primary.id);
        for (let i = 0; i < keys; i++) await client.set(`k:${i}`, i);
        if ((await client.wait(2, 5000)) === 2 && (await fleet.primary()).id === primary.id) return;
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  });
  afterAll(() => fleet?.destroy());

  async function everyoneHasAll(): Promise<void> {
    await fleet.waitUntilHealthy();
    for (const { id } of fleet.spec.members) expect(await fleet.member(id).dbsize()).toBe(keys);
  }

  test('the primary’s host comes back at once, and empty: another member takes over, and it copies the data', async () => {
    const { id, host } = await fleet.primary();
    await fleet.killHost(host);
    rmSync(fleet.stateDir(host), { recursive: true });
    const back = await fleet.up(host);
    expect(back.stderr).not.toContain('error');
    expect(back.status).toBe(0);
    await everyoneHasAll();
    expect((await fleet.primary()).id).not.toBe(id);
  });

  test('all hosts were down, and the primary’s comes back first, and empty: it waits, and wipes nobody', async () => {
    const { id, host } = await fleet.primary();
    for (const each of hosts) await fleet.killHost(each);
    rmSync(fleet.stateDir(host), { recursive: true });
    const alone = await fleet.up(host, '1s');
    expect(alone.status).toBe(3);
    expect(alone.stderr).toContain('no majority of Sentinels says who is primary');
    const { members } = await fleet.status(host);
    expect(members.find((member) => member.id === id)).toMatchObject({ state: 'down', pid: null });
    await Promise.all(hosts.filter((each) => each !== host).map((other) => fleet.up(other, '1s')));
    await everyoneHasAll();
    expect((await fleet.primary()).id).not.toBe(id);
  });

  test('a host with another secret says so, and names what must be the same', async () => {
    await fleet.killHost('c');
    rmSync(fleet.stateDir('c'), { recursive: true });
    fleet.writeSecret('another');
    const { status, stderr } = await fleet.up('c', '1s');
    expect(status).toBe(3);
    expect(stderr).toMatch(/sentinel-\d on host [ab] does not know this host's password/);
    expect(stderr).toContain('security.secret');
  });
});
