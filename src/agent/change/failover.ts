import { errorCode } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { heirs, isEligible } from '../../topology/eligibility.ts';
import { keepsInSync } from '../../topology/in-sync-set.ts';
import { hasVoters } from '../../topology/own-word.ts';
import { failoverUnderWay, namedPrimary, nobodyIsNamed, type View } from '../../topology/view.ts';
import type { ElectionWatch } from '../election/election-watch.ts';
import { type Replaceable, replacePrimary } from '../election/replace-primary.ts';
import { FailoverRefused } from '../errors.ts';
import type { Observer } from '../observe/observer.ts';
import type { Operation } from '../operations.ts';
import type { Report } from './change-context.ts';

/** Once a new primary is there, or a Sentinel is at it. */
const overWithinMs = 20_000;
/** A vote for someone else that nothing comes of is over by the next. */
const attempts = 4;

/** A primary that can't be used may hang, and is not waited for; the others have answered by then. */
const lookWithinMs = 200;

/** What a failover on request acts on. */
export interface FailoverContext {
  deployment: Replaceable & { elections: Pick<ElectionWatch, 'replacedWithin' | 'noteNamed'> };
  observer: Pick<Observer, 'lookWithin'>;
  report: Report;
  operation: Pick<Operation, 'signal' | 'unattended'>;
}

/** @param to by whom it is to be replaced; null for the one that is furthest */
interface FailoverWish {
  to: string | null;
  askedMsAgo: number;
}

/**
 * Replaces the primary now, whether it lives or not, without draining it first. Writes that had not reached the new
 * primary are lost; a planned change is what `switchover` is for. Where nobody votes it is a person's word, and `to` may be the
 * one that leads already: it leads on alone then, and writes wait for nobody before they follow it again.
 * @param askedMsAgo how long ago it was asked for: a primary that was replaced since is not replaced once more
 * @throws FAILOVER_REFUSED within some 3 s when it can't begin or is not elected; ELECTION_LAPSED
 */
export async function forceFailover(
  context: FailoverContext,
  { to: wanted = null, askedMsAgo = 0 }: Partial<FailoverWish> = {},
): Promise<{ from: string; to: string; replacedBefore: boolean }> {
  const { deployment, observer, report, operation } = context;
  await observer.lookWithin(lookWithinMs);
  const replaced = deployment.elections.replacedWithin(askedMsAgo);
  const now = namedPrimary(deployment.view())?.id;
  if (replaced !== null && now !== undefined && now !== replaced && (wanted ?? now) === now) {
    report(`${replaced} was replaced by ${now} since that was asked for`);
    return { from: replaced, to: now, replacedBefore: true };
  }
  const from = whatToReplace(deployment, wanted);
  operation.signal.throwIfAborted();
  if (hasVoters(deployment)) report(`standing for election, to replace ${from}`);
  if (wanted !== from && keepsInSync(deployment.spec) && sureOf(deployment).length === 0)
    report('warning: who takes over is not known to have all that was acknowledged: what it lacks is lost');
  const to = await replace(context, from, wanted);
  // Now, and not when the loop looks next: another command may begin at once.
  deployment.elections.noteNamed(to);
  report(`${to} is primary`);
  return { from, to, replacedBefore: false };
}

/** Those that surely have all that was acknowledged. */
function sureOf(deployment: Replaceable): string[] {
  const { spec, setting } = deployment;
  return heirs(deployment.view(), spec, setting.clock.monotonicMs()).map(({ id }) => id);
}

async function replace(context: FailoverContext, from: string, to: string | null): Promise<string> {
  let why = '';
  for (let attempt = 0; attempt < attempts; attempt++) {
    const replaced = await replacePrimary(context.deployment, from, { isAskedFor: true, to });
    if (to === from && replaced.kind === 'promoted') return from;
    if (replaced.kind !== 'not-elected') {
      return anotherThan(from, context, overWithinMs).catch((error) => {
        if (replaced.kind !== 'promoted' || !context.operation.unattended) throw error;
        // Given up too late: it is done.
        return replaced.member;
      });
    }
    why = replaced.why;
    // Whoever was voted for instead may be about to replace it.
    const instead = await anotherThan(from, context, replaced.againInMs).catch(notInTime);
    if (instead !== undefined) return instead;
  }
  throw FailoverRefused(why, {
    hint: 'Nothing was changed. holdfast status shows the Sentinels, holdfast events who else stands.',
  });
}

function notInTime(error: unknown): undefined {
  if (errorCode(error) !== 'DEADLINE_PASSED') throw error;
}

/** Whom the Sentinels name. @throws FAILOVER_REFUSED when nobody can be replaced now, or not by that one */
function whatToReplace(deployment: Replaceable, to: string | null): string {
  const view = deployment.view();
  const isByPerson = !hasVoters(view);
  const from = namedPrimary(view)?.id ?? (isByPerson ? to : null) ?? undefined;
  const underWay = failoverUnderWay(view);
  if (underWay !== undefined) {
    throw FailoverRefused(underWay, {
      hint: 'holdfast events shows how far it is. If it comes to nothing, ask again when it has ended.',
    });
  }
  if (from === undefined && isByPerson)
    throw FailoverRefused(nobodyIsNamed(view), {
      hint: 'Say which one is to lead: holdfast failover --to ID.',
    });
  if (from === undefined) {
    throw FailoverRefused(
      'no majority of Sentinels says who is primary, so none can vote on who replaces it',
      {
        hint: 'holdfast status shows the Sentinels. Those that answer agree within some seconds.',
      },
    );
  }
  if (to !== null) {
    const why = whyNotTo(view, from, to) ?? whyRatherNot(sureOf(deployment), from, to);
    if (why !== undefined)
      throw FailoverRefused(why, { hint: 'holdfast status shows how each member is. Nothing was changed.' });
    return from;
  }
  if (!view.members.some((member) => member.id !== from && isEligible(member))) {
    // Votes that are not used would hold the Sentinels back from a failover of their own.
    throw FailoverRefused(`no replica is fit to take over from ${from}`, {
      hint: 'holdfast status shows why: it must answer, be in sync, and have a replica-priority above 0.',
    });
  }
  return from;
}

/** Why this one can't be the primary from now on. */
function whyNotTo(view: View, from: string, to: string): string | undefined {
  const member = view.members.find(({ id }) => id === to);
  if (member === undefined) return `there is no member ${to}`;
  if (to === from && hasVoters(view)) return `${to} is named primary already`;
  const { reachable, busy, process, role, synced } = member;
  if (!reachable || process?.running === false) return `${to} does not answer`;
  if (busy) return `${to} is busy (${busy.code})`;
  if (role === 'replica' && !synced)
    return `${to} has not all that ${from} had: it is copied, or has never been in sync`;
  return undefined;
}

function whyRatherNot(sure: readonly string[], from: string, to: string): string | undefined {
  if (to === from || sure.length === 0 || sure.includes(to)) return undefined;
  return `${to} is not known to have all that was acknowledged, and ${sure.join(' and ')} is`;
}

/** Waits until a majority of Sentinels names another primary. */
function anotherThan(
  from: string,
  { deployment, observer, operation }: FailoverContext,
  withinMs: number,
): Promise<string> {
  const isNamed = async () => {
    await observer.lookWithin(lookWithinMs);
    const named = namedPrimary(deployment.view())?.id;
    return named !== undefined && named !== from && named;
  };
  const what = `${hasVoters(deployment) ? 'the Sentinels' : 'the members'} to name a new primary`;
  return waitFor(isNamed, { what, withinMs, everyMs: 10, signal: operation.signal });
}
