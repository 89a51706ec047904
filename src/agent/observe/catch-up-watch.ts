import {
  type CatchUpStage,
  type MemberSeen,
  noCatchUps,
  type PrimarySeen,
  stepCatchUps,
} from '../../topology/catch-up.ts';
import type { MemberObservation } from './member-watch.ts';

/** What is needed of a member. */
interface Watched {
  place: { id: string; address: string; port: number };
  watch: {
    seen: Pick<
      MemberObservation,
      'reachable' | 'busy' | 'locksOut' | 'role' | 'runId' | 'priority' | 'offset' | 'onlineReplicas'
    >;
    lastAnswerMs: number;
  };
}

/** Follows how far each replica is on its way to be one that has all that is acknowledged: topology/catch-up.ts. */
export class CatchUpWatch {
  #known = noCatchUps;

  /** Null for one that was never seen. */
  stageOf(member: string): CatchUpStage | null {
    return this.#known.members.get(member)?.stage ?? null;
  }

  /** To be called when members were looked at. @param primary the id of the one that acts as primary */
  note(members: readonly Watched[], primary: string | null, nowMs: number): void {
    const answering = members.filter(
      ({ watch: { seen } }) => seen.reachable && seen.busy === null && seen.locksOut === null,
    );
    const acting = answering.find(({ place }) => place.id === primary);
    const seen = answering.flatMap(({ place, watch }): MemberSeen[] => {
      const { role, runId, priority } = watch.seen;
      return role === null || runId === '' ? [] : [{ id: place.id, runId, role, priority }];
    });
    this.#known = stepCatchUps(this.#known, acting ? primarySeen(acting, members) : null, seen, nowMs);
  }
}

function primarySeen({ place, watch }: Watched, members: readonly Watched[]): PrimarySeen {
  const { runId, offset, onlineReplicas } = watch.seen;
  const online = members.flatMap((each): [string, number][] => {
    const { id, address, port } = each.place;
    const listed = onlineReplicas.find((other) => other.address === address && other.port === port);
    return listed === undefined ? [] : [[id, listed.offset]];
  });
  return { id: place.id, runId, offset, seenAtMs: watch.lastAnswerMs, online: new Map(online) };
}
