import { expect, test } from 'vitest';
import { sentinelsThatKnowEachOther, type VotingSentinel } from '../../../test/support/voting-sentinel.ts';
import { systemClock } from '../../base/clock.ts';
import type { Deployment, LiveSentinel } from '../deployment.ts';
import { ElectionWatch } from './election-watch.ts';
import { newRunId, runIdMarks } from './run-ids.ts';
import { stand } from './stand.ts';

const primary = '10.1.0.1:6379';
const next = '10.1.0.2:6379';

function addressOf(text: string): { address: string; port: number } {
  const [address = '', port] = text.split(':');
  return { address, port: Number(port) };
}

/** What an agent has of a Sentinel, with one that votes behind it. */
function live(sentinel: VotingSentinel): LiveSentinel {
  const call = async (
    _command: string,
    what: string,
    address: string,
    port: number,
    epoch: number,
    runId: string,
  ) => {
    if (what !== 'IS-MASTER-DOWN-BY-ADDR') return [];
    const vote = sentinel.vote(`${address}:${port}`, epoch, runId, 0);
    // What it published meanwhile is read now.
    seen.primary = addressOf(sentinel.primary);
    return [0, vote.votedFor, vote.epoch];
  };
  const seen = {
    reachable: true,
    tilt: false,
    configEpoch: 0,
    agreedDown: false,
    primary: addressOf(primary),
  };
  return {
    place: { id: sentinel.id },
    watch: { seen, client: { connection: { call } } },
  } as unknown as LiveSentinel;
}

function deploymentOf(sentinels: VotingSentinel[]): Deployment {
  return {
    elections: new ElectionWatch(systemClock, runIdMarks('host-1', 'this one', 'the one before')),
    sentinels: sentinels.map(live),
    spec: { sentinel: { quorum: 2 } },
    setting: { clock: systemClock },
    memberAt: ({ address }: { address: string }) => ({
      place: { id: address === addressOf(primary).address ? 'redis-1' : 'redis-2' },
    }),
  } as unknown as Deployment;
}

test('it is elected, under another run id each time', async () => {
  const sentinels = sentinelsThatKnowEachOther(3, primary);
  const deployment = deploymentOf(sentinels);
  const first = await stand(deployment, 'redis-1');
  const second = await stand(deployment, 'redis-1');
  expect([first.outcome, second.outcome]).toEqual(['elected', 'elected']);
  expect(second.election.epoch).toBeGreaterThan(first.election.epoch);
  expect(first.election.runId).toMatch(/^[0-9a-f]{40}$/);
  expect(second.election.runId).not.toBe(first.election.runId);
});

test('an agent that knows of no epoch learns from the votes for the one before it, and is elected next', async () => {
  const sentinels = sentinelsThatKnowEachOther(3, primary);
  for (const sentinel of sentinels) sentinel.vote(primary, 7, 'd'.repeat(40), 0);
  const deployment = deploymentOf(sentinels);
  expect((await stand(deployment, 'redis-1')).outcome).toBe('not-elected');
  const second = await stand(deployment, 'redis-1');
  expect(second).toMatchObject({ outcome: 'elected', election: { epoch: 8 } });
});

test('a vote that was given before it listened is known after the first look, and holds it back', async () => {
  const sentinels = sentinelsThatKnowEachOther(3, primary);
  for (const sentinel of sentinels) sentinel.vote(primary, 7, 'd'.repeat(40), 0);
  const deployment = deploymentOf(sentinels);
  await Promise.all(deployment.sentinels.map((each) => deployment.elections.observed(each, 'trial')));
  expect(deployment.elections.vote).toMatchObject({ ours: false });
  expect(deployment.elections.highestEpoch).toBe(7);
  expect(sentinels.map(({ leaderEpoch }) => leaderEpoch)).toEqual([7, 7, 7]);
});

test('a vote for the agent before it on this host holds nobody back, and one for another agent does', async () => {
  const marks = (own: string) => runIdMarks('host-1', own, undefined);
  const voted = async (first: string, others: string) => {
    const sentinels = sentinelsThatKnowEachOther(3, primary);
    sentinels.forEach((each, i) => void each.vote(primary, 7, i === 0 ? first : others, 0));
    const deployment = deploymentOf(sentinels);
    for (const each of deployment.sentinels) await deployment.elections.observed(each, 'trial');
    return deployment.elections.vote?.ours;
  };
  const before = newRunId(marks('the one before'));
  const elsewhere = newRunId(runIdMarks('host-2', 'the one before', undefined));
  expect(before).toMatch(/^[0-9a-f]{40}$/);
  expect(await voted(before, newRunId(marks('the one before')))).toBe(true);
  expect(await voted(before, elsewhere)).toBe(false);
  expect(await voted(elsewhere, before)).toBe(false);
  expect(await voted(newRunId(marks('a third one')), before)).toBe(false);
});

test('it replaces the primary that was lost, and not the one that the Sentinels have gone on to meanwhile', async () => {
  const sentinels = sentinelsThatKnowEachOther(3, primary);
  for (const sentinel of sentinels) {
    sentinel.currentEpoch = 9;
    sentinel.primary = next;
  }
  const ballot = await stand(deploymentOf(sentinels), 'redis-1');
  expect(ballot.outcome).toBe('not-elected');
  expect(new Set(ballot.election.answers.values())).toEqual(new Set(['elsewhere']));
  expect(sentinels.map(({ leader }) => leader)).toEqual([null, null, null]);
});
