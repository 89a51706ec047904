/**
 * Drills of `topology: mirror`: two or three standalone members, of which one leads and the others get what it does by streams.
 * Who leads then Sentinels vote; without them a person says it, who is played here, or the spec (`onSplit: serve`).
 */
import {
  type DrillPromise,
  divergedKept,
  noDrops,
  noErrors,
  nothingLost,
  onlyUncertain,
  promotions,
  waitsAtMost,
} from '../promises.ts';
import type { DrillSettings, Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** How long the cut lasts at least: long enough for a lead that is cut off to take what it should not. */
const lastsMs = 9000;
/** How long a member is away. */
const awayMs = 4000;

const live = { safe: false, why: 'it is for topology: mirror, and takes a member away' };

function kept({ durability }: DrillSettings): DrillPromise[] {
  return durability === 'async' ? [] : [nothingLost];
}

/** By votes, or by the spec's leave. */
function isReplacedByItself({ standalone }: DrillSettings): boolean {
  return standalone.sentinels || standalone.onSplit === 'serve';
}

/** The same; or by the agent of its own host, which knows that it is gone, and of one that has all that was acknowledged. */
function isReplacedWhenItDies(settings: DrillSettings): boolean {
  return isReplacedByItself(settings) || waitsForAll(settings);
}

/** Nobody else leaves out a member that is away, and no write is acknowledged without it. */
function waitsForAll({ standalone, durability }: DrillSettings): boolean {
  return !standalone.sentinels && durability === 'replicated';
}

async function follower(stage: Stage): Promise<string> {
  const [found = ''] = await stage.replicas();
  return found;
}

export const mirrorLeadCrash: Scenario = {
  name: 'mirror-lead-crash',
  given: 'standalone members of topology: mirror under load',
  when: 'the one that leads is killed',
  thenHolds: (settings) =>
    isReplacedWhenItDies(settings)
      ? [
          promotions(1),
          ...kept(settings),
          noDrops,
          onlyUncertain,
          waitsAtMost(2000, 'Sentinel alone would not have begun before 3 s'),
        ]
      : [
          promotions(settings.persistence.startsWith('aof') ? 0 : 1),
          noDrops,
          onlyUncertain,
          waitsAtMost(
            10_000,
            'gate.hold: until its agent has started it again, or a person has another one lead',
          ),
        ],
  hosts: 'one',
  topology: 'mirror',
  onlyByName: true,
  live,
  async act(stage, settings) {
    const lead = await stage.primary();
    const pid = await stage.pidOf(lead);
    await stage.inject(`${lead}, which leads, is killed`, () => stage.kill(lead));
    if (isReplacedWhenItDies(settings)) await stage.anotherPrimaryThan(lead);
    else if ((await stage.refusedOrPrimary(lead, pid)) === 'refused') await stage.failOver();
    await stage.writesGoOn();
    await stage.revive();
  },
};

export const mirrorMemberCrash: Scenario = {
  name: 'mirror-member-crash',
  given: 'standalone members of topology: mirror under load',
  when: 'the one that follows is killed',
  thenHolds: (settings) => [
    promotions(0),
    nothingLost,
    noDrops,
    noErrors,
    waitsForAll(settings)
      ? waitsAtMost(10_000, 'gate.hold: writes wait for it until its agent has started it again')
      : waitsAtMost(1000, 'its agent sees the death, and writes wait for it no more'),
  ],
  hosts: 'one',
  topology: 'mirror',
  onlyByName: true,
  live,
  async act(stage) {
    const member = await follower(stage);
    await stage.inject(`${member}, which follows, is killed`, () => stage.kill(member));
    await stage.writesGoOn();
    await stage.revive();
  },
};

export const mirrorSplit: Scenario = {
  name: 'mirror-split',
  given: 'standalone members of topology: mirror on hosts of their own, and clients at the gate of each host',
  when: 'the network cuts the host of the one that leads off from the others, and heals later',
  thenHolds: (settings) => [
    promotions(1),
    ...kept(settings),
    ...(settings.standalone.onSplit === 'serve' ? [divergedKept] : []),
    noDrops,
    onlyUncertain,
    waitsAtMost(10_000, 'gate.hold'),
  ],
  hosts: 'three',
  topology: 'mirror',
  onlyByName: true,
  live,
  async act(stage, settings) {
    const lead = await stage.primary();
    const [other = ''] = await stage.replicas();
    const host = await stage.hostOf(lead);
    await stage.inject(`host ${host} with ${lead}, which leads, is cut off`, () => stage.cutOffHost(host));
    if (!isReplacedByItself(settings)) await stage.failOver(other);
    await stage.anotherPrimaryThan(lead);
    await stage.writesGoOn();
    await stage.untilSinceStrike(lastsMs);
    stage.reconnectHost(host);
  },
};

export const mirrorReturn: Scenario = {
  name: 'mirror-return',
  given:
    'standalone members of topology: mirror on hosts of their own, and clients at the gates of the hosts that stay',
  when: 'the host of the one that follows loses power, and comes back with an empty disk under writes',
  thenHolds: (settings) => [
    promotions(0),
    nothingLost,
    noDrops,
    noErrors,
    waitsAtMost(
      10_000,
      `gate.hold: until ${waitsForAll(settings) ? 'a person has the other one lead alone' : 'the voters agree that it is gone'}`,
    ),
  ],
  hosts: 'three',
  topology: 'mirror',
  onlyByName: true,
  live,
  async clientsOn(stage) {
    const lost = await stage.hostOf(await follower(stage));
    return stage.testbed.hosts.filter((host) => host !== lost);
  },
  async act(stage, settings) {
    const lead = await stage.primary();
    const member = await follower(stage);
    const host = await stage.hostOf(member);
    await stage.inject(`host ${host} with ${member}, which follows, loses power`, () =>
      stage.testbed.loseHost(host),
    );
    if (waitsForAll(settings)) await stage.leadAlone(lead);
    await stage.untilSinceStrike(awayMs);
    await stage.writesGoOn();
    await stage.testbed.wipe(member);
    stage.mark(`host ${host} is switched on again, and ${member} holds nothing`);
    await stage.testbed.returnHost(host);
  },
};
