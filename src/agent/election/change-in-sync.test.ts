import { expect, test } from 'vitest';
import { sentinelsThatKnowEachOther, type VotingSentinel } from '../../../test/support/voting-sentinel.ts';
import { systemClock } from '../../base/clock.ts';
import {
  decodeInSync,
  encodeInSync,
  firstRecord,
  type InSyncRecord,
  withLeaving,
  withoutLeaving,
} from '../../topology/in-sync-record.ts';
import type { Deployment, LiveSentinel } from '../deployment.ts';
import { renewInSync } from './change-in-sync.ts';
import { ElectionWatch } from './election-watch.ts';
import { runIdMarks } from './run-ids.ts';

const lead = { id: 'redis-1', address: '10.1.0.1', port: 6379 };
const primary = `${lead.address}:${lead.port}`;
const before: InSyncRecord = { ...firstRecord(lead.id, 0), in: [lead.id, 'redis-2'] };
const leaves = {
  kind: 'in-sync-leaves',
  ...{ member: lead.id, before, leaving: ['redis-2'], reason: 'it is down' },
} as const;

/** What an agent has of a Sentinel, with one that votes behind it. @param hears what comes of a hello to it */
function live(sentinel: VotingSentinel, hears: Hears, afterVote: () => void): LiveSentinel {
  const seen = { reachable: true, tilt: false, configEpoch: sentinel.configEpoch, primary: lead };
  const call = async (command: string, what: string, ...rest: [string, number, number, string]) => {
    if (command === 'PUBLISH') hears(sentinel, rest[0]);
    if (what !== 'IS-MASTER-DOWN-BY-ADDR') return [];
    const [address, port, epoch, runId] = rest;
    const { votedFor, epoch: votedIn } = sentinel.vote(`${address}:${port}`, epoch, runId, 0);
    afterVote();
    return [0, votedFor, votedIn];
  };
  const look = async () => {
    await null;
    seen.configEpoch = sentinel.configEpoch;
  };
  return {
    place: { id: sentinel.id },
    watch: { seen, look, client: { connection: { call } } },
  } as unknown as LiveSentinel;
}

type Hears = (sentinel: VotingSentinel, text: string) => void;

/** A lead that has the record in memory, and Sentinels. */
function trial(hears: Hears, afterVote: (sentinel: VotingSentinel) => void = () => {}) {
  const sentinels = sentinelsThatKnowEachOther(3, primary);
  let record: string | null = encodeInSync(before);
  const askAll = async (requests: string[][]) =>
    requests.map(([command, _key, value]) => {
      if (command === 'MGET') return [null, record];
      if (command === 'SET') record = value ?? null;
      return command === 'EXEC' ? [] : 'OK';
    });
  const member = {
    place: lead,
    unit: null,
    watch: {
      seen: { reachable: true, inSync: before },
      connect: () => ({ connection: { askAll }, close: () => {} }),
      look: async () => {},
    },
  };
  const elections = new ElectionWatch(systemClock, runIdMarks('host-1', 'this one', undefined));
  elections.colleaguesOf = (id) => sentinels.find((each) => each.id === id)?.colleagues ?? [];
  const deployment = {
    elections,
    sentinels: sentinels.map((each) => live(each, hears, () => afterVote(each))),
    members: [member],
    member: () => member,
    memberAt: () => member,
    spec: { name: 'trial', sentinel: { quorum: 2 }, mirror: { ack: 'all' } },
    setting: { clock: systemClock },
  } as unknown as Deployment;
  return { deployment, sentinels, record: () => decodeInSync(record) };
}

test('who is left out is not waited for any more when the Sentinels have the epoch', async () => {
  const { deployment, sentinels, record } = trial((sentinel, text) => sentinel.hello(text));
  await renewInSync(deployment, leaves);
  const [epoch] = sentinels.map(({ configEpoch }) => configEpoch);
  expect(epoch).toBeGreaterThan(0);
  expect(record()).toEqual(withoutLeaving(withLeaving(before, ['redis-2'], epoch ?? 0)));
});

test('a Sentinel that answers nothing, as of a host that is gone, is not waited for', async () => {
  const { deployment, record } = trial((sentinel, text) => sentinel.hello(text));
  const { watch } = deployment.sentinels[2] as LiveSentinel;
  const never = () => new Promise<never>(() => {});
  Object.assign(watch, { look: never, client: { connection: { call: never } } });
  await renewInSync(deployment, leaves);
  expect(record()).toMatchObject({ in: [lead.id], leaving: [] });
});

test('a Sentinel that votes for another before it has the epoch does not count: that one was not told of it', async () => {
  const late = new Map<VotingSentinel, string>();
  const { deployment, record } = trial(
    (sentinel, text) => late.set(sentinel, text),
    (sentinel) => {
      const text = late.get(sentinel);
      if (text === undefined) return;
      // Behind our question: another one's, for its vote and then for the epoch. And then it hears what it was told.
      sentinel.vote(primary, sentinel.currentEpoch + 1, 'e'.repeat(40), 0);
      sentinel.hello(text);
    },
  );
  await expect(renewInSync(deployment, leaves)).rejects.toMatchObject({ code: 'ELECTION_LAPSED' });
  expect(record()).toMatchObject({ in: [lead.id], leaving: ['redis-2'] });
});
