/** What the elected does: topology/election/turn.ts has the order and why. */
import { enough } from '../../base/enough.ts';
import { errorCode, errorText } from '../../base/errors.ts';
import { within } from '../../base/retry.ts';
import { dieIfSabotaged, isSabotaged } from '../../base/sabotage.ts';
import { refusalKind, refusalReply } from '../../redis/errors.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { sayHello } from '../../redis/sentinel-election.ts';
import type { Member } from '../../spec/spec.ts';
import { type Election, mayAct } from '../../topology/election/election.ts';
import { failoverToWaitFor } from '../../topology/election/selection.ts';
import { type Turn, type TurnAction, turnOf } from '../../topology/election/turn.ts';
import { encodeInSync, firstRecord } from '../../topology/in-sync-record.ts';
import { keepsInSync } from '../../topology/in-sync-set.ts';
import { hasVoters } from '../../topology/own-word.ts';
import type { View } from '../../topology/view.ts';
import { ElectionLapsed, PromotionRefused, PromotionUnanswered } from '../errors.ts';
import type { MemberObservation } from '../observe/member-watch.ts';
import type { GateAdapter } from '../units/gate-adapter.ts';
import type { ElectionWatch } from './election-watch.ts';
import { type Electoral, isNaming } from './stand.ts';

/** A member that can be told whom to follow. */
export interface Server {
  readonly place: Member;
  /** Null for a member of another host. */
  readonly unit: { process: { running: boolean } } | null;
  readonly watch: {
    readonly seen: Pick<MemberObservation, 'reachable' | 'inSync'>;
    readonly client: Pick<MemberClient, 'promote' | 'replicaOf' | 'fence'>;
  };
}

/** What the elected acts on. */
export interface Realm extends Electoral {
  readonly elections: Electoral['elections'] &
    Pick<ElectionWatch, 'colleaguesOf' | 'notePromotion' | 'noteRefusal'>;
  readonly members: readonly Server[];
  readonly gates: readonly {
    unit: { process: { running: boolean } } | null;
    adapter: Pick<GateAdapter, 'switchTo'>;
  }[];
  readonly spec: Electoral['spec'] & { name: string } & Parameters<typeof keepsInSync>[0];
  /** This member is being made primary. */
  select(member: string): void;
  endSelection(): void;
  view(): View;
}

/** The one that is to be primary, for whom, and how old the votes may be. */
export interface Takeover {
  /** Whom it replaces, by its id. */
  lost: string;
  chosen: Server;
  withinMs: number;
  /** Hears of each member that may not be told to follow, and what it said. */
  onRefusal?: OnRefusal;
}

type OnRefusal = (member: string, said: string) => void;

/**
 * Moves the primary to a member. What that one answers decides whether anybody else is told. @returns when all were told.
 * @throws ELECTION_LAPSED before anything was done, or when someone else was voted for while the chosen one was promoted;
 * PROMOTION_REFUSED when it refused: nobody else was told; PROMOTION_UNANSWERED when it did not answer in time
 */
export async function takeOver(deployment: Realm, election: Election, takeover: Takeover): Promise<void> {
  const { elections, setting } = deployment;
  const { lost, chosen, withinMs } = takeover;
  const { epoch } = election;
  const stillName = new Set(
    deployment.sentinels.filter(isNaming(deployment, lost)).map(({ place }) => place.id),
  );
  const nowMs = setting.clock.monotonicMs();
  if (!mayAct(election, nowMs, withinMs, stillName) || elections.highestEpoch > epoch) {
    throw ElectionLapsed(`the votes of epoch ${epoch} are too old, or someone else was voted for since`);
  }
  const underWay = failoverToWaitFor(deployment.view(), nowMs);
  if (underWay !== undefined) {
    throw ElectionLapsed(`this agent was elected in epoch ${epoch}, and ${underWay} since`);
  }
  const [first, ...rest] = turn(deployment, election, takeover);
  deployment.select(chosen.place.id);
  try {
    await promote(deployment, chosen, { ...first, epoch }, election.askedAtMs + withinMs - nowMs);
  } catch (cause) {
    deployment.endSelection();
    throw cause;
  }
  elections.notePromotion(chosen.place.id);
  if (setting.clock.monotonicMs() - election.askedAtMs > withinMs || elections.highestEpoch > epoch) {
    const who = `${chosen.place.id} was promoted in epoch ${epoch}`;
    throw ElectionLapsed(`${who}, and its answer came too late, or someone else was voted for since`);
  }
  tell(deployment, rest, epoch, takeover);
}

/** The chosen one is primary, as the Sentinels say by now: everybody else is told. */
export function tellTheRest(
  deployment: Realm,
  election: Election,
  takeover: Omit<Takeover, 'withinMs'>,
): void {
  const [, ...rest] = turn(deployment, election, takeover);
  tell(deployment, rest, election.epoch, takeover);
}

/** Has every other member follow this one, which is primary already. Nothing is awaited. */
export function pointAt(
  { members }: Pick<Realm, 'members'>,
  chosen: Server,
  onRefusal: OnRefusal = () => {},
): void {
  for (const member of members.filter(isToFollow))
    if (member !== chosen) follow(member, chosen, undefined, onRefusal);
}

/** Who does not hear it now is pointed there by its own agent. Who may not be told is not: somebody has to hear of that. */
function follow(
  { place, watch }: Server,
  chosen: Server,
  epoch: number | undefined,
  onRefusal: OnRefusal,
): void {
  watch.client.replicaOf(chosen.place, epoch).catch((error) => {
    if (refusalKind(error) === 'NOPERM') onRefusal(place.id, refusalReply(error)?.text ?? errorText(error));
  });
}

