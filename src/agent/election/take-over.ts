/** What the elected does, in one turn of the event loop: topology/election/turn.ts has the order and why. */
import { dieIfSabotaged, isSabotaged } from '../../base/sabotage.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { sayHello } from '../../redis/sentinel-election.ts';
import type { Member } from '../../spec/spec.ts';
import { type Election, mayAct } from '../../topology/election/election.ts';
import { failoverToWaitFor } from '../../topology/election/selection.ts';
import { turnOf } from '../../topology/election/turn.ts';
import type { View } from '../../topology/view.ts';
import { ElectionLapsed } from '../errors.ts';
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
    readonly seen: Pick<MemberObservation, 'reachable'>;
    readonly client: Pick<MemberClient, 'promote' | 'replicaOf'>;
  };
}

/** What the elected acts on. */
export interface Realm extends Electoral {
  readonly elections: Electoral['elections'] & Pick<ElectionWatch, 'colleaguesOf' | 'notePromotion'>;
  readonly members: readonly Server[];
  readonly gates: readonly {
    unit: { process: { running: boolean } } | null;
    adapter: Pick<GateAdapter, 'switchTo'>;
  }[];
  readonly spec: Electoral['spec'] & { name: string };
  /** This member is being made primary. */
  select(member: string): void;
  view(): View;
}

/**
 * Moves the primary to a member. @param lost whom it replaces, by its id. @param withinMs how old the votes may be.
 * @returns when it was promoted. @throws ELECTION_LAPSED before anything was done; REDIS_REFUSED or REDIS_UNREACHABLE when
 * it could not be promoted after the Sentinels were told
 */
export async function takeOver(
  deployment: Realm,
  election: Election,
  { lost, chosen, withinMs }: { lost: string; chosen: Server; withinMs: number },
): Promise<void> {
  const { elections, members, sentinels, setting, spec } = deployment;
  const { epoch } = election;
  const stillName = new Set(sentinels.filter(isNaming(deployment, lost)).map(({ place }) => place.id));
  const nowMs = setting.clock.monotonicMs();
  if (!mayAct(election, nowMs, withinMs, stillName) || elections.highestEpoch > epoch) {
    throw ElectionLapsed(`the votes of epoch ${epoch} are too old, or someone else was voted for since`);
  }
  const underWay = failoverToWaitFor(deployment.view(), nowMs);
  if (underWay !== undefined) {
    throw ElectionLapsed(`this agent was elected in epoch ${epoch}, and ${underWay} since`);
  }
  const actions = turnOf({
    name: spec.name,
    epoch,
    chosen: chosen.place,
    lost,
    followers: members.filter(isToFollow).map(({ place }) => place.id),
    sentinels: sentinels
      .filter(({ watch }) => watch.seen.reachable)
      .map(({ place }) => ({ id: place.id, colleagues: elections.colleaguesOf(place.id) })),
  });
  let promoted = Promise.resolve();
  // From here to the end of the loop nothing is awaited.
  for (const action of actions) {
    switch (action.kind) {
      case 'promote':
        promoted = chosen.watch.client.promote(isSabotaged('no-hello') ? [] : action.hellos);
        dieIfSabotaged('dies-after-promotion');
        break;
      case 'hello': {
        const sentinel = sentinels.find(({ place }) => place.id === action.sentinel);
        // Its colleagues tell one that can't be told now.
        if (sentinel && !isSabotaged('no-hello'))
          sayHello(sentinel.watch.client.connection, action.text).catch(() => {});
        break;
      }
      case 'follow':
        // Who does not hear it now is pointed there by its own agent.
        members
          .find(({ place }) => place.id === action.member)
          ?.watch.client.replicaOf(chosen.place)
          .catch(() => {});
        break;
      case 'tell-gates':
        dieIfSabotaged('dies-after-hello');
        tellGates(deployment, chosen, epoch);
    }
  }
  deployment.select(chosen.place.id);
  elections.notePromotion(chosen.place.id);
  await promoted;
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
