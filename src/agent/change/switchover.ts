/**
 * A planned change of primary, without a client error and without a lost write.
 *
 * 1. Everything must be calm: no failover under way, the target linked.
 * 2. Votes first (agent/election/), which disturb nothing. Not elected: it is tried again for as long as a calm moment
 *    is waited for.
 * 3. The gates stop sending writes, CLIENT PAUSE WRITE stops everyone else's on the old primary, and both offsets are
 *    compared until they are equal. If they don't become so, nothing has changed: everything is released.
 * 4. In one turn: the Sentinels are told, the target is promoted, the others follow it, the gates switch.
 * 5. It is done when every Sentinel names the new primary and every replica is linked to it.
 *
 * The pause has a bound, so that a death of this agent in between leaves nothing blocked; and the votes are good for a
 * little less than that, so that a promotion never comes after it.
 */
import { errorText } from '../../base/errors.ts';
import { pause, waitFor } from '../../base/retry.ts';
import { chooseReplica } from '../../topology/election/choice.ts';
import { namedPrimary, notCalm } from '../../topology/view.ts';
import type { Deployment, LiveGate, LiveMember } from '../deployment.ts';
import { askSentinelInstead } from '../election/ask-sentinel.ts';
import { type Ballot, stand } from '../election/stand.ts';
import { takeOver } from '../election/take-over.ts';
import { SwitchoverFailed, SwitchoverRefused } from '../errors.ts';
import type { ChangeContext } from './change-context.ts';

export interface SwitchoverResult {
  from: string;
  to: string;
  /** How long writes were held back, in ms. */
  heldMs: number;
  /** From the request to the agreement of the Sentinels, in ms. */
  tookMs: number;
}

const pauseMs = 3000;
const drainWithinMs = 2000;
/** Votes, hold and drain: less than the pause. */
const actWithinMs = 2700;
const calmWithinMs = 15_000;
const attempts = 5;
const standAgainMs = 300;
const agreeWithinMs = 15_000;
/** How long a Sentinel that was asked to fail over may take. */
const promotedWithinMs = 2500;

interface Plan {
  old: LiveMember;
  target: LiveMember;
}

export async function switchover(context: ChangeContext, to: string | null): Promise<SwitchoverResult> {
  const { deployment, report, operation } = context;
  const startedMs = performance.now();
  let plan = await prepare(context, to);
  const from = plan.old.place.id;
  if (plan.target === plan.old) {
    report(`${from} is primary already`);
    return { from, to: from, heldMs: 0, tookMs: 0 };
  }
  let ballot = await stand(deployment, from);
  for (let attempt = 1; ballot.outcome !== 'elected' && attempt < attempts; attempt++) {
    if (ballot.outcome === 'not-understood') break;
    await pause(standAgainMs, operation.signal);
    plan = await prepare(context, to);
    if (plan.old.place.id !== from) break;
    ballot = await stand(deployment, from);
  }
  operation.signal.throwIfAborted();
  const { heldMs, promoted } = await change(deployment, plan, ballot, to);
  const { id } = promoted.place;
  report(`${id} is primary; writes waited ${heldMs.toFixed(0)} ms. Waiting for the Sentinels to agree`);
  await waitForAgreement(context, promoted);
  return { from, to: id, heldMs: round(heldMs), tookMs: round(performance.now() - startedMs) };
}

async function prepare(
  { deployment, observer, operation: { signal } }: ChangeContext,
  to: string | null,
): Promise<Plan> {
  const problem = { text: '' };
  const check = async () => {
    await observer.lookAtAll();
    problem.text = whyNotNow(deployment, to) ?? '';
    return problem.text === '';
  };
  await waitFor(check, { what: 'a calm moment', withinMs: calmWithinMs, everyMs: 50, signal }).catch(
    (cause) => {
      signal.throwIfAborted();
      throw SwitchoverRefused(`no switchover: ${problem.text}`, {
        hint: 'holdfast status and holdfast events show the state of each. A lost primary needs no switchover: it fails over by itself.',
        cause,
      });
    },
  );
  const old = deployment.member(namedPrimary(deployment.view())?.id ?? '');
  return { old, target: to === null ? preferred(deployment, old) : deployment.member(to) };
}

/** What stands in the way of a switchover now, or undefined. */
function whyNotNow(deployment: Deployment, to: string | null): string | undefined {
  const view = deployment.view();
  const reason = notCalm(view);
  const old = namedPrimary(view)?.id;
  if (reason !== undefined || to === old) return reason;
  const candidates = view.members.filter(({ id }) => (to === null ? id !== old : id === to));
  const fit = candidates.filter(
    ({ reachable, linkUp, priority }) => reachable && linkUp && (to !== null || priority > 0),
  );
  if (fit.length === 0)
    return to === null ? 'no replica is linked to the primary' : `${to} is not linked to the primary`;
  const disagreeing = view.sentinels.find(({ reachable, primary }) => reachable && primary !== old);
  if (disagreeing) return `${disagreeing.id} still names ${disagreeing.primary ?? 'someone else'} primary`;
  return undefined;
}

