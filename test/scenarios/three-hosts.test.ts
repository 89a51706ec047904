/**
 * Three agents on three hosts of a network of their own. The tests go on with what the one before left: a deployment
 * that is healthy on every host.
 */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';
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

  /** Waits until a write through this client is taken, sent again while it is refused. */
  function takesWrites(client: Redis, key: string, value = '1'): Promise<unknown> {
    const write = async () => (await client.set(key, value)) === 'OK';
    return waitFor(write, { what: `the write of ${key} to be taken`, withinMs: 60_000 });
  }

  async function underWay(load: WriteLoad): Promise<void> {
    await waitFor(() => load.report.acknowledged > 50, { what: 'the load to run', withinMs: 60_000 });
    load.resetGap();
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
    const { id: old, host: lost } = await fleet.primary();
    const before = hosts.map(sentinelsWord);
    const load = new WriteLoad(await Promise.all(hosts.map(atGateOf)));
    await underWay(load);
    process.kill(fleet.pidOf(lost, `members/${old}/process.json`), 'SIGKILL');
    await Promise.all(
      hosts.map((host) =>
        fleet.waitForStatus(
          host,
          'another primary and the old one as its replica',
          ({ state, primary, members }) =>
            state === 'healthy' &&
            primary !== old &&
            members.find(({ id }) => id === old)?.role === 'replica',
        ),
      ),
    );
    const report = await load.stop();
    expect(report.dropped).toBe(0);
    expect([...report.errors.keys()].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
    expect(hosts.map(sentinelsWord)).toEqual(before.map((count) => count + 1));
    // Only the agent that owned the process asked for it, and no Sentinel had to see it by itself.
    const asked = hosts.filter((host) => fleet.events(host).some(({ kind }) => kind === 'election'));
    expect(asked).toEqual([lost]);
  });

  test('host lost: the Sentinels of the others replace the primary, and it comes back as a replica', async () => {
    const { id: old, host: lost } = await fleet.primary();
    const clients = await Promise.all(others(lost).map(atGateOf));
    for (const client of clients) expect(await client.set('before', '1')).toBe('OK');
    const [gateHost = ''] = others(lost);
    const waiting = await atGateOf(gateHost);
    fleet.network.setCable(lost, 'out');
    try {
      const inFlight = waiting.set('in-flight', '1').catch((error: Error) => error.message);
      for (const [i, client] of clients.entries()) await takesWrites(client, `while-lost-${i}`);
      const taken = performance.now();
      expect(await inFlight).toMatch(/^(OK|UNCERTAIN )/);
      // The lost primary has had its time to answer, a second, while everything was held.
      expect(performance.now() - taken).toBeLessThan(950);
      for (const host of others(lost)) {
        await fleet.waitForStatus(
          host,
          'another primary',
          ({ primary, state }) => primary !== old && primary !== null && state === 'degraded',
        );
      }
    } finally {
      fleet.network.setCable(lost, 'in');
    }
    const { primary } = await fleet.waitUntilHealthy();
    expect(primary).not.toBe(old);
    expect(await fleet.member(old).mget('while-lost-0', 'while-lost-1')).toEqual(['1', '1']);
    for (const client of clients) expect(client.status).toBe('ready');
  });

  test('partition: the primary that is cut off stops taking writes, the others go on, one primary remains', async () => {
    const { id: old, host: cut } = await fleet.primary();
    const direct = fleet.member(old);
    const atCutGate = await atGateOf(cut);
    const atOther = await atGateOf(others(cut)[0] as string);
    expect(await direct.set('split', 'before')).toBe('OK');
    fleet.network.setCutOff(cut, true);
    try {
      const refuses = (to: Redis) => async () => {
        const answer = await to.set('split', 'minority').catch((error: Error) => error.message);
        return /^NOREPLICAS/.test(answer ?? '');
      };
      const within = { withinMs: 60_000, everyMs: 50 };
      await waitFor(refuses(direct), { what: 'the cut-off primary to refuse writes', ...within });
      await waitFor(refuses(atCutGate), { what: 'its gate to say so', ...within });
      await takesWrites(atOther, 'split', 'majority');
      const [role] = (await direct.role()) as [string];
      expect(role).toBe('master');
      const { problems } = await fleet.status(cut);
      expect(problems).toContain('no majority of Sentinels says who is primary');
      await waitFor(async () => /no majority of Sentinels/.test((await fleet.gateStatus(cut)).reason ?? ''), {
        what: 'its gate to say that it sees no majority',
        withinMs: 60_000,
        everyMs: 100,
      });
    } finally {
      fleet.network.setCutOff(cut, false);
    }
    const { primary, members } = await fleet.waitUntilHealthy();
    expect(primary).not.toBe(old);
    expect(members.filter(({ role }) => role === 'primary')).toHaveLength(1);
    expect(await direct.get('split')).toBe('majority');
    await takesWrites(atCutGate, 'split', 'together');
    expect(await atOther.get('split')).toBe('together');
  });

  test('switchover from a host that owns neither: no error, nothing lost, through every gate', async () => {
    const { id: old, host } = await fleet.primary();
    const [to, asked] = others(host) as [string, string];
    const target = fleet.spec.members.find((member) => member.host === to)?.id as string;
    const load = new WriteLoad(await Promise.all(hosts.map(atGateOf)));
    await underWay(load);
    const { stdout } = await fleet.run(asked, 'switchover', ['--to', target, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ from: old, to: target });
    await fleet.waitUntilHealthy();
    const report = await load.stop();
    expect(report.dropped).toBe(0);
    expect([...report.errors]).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(100);
    expect(await load.lost(await atGateOf(to))).toEqual([]);
  });

  test('an agent is killed and started again: it adopts what runs, on its host alone', async () => {
    const before = await fleet.waitUntilHealthy();
    const agent = fleet.pidOf('a', 'agent.json');
    process.kill(agent, 'SIGKILL');
    await waitFor(() => !isAlive(agent), { what: 'the agent to be gone', withinMs: 60_000 });
    expect((await fleet.up('a')).status).toBe(0);
    expect(await fleet.waitUntilHealthy()).toMatchObject({ primary: before.primary, epoch: before.epoch });
    expect(fleet.events('a').filter(({ kind }) => kind === 'adopted')).toHaveLength(3);
  });

  test('down on the primary’s host hands over first: no error and nothing lost at the gates of the others', async () => {
    const { id: old, host } = await fleet.primary();
    const [first, second] = others(host) as [string, string];
    const load = new WriteLoad(await Promise.all([first, second].map(atGateOf)));
    await underWay(load);
    const { status, stderr } = await fleet.run(host, 'down');
    expect(stderr).not.toContain('warning');
    expect(status).toBe(0);
    const { primary } = await fleet.status(first);
    expect(primary).not.toBe(old);
    const taken = load.report.acknowledged;
    await waitFor(() => load.report.acknowledged > taken, { what: 'writes to go on', withinMs: 60_000 });
    const report = await load.stop();
    expect(report.dropped).toBe(0);
    expect([...report.errors]).toEqual([]);
    expect(await load.lost(await atGateOf(second))).toEqual([]);
    expect((await fleet.up(host)).status).toBe(0);
    await fleet.waitUntilHealthy();
  });
});
