/**
 * `topology: mirror` without Sentinels, on two hosts of a network of their own: a person says who leads. The tests go on with what
 * the one before left.
 */
import { readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { whyNoNetworkHosts } from '../../src/testbed/network-hosts.ts';
import { HostFleet } from '../support/host-fleet.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

const hosts = ['a', 'b'];
const why = whyNotUsual ?? whyNoNetworkHosts();

/** Both hosts are up, in any order. */
async function upWith(mirror: Record<string, string>): Promise<HostFleet> {
  const fleet = new HostFleet(hosts, {
    topology: 'mirror',
    mirror,
    redis: { on: hosts },
    sentinel: { count: 0, detectAfter: '3s' },
    gate: { on: hosts, hold: '3s' },
  });
  for (const { status, stderr } of await Promise.all(hosts.map((host) => fleet.up(host, '240s'))))
    expect({ status, stderr }).toMatchObject({ status: 0 });
  return fleet;
}

describe.skipIf(why !== null)(
  `two hosts without Sentinels, ack: all${why === null ? '' : `: skipped, ${why}`}`,
  () => {
    let fleet: HostFleet;

    beforeAll(async () => {
      fleet = await upWith({ ack: 'all' });
    }, farOff);
    afterAll(() => fleet?.destroy());

    const atGateOf = (host: string) => fleet.client(host, host, fleet.spec.gates[0]?.port as number);
    const otherThan = (host: string) => hosts.find((each) => each !== host) as string;

    /** All members hold the same, and writes wait for all of them. */
    async function equal(): Promise<void> {
      const { members, primary } = await fleet.waitUntilHealthy();
      const record = () => fleet.member(primary as string).get('holdfast:stream:{lead}:in-sync');
      const inSync = async () => JSON.parse((await record()) ?? '{}').in?.length === members.length;
      await waitFor(inSync, { what: 'all to be in sync', withinMs: farOffWait, everyMs: 200 });
      const follower = members.find(({ id }) => id !== primary);
      const host = members.find(({ id }) => id === primary)?.host as string;
      expect(await fleet.runOn(host, 'mirror', ['diff', follower?.id as string])).toMatchObject({
        status: 0,
      });
    }

    /** Writes at both gates until `work` is done. */
    async function underWrites(at: readonly string[], work: () => Promise<unknown>) {
      const load = new WriteLoad(await Promise.all(at.map(atGateOf)));
      const runs = () => load.report.acknowledged > 50;
      await waitFor(runs, { what: 'the load to run', withinMs: farOffWait });
      await work();
      const before = load.report.acknowledged;
      await waitFor(() => load.report.acknowledged > before + 50, {
        what: 'writes behind it',
        withinMs: farOffWait,
      });
      return { load, report: await load.stop() };
    }

    const lostOf = async (load: WriteLoad, reader: Redis) => await load.lost(reader);

    test(
      'the first in the spec leads; when its process dies its own agent has the other one lead, which has all that was acknowledged',
      async () => {
        const { id, host } = await fleet.primary();
        expect(id).toBe('redis-1');
        await (await atGateOf('b')).set('kept', '1');
        const { load, report } = await underWrites(hosts, async () => {
          process.kill(fleet.pidOf(host, `members/${id}/process.json`), 'SIGKILL');
          const next = () => fleet.events(host).some(({ kind }) => kind === 'promoted');
          await waitFor(next, { what: 'the other one to lead', withinMs: farOffWait });
        });
        expect([...report.errors.keys()].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
        await equal();
        expect((await fleet.primary()).id).not.toBe(id);
        expect(await lostOf(load, await atGateOf(host))).toEqual([]);
        expect(fleet.events(otherThan(host)).filter(({ kind }) => kind === 'promoted')).toEqual([]);
      },
      farOff,
    );

    test(
      'a switchover under writes at both hosts loses nothing',
      async () => {
        const { id, host } = await fleet.primary();
        const { load, report } = await underWrites(hosts, async () => {
          expect(await fleet.run(host, 'switchover')).toMatchObject({ status: 0 });
        });
        expect([...report.errors.keys()].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
        await equal();
        expect((await fleet.primary()).id).not.toBe(id);
        expect(await lostOf(load, await atGateOf(host))).toEqual([]);
      },
      farOff,
    );

    test(
      'its host is lost: nobody takes over, and status says what to do; a person has the other one lead',
      async () => {
        const { id: old, host: lost } = await fleet.primary();
        const other = otherThan(lost);
        const load = new WriteLoad([await atGateOf(other)]);
        await waitFor(() => load.report.acknowledged > 50, { what: 'the load to run', withinMs: farOffWait });
        await fleet.killHost(lost);
        const { problems, primary } = await fleet.waitForStatus(
          other,
          'nobody to lead',
          ({ state }) => state === 'down',
        );
        expect(primary).toBe(old);
        expect(problems.join('\n')).toMatch(/nobody takes over by itself: holdfast failover/);
        const refused = () => load.report.errors.has('NOPRIMARY');
        await waitFor(refused, { what: 'writes to be answered with NOPRIMARY', withinMs: farOffWait });
        expect((await fleet.status(other)).primary).toBe(old);
        expect(await fleet.run(other, 'failover')).toMatchObject({ status: 0 });
        const before = load.report.acknowledged;
        await waitFor(() => load.report.acknowledged > before + 50, {
          what: 'writes to go on',
          withinMs: farOffWait,
        });
        await load.stop();
        expect((await fleet.status(other)).primary).not.toBe(old);
        expect(await lostOf(load, await atGateOf(other))).toEqual([]);

        const copies = () => fleet.events(lost).filter(({ kind }) => kind === 'mirror-copying').length;
        const copied = copies();
        expect(await fleet.up(lost, '240s')).toMatchObject({ status: 0 });
        await equal();
        expect((await fleet.primary()).id).not.toBe(old);
        expect(copies()).toBeGreaterThan(copied);
      },
      farOff,
    );

    test(
      'a member that is away holds up writes, until it is back or a person has the lead lead alone',
      async () => {
        const { id: lead, host } = await fleet.primary();
        const away = otherThan(host);
        await fleet.killHost(away);
        const writer = await atGateOf(host);
        await expect(writer.set('waits', '1')).rejects.toThrow('UNCERTAIN');
        const waits = ({ problems }: { problems: string[] }) =>
          /writes wait for redis-.* --to /.test(problems.join());
        await fleet.waitForStatus(host, 'that writes wait', waits);
        expect(await fleet.run(host, 'failover', ['--to', lead])).toMatchObject({ status: 0 });
        await waitFor(async () => (await writer.set('waits', '2')) === 'OK', {
          what: 'a write',
          withinMs: farOffWait,
        });
        expect(await fleet.up(away, '240s')).toMatchObject({ status: 0 });
        await equal();
        expect((await fleet.primary()).id).toBe(lead);
      },
      farOff,
    );

    test(
      'whoever leads is made a replica by hand: nobody is emptied for that, status says it, and REPLICAOF NO ONE ends it',
      async () => {
        const { id: lead, host } = await fleet.primary();
        const other = fleet.spec.members.find(({ id }) => id !== lead) as { address: string; port: number };
        const writer = await atGateOf(host);
        await Promise.all(Array.from({ length: 300 }, (_, i) => writer.set(`hand:${i}`, `${i}`)));
        await fleet.member(lead).replicaof(other.address, other.port);
        const byHand = ({ problems }: { problems: string[] }) =>
          problems.some((each) => /made the replica of another server by hand: REPLICAOF NO ONE/.test(each));
        await fleet.waitForStatus(host, 'that it is a replica by hand', byHand);
        // As long as its stream takes to come back several times.
        await new Promise((resolve) => setTimeout(resolve, 4000));
        for (const { id } of fleet.spec.members)
          expect(await fleet.member(id).exists('hand:0', 'hand:299')).toBe(2);
        await fleet.member(lead).replicaof('NO', 'ONE');
        await equal();
        expect(await fleet.member(lead).exists('hand:0', 'hand:299')).toBe(2);
      },
      farOff,
    );

    test(
      'its host is lost and comes back with less than it had answered: the other one leads, and nothing is lost',
      async () => {
        const { id: lead, host } = await fleet.primary();
        const other = otherThan(host);
        const folder = path.join(fleet.stateDir(host), 'members', lead, 'data', 'appendonlydir');
        const aof = path.join(
          folder,
          readdirSync(folder).find((file) => file.endsWith('.incr.aof')) as string,
        );
        const kept = statSync(aof).size;
        const load = new WriteLoad([await atGateOf(other)]);
        await waitFor(() => load.report.acknowledged > 50, { what: 'the load to run', withinMs: farOffWait });
        await fleet.killHost(host);
        truncateSync(aof, kept);
        expect(await fleet.up(host, '240s')).toMatchObject({ status: 0 });
        await equal();
        await load.stop();
        expect((await fleet.primary()).id).not.toBe(lead);
        expect(await lostOf(load, await atGateOf(other))).toEqual([]);
      },
      farOff,
    );

    test(
      'everything is killed: who led leads again, once all are heard',
      async () => {
        const { id: lead, host } = await fleet.primary();
        await Promise.all(hosts.map((each) => fleet.killHost(each)));
        const alone = await fleet.up(host, '5s');
        expect(alone.status).toBe(3);
        expect(alone.stderr).toMatch(/can't be asked whether another one does by now/);
        expect(await fleet.up(otherThan(host), '240s')).toMatchObject({ status: 0 });
        await equal();
        expect((await fleet.primary()).id).toBe(lead);
        expect(await fleet.member(lead).get('kept')).toBe('1');
      },
      farOff,
    );
  },
);

describe.skipIf(why !== null)(
  `two hosts without Sentinels, onSplit: serve${why === null ? '' : `: skipped, ${why}`}`,
  () => {
    let fleet: HostFleet;

    beforeAll(async () => {
      fleet = await upWith({ ack: 'one', onSplit: 'serve' });
    }, farOff);
    afterAll(() => fleet?.destroy());

    const gateOf = (host: string) => fleet.client(host, host, fleet.spec.gates[0]?.port as number);

    test(
      'cut off from each other both sides take writes; then one leads, and what the other one alone had is kept',
      async () => {
        const { id: old, host: cut } = await fleet.primary();
        const other = hosts.find((each) => each !== cut) as string;
        const [there, here] = await Promise.all([gateOf(cut), gateOf(other)]);
        await there.set('before', '1');
        fleet.network.setCable(cut, 'out');
        try {
          await fleet.waitForStatus(other, 'another one to lead', ({ primary }) => primary !== old);
          await waitFor(async () => (await here.set('here', '1')) === 'OK', {
            what: 'a write here',
            withinMs: farOffWait,
          });
          await waitFor(async () => (await there.set('there', '1')) === 'OK', {
            what: 'a write there',
            withinMs: farOffWait,
          });
        } finally {
          fleet.network.setCable(cut, 'in');
        }
        await fleet.waitForStatus(
          cut,
          'the former lead to follow',
          ({ members, state }) =>
            state === 'healthy' && members.find(({ id }) => id === old)?.role === 'replica',
        );
        const [diverged] = fleet.events(cut).filter(({ kind }) => kind === 'mirror-diverged');
        expect(diverged?.text).toMatch(/^redis-1 had 'there' that redis-2 has otherwise, or not/);
        expect(await fleet.member(old).mget('before', 'here', 'there')).toEqual(['1', '1', null]);
      },
      farOff,
    );

    test(
      'a lead whose process dies is followed by the next one',
      async () => {
        const { id: old, host } = await fleet.primary();
        process.kill(fleet.pidOf(host, `members/${old}/process.json`), 'SIGKILL');
        for (const each of hosts)
          await fleet.waitForStatus(each, 'another one to lead', ({ primary }) => primary !== old);
        expect((await fleet.primary()).id).not.toBe(old);
      },
      farOff,
    );
  },
);