/** Whom the Sentinels would choose. A lag does not count: the drain is waited for. */
function preferred(deployment: Deployment, old: LiveMember): LiveMember {
  const candidates = deployment.members.map((member) => {
    const { reachable, linkUp, priority, offset, runId } = member.watch.seen;
    return {
      id: member.place.id,
      fit: member !== old && reachable && linkUp,
      priority,
      offset,
      runId,
      member,
    };
  });
  return chooseReplica(candidates)?.member as LiveMember;
}

async function change(
  deployment: Deployment,
  { old, target }: Plan,
  { election, outcome }: Ballot,
  to: string | null,
): Promise<{ promoted: LiveMember; heldMs: number }> {
  if (outcome === 'not-understood' && to !== null) {
    throw SwitchoverRefused(
      `the Sentinels do not answer as their protocol says, so none can be told of ${to}`,
      {
        hint: 'Without --to they are asked to fail over and choose themselves.',
      },
    );
  }
  if (outcome !== 'elected' && outcome !== 'not-understood') {
    throw SwitchoverFailed('the Sentinels did not vote for this change: someone else stands for election', {
      hint: 'Nothing was changed. holdfast events shows who else is at it.',
    });
  }
  const heldSinceMs = performance.now();
  try {
    await holdWrites(deployment, old);
    await drain(old, target);
    if (outcome === 'elected') {
      await takeOver(deployment, election, { lost: old.place.id, chosen: target, withinMs: actWithinMs });
    }
    const promoted = outcome === 'elected' ? target : await promotedBySentinel(deployment, old);
    // What is answered by READONLY from now on was not executed: the gates send it to the new one.
    await old.watch.client.unpauseWrites().catch(() => {});
    return { promoted, heldMs: performance.now() - heldSinceMs };
  } catch (cause) {
    await releaseWrites(deployment, old);
    throw SwitchoverFailed(errorText(cause), {
      hint: 'The writes that were held go on with whoever is primary. holdfast status shows who that is.',
      cause,
    });
  }
}

/** It chooses among replicas that have every write, if all drained; the others copy what they lack. */
async function promotedBySentinel(deployment: Deployment, old: LiveMember): Promise<LiveMember> {
  await askSentinelInstead(deployment);
  const isPrimary = async () => {
    const others = deployment.members.filter((member) => member !== old);
    const roles = await Promise.all(
      others.map(async (member) => (await member.watch.client.role().catch(() => null))?.role),
    );
    return others[roles.indexOf('primary')];
  };
  const found = await waitFor(isPrimary, {
    what: 'a Sentinel to promote a replica',
    withinMs: promotedWithinMs,
    everyMs: 5,
  });
  await Promise.allSettled(gatesHere(deployment).map(({ adapter }) => adapter.switchTo(found.place)));
  return found;
}

async function holdWrites(deployment: Deployment, old: LiveMember): Promise<void> {
  const gates = gatesHere(deployment).map(({ adapter }) => adapter.hold('switchover', pauseMs));
  await Promise.allSettled(gates);
  await old.watch.client.pauseWrites(pauseMs);
}

async function releaseWrites(deployment: Deployment, old: LiveMember): Promise<void> {
  await Promise.allSettled([
    old.watch.client.unpauseWrites(),
    ...gatesHere(deployment).map(({ adapter }) => adapter.release()),
  ]);
}

/** Waits until the target has everything that the paused primary has. */
async function drain(old: LiveMember, target: LiveMember): Promise<void> {
  const drained = async () => {
    const [from, to] = await Promise.all([old.watch.client.role(), target.watch.client.role()]);
    return from.role === 'primary' && to.role === 'replica' && from.offset === to.offset;
  };
  const what = `${target.place.id} to have every write`;
  await waitFor(drained, { what, withinMs: drainWithinMs, everyMs: 1 });
}

async function waitForAgreement(
  { deployment, observer, operation: { signal } }: ChangeContext,
  promoted: LiveMember,
): Promise<void> {
  const agreed = async () => {
    await observer.lookAtAll();
    const { sentinels, members } = deployment.view();
    const settled = sentinels
      .filter(({ reachable }) => reachable)
      .every(({ primary, failoverInProgress }) => primary === promoted.place.id && !failoverInProgress);
    const linked = members.filter(({ id }) => id !== promoted.place.id).filter(({ reachable }) => reachable);
    return settled && linked.every(({ linkUp }) => linkUp);
  };
  await waitFor(agreed, {
    what: 'the Sentinels to agree',
    withinMs: agreeWithinMs,
    everyMs: 10,
    signal,
  }).catch((cause) => {
    signal.throwIfAborted();
    throw SwitchoverFailed(
      `${promoted.place.id} is primary and takes writes, but after ${agreeWithinMs} ms not every Sentinel and replica follows`,
      {
        hint: 'holdfast status shows who does not. The Sentinels usually agree later by themselves.',
        cause,
      },
    );
  });
}

function gatesHere(deployment: Deployment): LiveGate[] {
  return deployment.gates.filter(({ unit }) => unit?.process.running);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
