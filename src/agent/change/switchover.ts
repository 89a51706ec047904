/**
 * A planned change of primary, without a client error and without a lost write.
 *
 * 1. Everything must be calm: no failover under way, the target linked and hardly behind.
 * 2. SENTINEL FAILOVER to one Sentinel. Nothing is disturbed until it selects, 60-190 ms later.
 * 3. On the selection: the gates stop sending writes, CLIENT PAUSE WRITE stops everyone else's on the old primary,
 *    and when both offsets are equal the target is promoted, the others follow it, the gates switch. A Sentinel
 *    sends its own SLAVEOF NO ONE 50-100 ms after the selection. It may not come before the last write has: so from
 *    before step 2 on those who may be selected refuse it (promotion.ts). Where that can't be arranged, or a large
 *    lag says that the drain takes long, the pause comes before step 2.
 * 4. The Sentinels' books agree before we say that it is done.
 *
 * The pause has a bound, so that a death of this agent in between leaves nothing blocked. When the change is given up, it
 * ends before step 2, or after step 3: a Sentinel that was asked can't be called back.
 */
import { errorText } from '../../base/errors.ts';
import { pause, waitFor } from '../../base/retry.ts';
import type { SentinelEvent } from '../../redis/sentinel-event.ts';
import { namedPrimary, notCalm } from '../../topology/view.ts';
import type { Deployment, LiveGate, LiveMember, LiveSentinel } from '../deployment.ts';
import { SwitchoverFailed, SwitchoverRefused } from '../errors.ts';
import type { ChangeContext } from './change-context.ts';
import { preferTarget, restorePriorities } from './priorities.ts';
import { promoteShielded, shield, unshield } from './promotion.ts';

export interface SwitchoverResult {
  from: string;
  to: string;
  /** How long writes were held back, in ms. */
  heldMs: number;
  /** From the request to the agreement of the Sentinels, in ms. */
  tookMs: number;
}

/** Above this lag the drain might not be over before Sentinel promotes by itself. */
const smallLagBytes = 64 * 1024;
/** Sentinel asks its replicas every 10 s, and selects none whose answer is older than three times that. */
const infoTooOldMs = 30_000;
const pauseMs = 3000;
const attempts = 4;
const askAgainMs = 1000;
/** Longer than Sentinel takes to learn a priority that was put back. */
const calmWithinMs = 15_000;
const selectionWithinMs = 3000;
const drainWithinMs = 2000;
const agreeWithinMs = 15_000;

interface Plan {
  old: LiveMember;
  /** Null: whomever the Sentinel selects. */
  target: LiveMember | null;
}

export async function switchover(context: ChangeContext, to: string | null): Promise<SwitchoverResult> {
  const { deployment, report } = context;
  const startedMs = performance.now();
  const plan = await prepare(context, to);
  if (plan.target === plan.old) {
    report(`${plan.old.place.id} is primary already`);
    return { from: plan.old.place.id, to: plan.old.place.id, heldMs: 0, tookMs: 0 };
  }
  try {
    if (plan.target) await preferTarget(context, plan.target);
    report(`asking the Sentinels to move the primary away from ${plan.old.place.id}`);
    const { promoted, heldMs } = await changeWhenSelectable(context, plan);
    report(
      `${promoted.place.id} is primary; writes waited ${heldMs.toFixed(0)} ms. Waiting for the Sentinels to agree`,
    );
    await waitForAgreement(context, promoted);
    const tookMs = performance.now() - startedMs;
    return { from: plan.old.place.id, to: promoted.place.id, heldMs: round(heldMs), tookMs: round(tookMs) };
  } finally {
    await restorePriorities(deployment);
  }
}

