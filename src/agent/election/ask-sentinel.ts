/**
 * For Sentinels that do not speak the protocol of votes and hello as Redis's do, or are in an epoch that nobody can be
 * elected in: one of them is asked to fail over, for which it needs no votes, and does the rest itself. That takes it some
 * 0.1 s, and the others hear of it a second later.
 */
import type { SentinelClient } from '../../redis/sentinel-client.ts';
import { FailoverRefused } from '../errors.ts';
import type { SentinelObservation } from '../observe/sentinel-observer.ts';
import type { EventLog } from '../state/event-log.ts';
import type { ElectionWatch } from './election-watch.ts';

/** What is needed to have a Sentinel fail over. */
export interface Asked {
  readonly elections: Pick<ElectionWatch, 'standAgainIn'>;
  readonly events: Pick<EventLog, 'add'>;
  readonly sentinels: readonly {
    place: { id: string };
    watch: {
      seen: Pick<SentinelObservation, 'reachable' | 'tilt'>;
      client: Pick<SentinelClient, 'quorum' | 'failover'>;
    };
  }[];
}

/** One that was asked before then would promote someone else. */
const askAgainAfterMs = 1500;

/**
 * @param why no agent can be elected. @throws FAILOVER_REFUSED when none can be asked, or it has no quorum; REDIS_REFUSED
 * for INPROG and NOGOODSLAVE
 */
export async function askSentinelInstead(deployment: Asked, why: string): Promise<void> {
  const { elections, events, sentinels } = deployment;
  const sentinel = sentinels.find(({ watch }) => watch.seen.reachable && !watch.seen.tilt);
  if (!sentinel) {
    throw FailoverRefused('no Sentinel can be asked: none answers, or all are in TILT', {
      hint: 'holdfast status shows the Sentinels. TILT ends 30 s after the machine is calm again.',
    });
  }
  const { id } = sentinel.place;
  elections.standAgainIn(askAgainAfterMs);
  const text = `${why}, so this agent can't be elected: ${id} is asked to fail over`;
  events.add('failover-asked', id, text);
  // What we see of the others is not what it sees: one that is cut off from them would promote someone unheard.
  const quorum = await sentinel.watch.client.quorum();
  if (!quorum.ok) throw FailoverRefused(`${id} has no quorum: ${quorum.reason}`);
  await sentinel.watch.client.failover();
}
