/**
 * Three agents on three hosts of a network of their own. The tests go on with what the one before left: a deployment
 * that is healthy on every host.
 */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SwitchoverResult } from '../../src/agent/switchover.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../support/deployment.ts';
import { HostFleet } from '../support/host-fleet.ts';
import { whyNoNetworkHosts } from '../support/network-hosts.ts';
import { WriteLoad } from '../support/write-load.ts';

const hosts = ['a', 'b', 'c'];
const why = whyNoNetworkHosts();

describe.skipIf(why !== null)(`three hosts${why === null ? '' : `: skipped, ${why}`}`, () => {
  let fleet: HostFleet;

  beforeAll(() => {
    fleet = new HostFleet(hosts, {
      redis: { on: hosts, minReplicasMaxLag: '3s' },
      sentinel: { on: hosts, detectAfter: '3s', failoverTimeout: '10s' },
      gate: { on: hosts },
    });
  });
  afterAll(() => fleet?.destroy());

  const gatePort = () => fleet.spec.gates[0]?.port as number;
  const atGateOf = (host: string) => fleet.client(host, host, gatePort());
  const others = (host: string) => hosts.filter((each) => each !== host);
  const sentinelsWord = (host: string) => fleet.events(host).filter(({ kind }) => kind === 'primary').length;

  /** Moves the primary to a host, so that a test doesn't depend on where the one before left it. */
  async function primaryOn(host: string): Promise<string> {
    const primary = await fleet.primary();
    const member = fleet.spec.members.find((each) => each.host === host)?.id as string;
    if (primary.id !== member) {
      const { status, stderr } = await fleet.run(host, 'switchover', ['--to', member]);
      expect(stderr).not.toContain('error');
      expect(status).toBe(0);
      await fleet.waitUntilHealthy();
    }
    return member;
  }

  /** Waits until a write through this client is taken, sent again while it is refused. */
  function takesWrites(client: Redis, key: string, withinMs = 15_000): Promise<unknown> {
    const write = async () => (await client.set(key, '1')) === 'OK';
    return waitFor(write, { what: `the write of ${key} to be taken`, withinMs });
  }

  test('they come up in any order, and a host alone says what it waits for', async () => {
    const alone = await fleet.up('a', '1s');
    expect(alone.status).toBe(3);
    expect(alone.stderr).toContain('no majority of Sentinels');
    const early = await fleet.status('a');
    expect(early.state).toBe('down');
    expect(early.problems.join('\n')).toContain('sentinel-2');
    for (const result of await Promise.all([fleet.up('c'), fleet.up('b')])) {
      expect(result.stderr).not.toContain('error');
      expect(result.status).toBe(0);
    }
    const { members, sentinels, gates } = await fleet.waitUntilHealthy();
    expect(members.map(({ host }) => host)).toEqual(hosts);
    expect(sentinels).toHaveLength(3);
    expect(gates.map(({ state }) => state)).toEqual(['open', 'open', 'open']);
    await takesWrites(await atGateOf('a'), 'through-a');
    const throughB = await atGateOf('b');
    expect(await throughB.get('through-a')).toBe('1');
    expect(await throughB.set('through-b', '1')).toBe('OK');
  });

  test('crash of the primary: another host’s member takes over at once, gates on every host follow', async () => {
    const old = await primaryOn('a');
    const before = sentinelsWord('b');
    const load = new WriteLoad(await Promise.all(hosts.map(atGateOf)));
    await waitFor(() => load.report.acknowledged > 50, { what: 'the load to run', withinMs: 5000 });
    load.resetGap();
    process.kill(fleet.pidOf('a', `members/${old}/process.json`), 'SIGKILL');
    for (const host of hosts) {
      await fleet.waitForStatus(
        host,
        'another primary and the old one as its replica',
        ({ state, primary, members }) =>
          state === 'healthy' && primary !== old && members.find(({ id }) => id === old)?.role === 'replica',
      );
    }
    const report = await load.stop();
    console.log(report);
    console.log(
      JSON.stringify(
        hosts.map((h) => fleet.events(h).slice(-12)),
        null,
        1,
      ),
    );
    expect(report.dropped).toBe(0);
    expect([...report.errors.keys()].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
    // Sentinel alone takes 3 s to see it.
    expect(report.longestGapMs).toBeLessThan(2500);
    expect(sentinelsWord('b')).toBe(before + 1);
  });

  test('host lost: the Sentinels of the others replace the primary, and it comes back as a replica', async () => {
    const old = await primaryOn('a');
    const clients = await Promise.all(others('a').map(atGateOf));
    const before = await Promise.all(clients.map((client) => client.set('before', '1')));
    expect(before).toEqual(['OK', 'OK']);
    fleet.network.setCable('a', 'out');
    try {
      const lostMs = performance.now();
      for (const [i, client] of clients.entries()) {
        await takesWrites(client, `while-lost-${i}`);
        console.log('host lost', performance.now() - lostMs);
      }
      for (const host of others('a')) {
        const { primary } = await fleet.waitForStatus(host, 'another primary', (now) => now.primary !== old);
        expect(primary).not.toBeNull();
      }
      console.log('host lost', performance.now() - lostMs);
    } finally {
      fleet.network.setCable('a', 'in');
    }
    const plugged = performance.now();
    const { primary } = await fleet.waitUntilHealthy();
    console.log('healed after', performance.now() - plugged);
    expect(primary).not.toBe(old);
    expect(await fleet.member(old).get('while-lost-0')).toBe('1');
    for (const client of clients) expect(client.status).toBe('ready');
  });

  test('partition: the primary that is cut off stops taking writes, the others go on, one primary remains', async () => {
    const old = await primaryOn('b');
    const cutOff = await atGateOf('b');
    const direct = fleet.member(old);
    const [client] = await Promise.all(others('b').map(atGateOf));
    fleet.network.setCutOff('b', true);
    try {
      const began = performance.now();
      const refuses = (to: Redis) => async () => {
        const answer = await to.set('split', 'minority').catch((error: Error) => error.message);
        return /^NOREPLICAS/.test(answer ?? '');
      };
      const within = { withinMs: 10_000, everyMs: 50 };
      await waitFor(refuses(direct), { what: 'the cut-off primary to refuse writes', ...within });
      console.log('refuses after', performance.now() - began);
      await waitFor(refuses(cutOff), { what: 'its gate to say so', ...within });
      await takesWrites(client as Redis, 'split');
      console.log('majority writes after', performance.now() - began);
      expect(await direct.role()).toMatchObject(['master']);
    } finally {
      fleet.network.setCutOff('b', false);
    }
    const plugged = performance.now();
    const { primary, members } = await fleet.waitUntilHealthy();
    console.log('healed after', performance.now() - plugged);
    expect(primary).not.toBe(old);
    expect(members.filter(({ role }) => role === 'primary')).toHaveLength(1);
    expect(await fleet.member(old).get('split')).toBe('1');
    const follows = async () => (await cutOff.get('split')) === '1' && (await cutOff.set('split', '2'));
    await waitFor(follows, { what: 'the gate there to follow', withinMs: 10_000 });
  });

  test('switchover from a host that owns neither: no error, nothing lost, through every gate', async () => {
    await primaryOn('a');
    const load = new WriteLoad(await Promise.all(hosts.map(atGateOf)));
    await waitFor(() => load.report.acknowledged > 50, { what: 'the load to run', withinMs: 5000 });
    load.resetGap();
    const result = await fleet.run('c', 'switchover', ['--to', 'redis-2', '--json']);
    const { to, ...rest } = JSON.parse(result.stdout) as SwitchoverResult;
    console.log(rest);
    expect(to).toBe('redis-2');
    await fleet.waitUntilHealthy();
    const report = await load.stop();
    console.log(report);
    expect(report.dropped).toBe(0);
    expect([...report.errors]).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(100);
    expect(await load.lost(await atGateOf('a'))).toEqual([]);
  });

  test('an agent is killed and started again: it adopts what runs, on its host alone', async () => {
    const before = await fleet.waitUntilHealthy();
    const agent = fleet.pidOf('a', 'agent.json');
    process.kill(agent, 'SIGKILL');
    await waitFor(() => !isAlive(agent), { what: 'the agent to be gone', withinMs: 5000 });
    expect((await fleet.up('a')).status).toBe(0);
    expect(await fleet.waitUntilHealthy()).toMatchObject({ primary: before.primary, epoch: before.epoch });
    expect(fleet.events('a').filter(({ kind }) => kind === 'adopted')).toHaveLength(3);
  });
});
