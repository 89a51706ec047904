/**
 * A planned change of primary, without a client error and without a lost write.
 *
 * 1. Everything must be calm: no failover under way, the target linked, with room on its disk, and the others able to follow it
 *    (plan-switchover.ts). A primary that was lost since the switchover was asked for was moved by that: it is not moved once
 *    more, unless the target is named.
 * 2. Votes first (agent/election/), which disturb nothing. Not elected: it is tried again for as long as a calm moment
 *    is waited for.
 * 3. The gates stop sending writes, CLIENT PAUSE WRITE stops everyone else's on the old primary, for a moment that is renewed, and both
 *    offsets are compared until they are equal. Then they hold for longer, and it has no more than it had, so that it was paused all the
 *    time. If they don't become equal, nothing has changed: everything is released.
 * 4. In one turn: the target is promoted and tells the Sentinels, the others follow it, the gates switch.
 * 5. It is done when every Sentinel names the new primary, every replica that had a link is linked to it and it takes writes; and ends
 *    when that one was replaced, or when one may not be told whom to follow.
 *
 * A target that does not answer may yet carry out what it was told, when it answers again. So writes stay held until the
 * Sentinels have it by a later epoch that the old primary stays; then its word is no news to them. What they say behind that
 * is what became of the switchover.
 *
 * Given up, it waits for no answer: whoever it asked may have been stopped, and that may be why. Once the turn has begun it can't be
 * given up: who asks for that then hears that it is done, though the agreement of step 5 is not waited for.
 *
 * A death of this agent in between leaves writes blocked for half a second. The hold for the turn is longer, because the target may take a
 * while to be promoted; the votes are good for a little less than that, so that a promotion never comes after it.
 */
import { errorCode, errorText } from '../../base/errors.ts';
import { hopeless, pause, unlessAborted, waitFor } from '../../base/retry.ts';
import { dieIfSabotaged } from '../../base/sabotage.ts';
import { hasVoters } from '../../topology/own-word.ts';
import { namedPrimary } from '../../topology/view.ts';
import { askSentinelInstead } from '../election/ask-sentinel.ts';
import { notElected } from '../election/not-elected.ts';
import { type Ballot, stand, whyNever } from '../election/stand.ts';
import { pointAt, stay, type Takeover, takeOver, tellTheRest } from '../election/take-over.ts';
import { OperationAborted, SwitchoverFailed, SwitchoverRefused } from '../errors.ts';
import { waitForAgreement, whoIsUnlinked } from './await-agreement.ts';
import type { Movable, Mover, SwitchoverContext } from './movable.ts';
import { type Plan, prepare } from './plan-switchover.ts';
import { whenItTakesWrites } from './takes-writes.ts';

export interface SwitchoverResult {
  from: string;
  to: string;
  /** How long writes were held back, in ms: until the new primary took them. */
  heldMs: number;
  /** From the request to the agreement of the Sentinels, in ms. */
  tookMs: number;
}

/** For the turn. */
const pauseMs = 3000;
/** While the target catches up: how long an agent that dies then leaves writes blocked, and how soon it is renewed. */
const sliceMs = 500;
const renewMs = 200;
const drainWithinMs = 2000;
/** Votes, hold and drain: less than the pause. */
const actWithinMs = 2700;
/** Who does not answer in this time takes no writes either. */
const holdAgainWithinMs = 300;
const settledWithinMs = 300;
/** Everybody is busy with the writes that waited, and the replicas with following: for so long nobody is asked whether all agree. */
const settlesMs = 20;
const attempts = 5;
const standAgainMs = 300;
/** How long a Sentinel that was asked to fail over may take. */
const promotedWithinMs = 2500;

/**
 * @param to the member that becomes primary; null for the one that the Sentinels would choose
 * @param askedMsAgo how long ago it was asked for: a primary that was replaced since is not moved once more
 */