async function prepare(
  { deployment, observer, operation: { signal } }: ChangeContext,
  to: string | null,
): Promise<Plan> {
  const problem = { text: '' };
  const check = async () => {
    await observer.lookAtAll();
    problem.text = whyNotNow(deployment, to) ?? (await notSelectable(deployment, to)) ?? '';
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
  return { old, target: to === null ? null : deployment.member(to) };
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

/**
 * What would have the Sentinel answer NOGOODSLAVE. After a change of primary it knows the replicas by name only until
 * it has their INFO, and does not select one before.
 */
async function notSelectable(deployment: Deployment, to: string | null): Promise<string | undefined> {
  if (to !== null && to === namedPrimary(deployment.view())?.id) return undefined;
  const sentinel = calmSentinel(deployment);
  if (!sentinel) return 'every reachable Sentinel is in TILT';
  const replicas = await sentinel.watch.client.replicas();
  const known = replicas.filter(
    ({ flags, infoAgeMs, linkDownMs, priority }) =>
      (to !== null || priority > 0) &&
      flags.join() === 'slave' &&
      infoAgeMs < infoTooOldMs &&
      linkDownMs === 0,
  );
  const ids = known.map((replica) => deployment.memberAt(replica)?.place.id);
  if (to === null ? ids.length > 0 : ids.includes(to)) return undefined;
  return `${sentinel.place.id} has no fresh word of ${to ?? 'any replica'} yet`;
}

function calmSentinel(deployment: Deployment): LiveSentinel | undefined {
  return deployment.sentinels.find(({ watch }) => watch.seen.reachable && !watch.seen.tilt);
}

/** A Sentinel may not select anyone just then, after restarts for instance. Nothing was changed: it is asked again. */
async function changeWhenSelectable(
  context: ChangeContext,
  plan: Plan,
): Promise<{ promoted: LiveMember; heldMs: number }> {
  const { deployment, report, operation } = context;
  for (let attempt = 1; ; attempt++) {
    operation.signal.throwIfAborted();
    try {
      return await changePrimary(deployment, plan);
    } catch (error) {
      const nobodySelected = /NOGOODSLAVE|INPROG|no-good-slave|no Sentinel selected/.test(errorText(error));
      if (!nobodySelected || attempt === attempts) throw error;
      report(`not yet: ${errorText(error)}`);
      await pause(askAgainMs, operation.signal);
      const { old } = await prepare(context, plan.target?.place.id ?? null);
      if (old !== plan.old) throw error;
    }
  }
}

async function changePrimary(
  deployment: Deployment,
  plan: Plan,
): Promise<{ promoted: LiveMember; heldMs: number }> {
  const lag = await largestLagBytes(deployment, plan);
  let heldSinceMs = performance.now();
  const candidates = deployment.members.filter((member) => member !== plan.old);
  const early = !(await shieldAll(deployment, candidates)) || lag > smallLagBytes;
  if (early) await holdWrites(deployment, plan.old);
  const selection = nextSelection(deployment);
  let promoted: LiveMember | null = null;
  try {
    await askOneSentinel(deployment);
    const target = await selection.target;
    if (!early) {
      heldSinceMs = performance.now();
      await holdWrites(deployment, plan.old);
    }
    await promoteDrained(deployment, plan.old, target);
    promoted = target;
    return { promoted, heldMs: performance.now() - heldSinceMs };
  } catch (cause) {
    await releaseWrites(deployment, plan.old);
    throw SwitchoverFailed(`${cause instanceof Error ? cause.message : cause}`, {
      hint: 'The writes that were held go on with whoever is primary. holdfast status shows who that is.',
      cause,
    });
  } finally {
    selection.cancel();
    // The new primary's ends when a majority names it.
    const rest = candidates.filter((member) => member !== promoted);
    await Promise.all(rest.map((member) => unshield(deployment, member)));
  }
}

/** @returns whether nobody who answers can be promoted by a Sentinel for the moment. */
async function shieldAll(deployment: Deployment, members: LiveMember[]): Promise<boolean> {
  const reachable = members.filter(({ watch }) => watch.seen.reachable);
  const shields = await Promise.allSettled(reachable.map((member) => shield(deployment, member)));
  return shields.every(({ status }) => status === 'fulfilled');
}

/** Resolves with the member that a Sentinel selects next. */
function nextSelection(deployment: Deployment): { target: Promise<LiveMember>; cancel: () => void } {
  let cancel = () => {};
  const target = new Promise<LiveMember>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no Sentinel selected a replica within ${selectionWithinMs} ms`)),
      selectionWithinMs,
    );
    const stop = deployment.onSentinelEvent((event: SentinelEvent) => {
      const member =
        event.name === '+selected-slave' ? deployment.memberAt(event.subject ?? null) : undefined;
      if (member) resolve(member);
      if (event.name.startsWith('-failover-abort')) reject(new Error(`the Sentinels gave up: ${event.name}`));
    });
    cancel = () => {
      clearTimeout(timer);
      stop();
    };
  });
  // Whoever waits gets the rejection; while nobody does yet, it must not end the process.
  target.catch(() => {});
  return { target, cancel };
}

async function askOneSentinel(deployment: Deployment): Promise<void> {
  const sentinel = calmSentinel(deployment);
  if (!sentinel) throw new Error('every reachable Sentinel is in TILT');
  const quorum = await sentinel.watch.client.quorum();
  if (!quorum.ok) throw new Error(quorum.reason);
  await sentinel.watch.client.failover();
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

/** Promotes the target once it has everything that the paused primary has, and turns everyone towards it. */
async function promoteDrained(deployment: Deployment, old: LiveMember, target: LiveMember): Promise<void> {
  const drained = async () => {
    const [from, to] = await Promise.all([old.watch.client.role(), target.watch.client.role()]);
    if (to.role === 'primary') return 'too late';
    return from.role === 'primary' && to.role === 'replica' && from.offset === to.offset && 'drained';
  };
  const found = await waitFor(drained, {
    what: `${target.place.id} to have every write`,
    withinMs: drainWithinMs,
    everyMs: 1,
  });
  if (found === 'too late') throw new Error(`${target.place.id} was promoted before it had every write`);
  await promoteShielded(deployment, target);
  await Promise.allSettled([
    ...gatesHere(deployment).map(({ adapter }) => adapter.switchTo(target.place)),
    ...deployment.members
      .filter((member) => member !== target)
      .map(({ watch }) => watch.client.replicaOf(target.place)),
  ]);
  await old.watch.client.unpauseWrites().catch(() => {});
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
  const what = 'the Sentinels to agree';
  await waitFor(agreed, { what, withinMs: agreeWithinMs, everyMs: 50, signal }).catch((cause) => {
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

/**
 * How far the target, or whoever may become it, is behind. The replicas themselves are asked: what the primary knows of
 * them is up to a second old, and under load that alone would look like a large lag.
 */
async function largestLagBytes(deployment: Deployment, { old, target }: Plan): Promise<number> {
  const role = await old.watch.client.role();
  if (role.role !== 'primary') return Number.POSITIVE_INFINITY;
  const candidates =
    target === null ? role.replicas.map((replica) => deployment.memberAt(replica)) : [target];
  const lags = await Promise.all(candidates.map((member) => lagBehind(role.offset, member)));
  return Math.max(...(lags.length === 0 ? [Number.POSITIVE_INFINITY] : lags));
}

async function lagBehind(offset: number, member: LiveMember | undefined): Promise<number> {
  const role = await member?.watch.client.role().catch(() => undefined);
  return role?.role === 'replica' ? offset - role.offset : Number.POSITIVE_INFINITY;
}

function gatesHere(deployment: Deployment): LiveGate[] {
  return deployment.gates.filter(({ part }) => part?.process.running);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