/** Nothing is awaited. */
function tell(
  deployment: Realm,
  actions: readonly TurnAction[],
  epoch: number,
  takeover: Pick<Takeover, 'chosen' | 'onRefusal'>,
): void {
  for (const action of actions) act(deployment, action, epoch, takeover);
}

function turn(
  deployment: Realm,
  { epoch }: Election,
  { lost, chosen }: Pick<Takeover, 'lost' | 'chosen'>,
): Turn {
  const { elections, members, sentinels, spec } = deployment;
  return turnOf({
    name: spec.name,
    epoch,
    chosen: chosen.place,
    lost,
    followers: members.filter(isToFollow).map(({ place }) => place.id),
    sentinels: sentinels
      .filter(({ watch }) => watch.seen.reachable)
      .map(({ place }) => ({ id: place.id, colleagues: elections.colleaguesOf(place.id) })),
  });
}

/** @param withinMs no longer than that it is waited for: then the votes are stale. */
async function promote(
  { setting, elections, spec }: Realm,
  { place, watch }: Server,
  { hellos, epoch }: Turn[0] & { epoch: number },
  withinMs: number,
): Promise<void> {
  const inSync = keepsInSync(spec) ? encodeInSync(firstRecord(place.id, epoch)) : null;
  const answer = watch.client.promote(isSabotaged('no-hello') ? [] : hellos, { inSync, epoch });
  dieIfSabotaged('dies-after-promotion');
  const late = Symbol('late');
  let outcome: unknown = late;
  const note = (found: unknown) => {
    outcome = found;
  };
  await within(setting.clock, withinMs, answer.then(note, note));
  // When this process stood still the answer is read first.
  if (outcome === late) await new Promise((resolve) => setImmediate(resolve));
  if (outcome === undefined) return;
  const isRefusal = /^(REDIS_REFUSED|MEMBER_TOLD_LATER)$/.test(errorCode(outcome) ?? '');
  const said = outcome === late ? `no answer within ${Math.round(withinMs)} ms` : errorText(outcome);
  if (isRefusal) elections.noteRefusal(place.id, said);
  const text = `${place.id} could not be made primary: ${said}`;
  const cause = outcome === late ? {} : { cause: outcome };
  if (!isRefusal)
    throw PromotionUnanswered(text, { hint: 'holdfast status shows the state of each.', ...cause });
  throw PromotionRefused(text, {
    hint: 'Nobody else was told. NOPERM: somebody took rights from the user holdfast-agent; holdfast apply gives them back.',
    ...cause,
  });
}

/**
 * Tells the Sentinels that a primary stays, in the epoch of a new election, until as many have heard it as had to vote. A hello of
 * an earlier one, from whoever carries out late what it was told, is no news to them then.
 */
export async function stay(deployment: Realm, election: Election, primary: Server): Promise<void> {
  const [, ...actions] = turn(deployment, election, { lost: primary.place.id, chosen: primary });
  // Where nobody votes it is the primary itself whose word must be later than what the other may be told yet.
  if (!hasVoters(deployment)) return await leadOn(primary, election.epoch).catch(() => {});
  const told = actions.map(async (action) => {
    const sentinel =
      action.kind === 'hello' && deployment.sentinels.find(({ place }) => place.id === action.sentinel);
    if (!sentinel) return false;
    await sayHello(sentinel.watch.client.connection, action.text);
    return true;
  });
  await enough(told, election.needed);
}

/**
 * Tells a member that it leads, in this epoch, where nobody votes. Who is in sync with it is so in the same epoch: nobody has left.
 * @throws REDIS_UNREACHABLE, REDIS_REFUSED
 */
export async function leadOn({ watch }: Pick<Server, 'watch'>, epoch: number): Promise<void> {
  const { inSync } = watch.seen;
  const record = inSync === null ? {} : { inSync: encodeInSync({ ...inSync, epoch }) };
  await watch.client.promote([], { epoch, ...record });
}

function act(
  deployment: Realm,
  action: TurnAction,
  epoch: number,
  { chosen, onRefusal = () => {} }: Pick<Takeover, 'chosen' | 'onRefusal'>,
): void {
  switch (action.kind) {
    case 'hello': {
      dieIfSabotaged('dies-after-follow');
      const sentinel = deployment.sentinels.find(({ place }) => place.id === action.sentinel);
      // Its colleagues tell one that can't be told now.
      if (sentinel && !isSabotaged('no-hello'))
        sayHello(sentinel.watch.client.connection, action.text).catch(() => {});
      return;
    }
    case 'follow': {
      const member = deployment.members.find(({ place }) => place.id === action.member);
      if (member) follow(member, chosen, epoch, onRefusal);
      return;
    }
    case 'tell-gates':
      dieIfSabotaged('dies-after-hello');
      tellGates(deployment, chosen, epoch);
  }
}

/** Also one of ours that is silent: it finds the order when it wakes, before it can take many writes. */
function isToFollow({ watch, unit }: Server): boolean {
  return watch.seen.reachable || unit?.process.running === true;
}

function tellGates({ gates }: Realm, { place }: Server, epoch: number): void {
  // They find out for themselves; being told is sooner.
  for (const { unit, adapter } of gates)
    if (unit?.process.running) adapter.switchTo(place, epoch).catch(() => {});
}