export async function switchover(
  context: SwitchoverContext,
  to: string | null,
  askedMsAgo = 0,
): Promise<SwitchoverResult> {
  const { deployment, report, operation } = context;
  const startedMs = performance.now();
  const asked = deployment.elections.replacedWithin(askedMsAgo) ?? namedPrimary(deployment.view())?.id;
  let plan = await prepare(context, to, asked);
  const from = plan.old.place.id;
  if (plan.target === plan.old) {
    report(`${from} is primary already`);
    return { from, to: from, heldMs: 0, tookMs: 0 };
  }
  let ballot = await stand(deployment, from);
  for (let attempt = 1; ballot.outcome !== 'elected' && attempt < attempts; attempt++) {
    if (whyNever(ballot.outcome) !== null) break;
    await pause(standAgainMs, operation.signal);
    plan = await prepare(context, to, from);
    if (plan.old.place.id !== from) break;
    ballot = await stand(deployment, from);
  }
  operation.signal.throwIfAborted();
  const unlinked = new Set(whoIsUnlinked(deployment.view(), from));
  const refusals = new Map<string, string>();
  const onRefusal = (member: string, said: string) => void refusals.set(member, said);
  const { heldSinceMs, promoted } = await change(context, { ...plan, onRefusal }, ballot, to);
  const { id } = promoted.place;
  report(`${id} is primary. Waiting for ${hasVoters(deployment) ? 'the Sentinels' : 'all'} to agree`);
  const over = new AbortController();
  const taken = whenItTakesWrites(promoted, deployment.spec.redis.minReplicasToWrite, over.signal);
  // Of the epoch of a Sentinel that was asked to fail over nothing is known.
  const epoch = ballot.outcome === 'elected' ? ballot.election.epoch : Number.POSITIVE_INFINITY;
  await pause(settlesMs, operation.signal).catch(() => {});
  const agreed = waitForAgreement(context, { from, to: id, epoch, unlinked, refusals, takesWrites: taken });
  const without = await agreed.catch((error) => {
    over.abort();
    if (!operation.signal.aborted) throw error;
    // Given up too late: it is done.
    if (operation.unattended) return [];
    throw OperationAborted(`${id} was made primary. ${errorText(error)}`, { cause: error });
  });
  if (without.length > 0)
    report(`warning: ${list(without)} had no link to the primary before, and has none now`);
  const heldMs = ((await taken) ?? performance.now()) - heldSinceMs;
  // Now, and not when the loop looks next: another command may begin at once.
  if (!operation.signal.aborted) deployment.elections.noteNamed(id);
  return { from, to: id, heldMs: round(heldMs), tookMs: round(performance.now() - startedMs) };
}

/** Who moves where, and who hears of a member that may not be told to follow. */
type Move = Plan & Pick<Takeover, 'onRefusal'>;

async function change(
  context: SwitchoverContext,
  plan: Move,
  { election, outcome }: Ballot,
  to: string | null,
): Promise<{ promoted: Mover; heldSinceMs: number }> {
  const { deployment, operation } = context;
  const { signal } = operation;
  const { old, target, onRefusal } = plan;
  const takeover = { lost: old.place.id, chosen: target, ...(onRefusal && { onRefusal }) };
  const never = whyNever(outcome);
  if (never !== null && to !== null) {
    throw SwitchoverRefused(`${never}, so none can be told of ${to}`, {
      hint: 'Without --to they are asked to fail over and choose themselves.',
    });
  }
  if (outcome !== 'elected' && never === null) {
    throw SwitchoverFailed(notElected(election), {
      hint: 'Nothing was changed. holdfast status shows the Sentinels, holdfast events who else stood for election.',
    });
  }
  const heldSinceMs = performance.now();
  const heldAtMs = deployment.setting.clock.monotonicMs();
  try {
    await unlessAborted(holdAtGates(deployment, target, sliceMs), signal);
    await drain(deployment, plan, heldAtMs, signal);
    if (outcome === 'elected') {
      await takeOver(deployment, election, { ...takeover, withinMs: actWithinMs });
    }
    const promoted = never === null ? target : await promotedBySentinel(deployment, plan, never);
    // What is answered by READONLY from now on was not executed: the gates send it to the new one.
    old.watch.client.unpauseReplaced(promoted.place, election.epoch).catch(() => {});
    return { promoted, heldSinceMs };
  } catch (cause) {
    if (isPromised(cause) && (await isCarriedOut(context, plan))) {
      tellTheRest(deployment, election, takeover);
      old.watch.client.unpauseReplaced(target.place, election.epoch).catch(() => {});
      return { promoted: target, heldSinceMs };
    }
    await releaseWrites(deployment, old);
    signal.throwIfAborted();
    throw errorCode(cause) === 'SWITCHOVER_FAILED' ? cause : failureOf(cause, target);
  }
}

function failureOf(cause: unknown, { place: { id } }: Mover): Error {
  const goOn = 'The writes that were held go on with whoever is primary. holdfast status shows who that is';
  if (errorCode(cause) !== 'PROMOTION_UNANSWERED')
    return SwitchoverFailed(errorText(cause), { hint: `${goOn}.`, cause });
  return SwitchoverFailed(
    `${id} did not answer when it was to be made primary, and the Sentinels do not name it`,
    {
      hint: `${goOn}, and holdfast events what became of ${id}.`,
      cause,
    },
  );
}

/** The target was told to be primary, and what it does about that is not known. */
function isPromised(cause: unknown): boolean {
  return /^(PROMOTION_UNANSWERED|ELECTION_LAPSED)$/.test(errorCode(cause) ?? '');
}

