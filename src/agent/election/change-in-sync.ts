/**
 * Changes who is in sync with the standalone member that leads: topology/in-sync-record.ts has the order, and why. Only the
 * agent of that member's host does, one change at a time.
 */
import { enough } from '../../base/enough.ts';
import { waitFor } from '../../base/retry.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { askForVote } from '../../redis/sentinel-election.ts';
import { exchangeInSync } from '../../stream/standalone-client.ts';
import type { Election } from '../../topology/election/election.ts';
import {
  type Ack,
  encodeInSync,
  firstRecord,
  type InSyncRecord,
  isAcknowledged,
  othersNeeded,
  withJoined,
  withJoining,
  withLeaving,
  withoutLeaving,
} from '../../topology/in-sync-record.ts';
import type { InSyncDecision } from '../../topology/in-sync-set.ts';
import { namedPrimary } from '../../topology/view.ts';
import type { Deployment, LiveMember, LiveSentinel } from '../deployment.ts';
import { ElectionLapsed } from '../errors.ts';
import { stand } from './stand.ts';
import { stay } from './take-over.ts';

/** Those that stay have a record by then, or are out of sync themselves. */
const arrivesWithinMs = 300;
const lookEveryMs = 5;

/** Nobody else has a record, or gets one but by this one's stream. */
export async function beginInSync(
  deployment: Deployment,
  { member, epoch }: Extract<InSyncDecision, { kind: 'in-sync-begins' }>,
): Promise<void> {
  await atLead(deployment, deployment.member(member), (put) => put(null, firstRecord(member, epoch)));
}

/**
 * It is in sync: writes wait for it, and then it may lead. @throws when not all have heard of it in time: then it is tried
 * again
 */
export async function admitInSync(deployment: Deployment, id: string): Promise<void> {
  const found = namedPrimary(deployment.view())?.id ?? '';
  const lead = deployment.member(found);
  const before = lead.watch.seen.inSync;
  if (before === null) return;
  await atLead(deployment, lead, async (put, arrived) => {
    const joining = withJoining(before, [id]);
    await put(before, joining);
    await arrived(joining);
    await put(joining, withJoined(joining));
  });
}

/** The set of another epoch, in which those are left out. @throws ELECTION_LAPSED, and then writes wait for them still */
export async function renewInSync(
  deployment: Deployment,
  { member, before, leaving }: Extract<InSyncDecision, { kind: 'in-sync-leaves' }>,
): Promise<void> {
  const lead = deployment.member(member);
  const { inSync } = lead.watch.seen;
  for (const { watch } of deployment.members) deployment.elections.noteEpoch(watch.seen.toldIn);
  deployment.elections.noteEpoch(before.epoch);
  const { election, outcome } = await stand(deployment, member);
  if (outcome !== 'elected')
    throw ElectionLapsed(`the Sentinels did not vote for who is in sync with ${member}`);
  await atLead(deployment, lead, async (put, arrived) => {
    const next = withLeaving(before, leaving, election.epoch);
    await put(inSync, next);
    await arrived({ ...next, leaving: [] });
    await stay(deployment, election, lead);
    await confirmEpoch(deployment, election, member);
    if (next.leaving.length > 0) await put(next, withoutLeaving(next));
  });
}

type Put = (before: InSyncRecord | null, after: InSyncRecord) => Promise<void>;

async function atLead(
  deployment: Deployment,
  lead: LiveMember,
  change: (put: Put, arrived: (record: InSyncRecord) => Promise<void>) => Promise<void>,
): Promise<void> {
  const client = lead.watch.connect();
  const ack = deployment.spec.mirror?.ack === 'quorum' ? 'quorum' : 'all';
  try {
    await change(
      (before, after) =>
        exchangeInSync(client.connection, before && encodeInSync(before), encodeInSync(after)),
      (record) => untilArrived(deployment, client, { lead: lead.place.id, record, ack }),
    );
  } finally {
    client.close();
    await lead.watch.look();
  }
}

/** Until those that have to have it have what the lead has now. @throws DEADLINE_PASSED */
async function untilArrived(
  deployment: Deployment,
  client: MemberClient,
  { lead, record, ack }: { lead: string; record: InSyncRecord; ack: Ack },
): Promise<void> {
  if (othersNeeded(record, ack) === 0) return;
  let target: number | null = null;
  const isThere = async () => {
    const role = await client.role();
    if (role.role !== 'primary') return false;
    target ??= role.offset;
    const offset = target;
    const applied = role.replicas.filter((each) => each.offset >= offset);
    const ids = new Set([lead, ...applied.map((each) => deployment.memberAt(each)?.place.id)]);
    return isAcknowledged(record, (id) => ids.has(id), ack);
  };
  const what = `all that are in sync with ${lead} to have heard of it`;
  await waitFor(isThere, { what, withinMs: arrivesWithinMs, everyMs: lookEveryMs });
}

/**
 * A majority is in that epoch, on disk, and has voted in no later one. The vote is asked for behind the epoch: whoever gets
 * a later vote asks for the epoch behind that, and so is told this one. @throws ELECTION_LAPSED
 */
async function confirmEpoch({ sentinels }: Deployment, election: Election, lead: string): Promise<void> {
  const { epoch, runId, needed } = election;
  const isConfirmedBy = async ({ watch }: LiveSentinel) => {
    await watch.look();
    const { reachable, primary, configEpoch } = watch.seen;
    if (!reachable || primary === null || configEpoch < epoch) return false;
    const { connection } = watch.client;
    const [, vote] = await Promise.all([
      connection.call('SENTINEL', 'FLUSHCONFIG'),
      askForVote(connection, primary, epoch, runId),
    ]);
    return vote.votedFor === runId && vote.epoch === epoch;
  };
  // That of a host that is gone answers after a second, or never, and writes wait meanwhile.
  if (await enough(sentinels.map(isConfirmedBy), needed)) return;
  throw ElectionLapsed(`too few Sentinels have taken up epoch ${epoch}, in which ${lead} leads still`);
}
