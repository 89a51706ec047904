import {
  cutOffTakesNoneAfter,
  noDrops,
  nothingLost,
  onlyUncertain,
  promotions,
  waitsAtMost,
} from '../promises.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** `redis.minReplicasMaxLag` of the testbed, and how much later Redis may notice: it looks, and counts, once a second. */
const maxLagMs = 5000;
const noticeMs = 2500;
/** How long the cut lasts at least: also without a limit of its own, the cut-off primary has time to take writes. */
const lastsMs = 9000;
/** Longer than `detectAfter`, and shorter than `gate.hold`. */
const apartMs = 7000;
/** Longer than a Sentinel takes to learn a replica's priority: it asks every ten seconds. */
const longApartMs = 20_000;
/** Agent and replica look every second, and a link over which nothing has come for 3 s is made anew: some seconds later. */
const relinkedMs = 12_000;
/** A replica notices by seconds of its clock, its agent looks every second, and the Sentinels ask every ten. */
const leftOutMs = 16_000;

const nobodyLosesAnything = [promotions(0), nothingLost, noDrops, onlyUncertain];

const cutOffPrimary: Pick<Scenario, 'thenHolds' | 'hosts' | 'live' | 'sections' | 'given'> = {
  given: 'three hosts with clients at the gate of each, and minReplicasMaxLag 5 s',
  thenHolds: ({ durability }) => [
    promotions(1),
    cutOffTakesNoneAfter(maxLagMs + noticeMs),
    ...(durability === 'replicated' ? [nothingLost] : []),
    noDrops,
    onlyUncertain,
    waitsAtMost(10_000, 'gate.hold'),
  ],
  hosts: 'three',
  live: { safe: false, why: 'what the cut-off primary takes in the first seconds is lost' },
  sections: { redis: { minReplicasMaxLag: '5s' } },
};

export const partition: Scenario = {
  name: 'partition',
  ...cutOffPrimary,
  when: 'the network cuts the primary’s host off from the others, and heals later',
  async act(stage) {
    const primary = await stage.primary();
    const host = await stage.hostOf(primary);
    await stage.inject(`host ${host} with ${primary}, the primary, is cut off`, () => stage.cutOffHost(host));
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    await stage.untilSinceStrike(lastsMs);
    stage.reconnectHost(host);
  },
};

/** It hears what the others decide, and its own answers, acknowledgements of data included, never come. */
export const partitionOneWay: Scenario = {
  name: 'partition-one-way',
  ...cutOffPrimary,
  when: 'the network loses what the primary’s host sends, and not what it is sent, and heals later',
  async act(stage) {
    const primary = await stage.primary();
    const host = await stage.hostOf(primary);
    await stage.inject(`what host ${host} with ${primary}, the primary, sends is lost`, () =>
      stage.muteHost(host),
    );
    await stage.anotherPrimaryThan(primary);
    await stage.writesGoOn();
    await stage.untilSinceStrike(lastsMs);
    stage.unmuteHost(host);
  },
};

/** Two hosts disagree on who is there, and the third sees both: one Sentinel of three is not enough for anything. */
export const partitionBetweenTwo: Scenario = {
  name: 'partition-between-two',
  given: 'three hosts with clients at the gate of each',
  when: 'the primary’s host and another one can’t reach each other, the third reaches both, and the network heals later',
  thenHolds: ({ durability }) => [
    ...nobodyLosesAnything,
    durability === 'replicated'
      ? waitsAtMost(relinkedMs, 'until the replica that was cut off is linked again')
      : waitsAtMost(10_000, 'gate.hold: those at the gate that can’t reach the primary wait'),
  ],
  hosts: 'three',
  live: { safe: false, why: 'the clients of one host wait' },
  async act(stage) {
    const apart = await setApart(stage);
    await endApart(stage, apart, apartMs);
    await stage.writesGoOn();
  },
};

/** With `replicated` writes wait for a replica that could be promoted: nobody may promote one that hears nothing. */
export const replicaCutOff: Scenario = {
  name: 'replica-cut-off',
  given: 'three hosts with clients at the gates of two',
  when: 'the host of a replica and the primary’s can’t reach each other for 20 s, and the third, with the other replica, reaches both',
  thenHolds: ({ durability }) => [
    ...nobodyLosesAnything,
    durability === 'replicated'
      ? waitsAtMost(leftOutMs, 'until the Sentinels know that the replica may not be promoted')
      : waitsAtMost(1000, 'nobody waits for a replica'),
  ],
  hosts: 'three',
  live: { safe: false, why: 'writes may wait' },
  onlyByName: true,
  async clientsOn(stage) {
    const [, other] = await twoHosts(stage);
    return stage.testbed.hosts.filter((host) => host !== other);
  },
  async act(stage) {
    const apart = await setApart(stage);
    await stage.writesGoOn();
    await endApart(stage, apart, longApartMs);
  },
};

type Pair = readonly [string, string];

/** The primary's host, and another one. */
async function twoHosts(stage: Stage): Promise<Pair> {
  const host = await stage.hostOf(await stage.primary());
  return [host, stage.testbed.hosts.find((each) => each !== host) as string];
}

/** @returns whom: who is primary may be another by the end. */
async function setApart(stage: Stage): Promise<Pair> {
  const pair = await twoHosts(stage);
  const [host, other] = pair;
  await stage.inject(`hosts ${host}, with the primary, and ${other} can't reach each other`, () =>
    stage.testbed.setApart(pair, true),
  );
  return pair;
}

async function endApart(stage: Stage, pair: Pair, afterMs: number): Promise<void> {
  await stage.untilSinceStrike(afterMs);
  stage.testbed.setApart(pair, false);
  stage.mark('the network is whole again');
}
