/** Hosts that lost their disks: nobody else's data is lost with them. */
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();
const keys = 200;

describe.skipIf(why !== null)(`rebuilt hosts${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;
  afterEach(() => fleet?.destroy());

  /** A healthy deployment with `keys` keys on every member. @returns the id and the host of its primary. */
  async function upWithData(): Promise<{ id: string; host: string }> {
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
        if ((await client.wait(2, 5000)) === 2 && (await fleet.primary()).id === primary.id) return primary;
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  }

  async function everyoneHasAll(): Promise<void> {
    await fleet.waitUntilHealthy();
    for (const { id } of fleet.spec.members) expect(await fleet.member(id).dbsize()).toBe(keys);
  }

  test('the primary’s host comes back at once, and empty: another member takes over, and it copies the data', async () => {
    const { id, host } = await upWithData();
    await fleet.killHost(host);
    rmSync(fleet.stateDir(host), { recursive: true });
    const back = await fleet.up(host);
    expect(back.stderr).not.toContain('error');
    expect(back.status).toBe(0);
    await everyoneHasAll();
    expect((await fleet.primary()).id).not.toBe(id);
  });

  test('all hosts were down, and the primary’s comes back first, and empty: it waits, and wipes nobody', async () => {
    const { id, host } = await upWithData();
    for (const each of hosts) await fleet.killHost(each);
    rmSync(fleet.stateDir(host), { recursive: true });
    const alone = await fleet.up(host, '1s');
    expect(alone.status).toBe(3);
    expect(alone.stderr).toContain('no majority of Sentinels says who is primary');
    const { members } = await fleet.status(host);
    expect(members.find((member) => member.id === id)).toMatchObject({ state: 'down', pid: null });
    for (const other of hosts.filter((each) => each !== host)) await fleet.up(other, '1s');
    await everyoneHasAll();
    expect((await fleet.primary()).id).not.toBe(id);
  });

  test('a host with another secret says so, and names what must be the same', async () => {
    fleet = new HostFleet(hosts, { redis: { on: hosts }, sentinel: { on: hosts }, gate: { on: hosts } });
    await fleet.up('a', '100ms');
    fleet.writeSecret('another');
    const { status, stderr } = await fleet.up('b', '1s');
    expect(status).toBe(3);
    expect(stderr).toContain("sentinel-1 on host a does not know this host's password");
    expect(stderr).toContain('security.secret');
  });
});