/** Settles whether the target is primary: by the Sentinels' word, which no later one of its own changes. */
async function isCarriedOut(
  { deployment, observer, operation: { signal } }: SwitchoverContext,
  { old, target }: Plan,
): Promise<boolean> {
  const held = holdWrites(deployment, { old, target }, signal).catch(() => {});
  await Promise.race([held, pause(holdAgainWithinMs, signal)]).catch(() => {});
  // Sentinels that name the target already have no vote for the old one.
  const { outcome, election } = await stand(deployment, old.place.id);
  if (outcome === 'elected') await stay(deployment, election, old);
  // The target may answer nobody still.
  await observer.lookWithin(settledWithinMs);
  return namedPrimary(deployment.view())?.id === target.place.id;
}

/**
 * It chooses among replicas that have every write, if all drained; the others copy what they lack. The Sentinel would tell
 * them when it gets to it, up to ten seconds later, and the old primary would take writes again until then.
 */
async function promotedBySentinel(
  deployment: Movable,
  { old, onRefusal }: Move,
  why: string,
): Promise<Mover> {
  await askSentinelInstead(deployment, why);
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
  pointAt(deployment, found, onRefusal);
  await Promise.allSettled(gatesHere(deployment).map(({ adapter }) => adapter.switchTo(found.place)));
  return found;
}

async function holdWrites(
  deployment: Movable,
  { old, target }: Pick<Plan, 'old' | 'target'>,
  signal: AbortSignal,
): Promise<void> {
  await holdAtGates(deployment, target, pauseMs);
  signal.throwIfAborted();
  await old.watch.client.pauseWrites(pauseMs);
}

/** @returns when what they had sent is answered */
async function holdAtGates(deployment: Movable, target: Mover, forMs: number): Promise<void> {
  const gates = gatesHere(deployment).map(({ adapter }) => adapter.hold('switchover', forMs, target.place));
  await Promise.allSettled(gates);
}

/** The primary may be what hangs: its answer is not waited for. */
async function releaseWrites(deployment: Movable, old: Mover): Promise<void> {
  old.watch.client.unpauseWrites().catch(() => {});
  await Promise.allSettled(gatesHere(deployment).map(({ adapter }) => adapter.release()));
}

/**
 * Pauses the primary, and waits until the target has everything that it has. One of them that is gone is not waited for. In the end both it
 * and the gates hold for as long as the turn may take, and no shorter hold is under way to a gate: it would end that one early.
 *
 * @param heldAtMs when the gates were asked to hold
 */
async function drain(
  deployment: Movable,
  { old, target }: Pick<Plan, 'old' | 'target'>,
  heldAtMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deployment.setting;
  let heldMs = heldAtMs;
  let held = Promise.resolve();
  const drained = async () => {
    const [from, to] = await Promise.all([
      old.watch.client.roleInPause(sliceMs).catch(isLost(primaryGone(old))),
      target.watch.client.role().catch(isLost(targetGone(old, target))),
    ]);
    // Given up meanwhile, everything was released.
    signal.throwIfAborted();
    dieIfSabotaged('dies-holding');
    const isBehind = from.role !== 'primary' || to.role !== 'replica' || from.offset !== to.offset;
    if (isBehind && clock.monotonicMs() - heldMs > renewMs) {
      heldMs = clock.monotonicMs();
      held = holdAtGates(deployment, target, sliceMs);
    }
    if (isBehind) return false;
    await unlessAborted(held, signal);
    // Had the pause been over in between, the primary would have more now.
    const [still] = await Promise.all([
      old.watch.client.roleInPause(pauseMs).catch(isLost(primaryGone(old))),
      // A gate that hangs sends nothing either.
      Promise.race([holdAtGates(deployment, target, pauseMs), pause(holdAgainWithinMs, signal)]),
    ]);
    return still.role === 'primary' && still.offset === to.offset;
  };
  const what = `${target.place.id} to have every write`;
  await waitFor(drained, { what, withinMs: drainWithinMs, everyMs: 1, signal });
}

/** What is said instead of a member that can't be reached: its connection's own words name a socket. */
type Loss = (cause: unknown) => Error;

function isLost(loss: Loss): (error: unknown) => never {
  return (error) => {
    throw errorCode(error) === 'REDIS_UNREACHABLE' ? hopeless(loss(error)) : error;
  };
}

function primaryGone({ place: { id } }: Mover): Loss {
  return (cause) =>
    SwitchoverFailed(`the primary ${id} stopped answering while its writes were held`, {
      hint: 'Nobody was made primary by this command. A lost primary is replaced without it; holdfast events shows how.',
      cause,
    });
}

function targetGone({ place: { id: from } }: Mover, { place: { id } }: Mover): Loss {
  return (cause) =>
    SwitchoverFailed(`${id} stopped answering before it had every write, so it was not made primary`, {
      hint: `Nothing was changed: the writes that were held go on at ${from}. holdfast events says what became of ${id}; ask again when holdfast status shows it up, or let another one take over.`,
      cause,
    });
}

function gatesHere(deployment: Movable): Movable['gates'][number][] {
  return deployment.gates.filter(({ unit }) => unit?.process.running);
}

function list(ids: readonly string[]): string {
  return ids.join(' and ');
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
