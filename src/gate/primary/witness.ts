/**
 * Who tells a gate which member is primary: each Sentinel, which votes; or, of standalone members without Sentinels, each member
 * itself, by its own data (topology/own-word.ts). What follows from what they say is primary-step.ts's, for both alike.
 */
import type { WatchedReplica } from '../../redis/sentinel-replies.ts';
import { type Endpoint, type GateConfig, majorityOf } from '../config.ts';
import { MemberWord } from './member-word.ts';
import type { PrimaryRules } from './primary-state.ts';
import { type SentinelEvents, SentinelWatch, type Vote } from './sentinel-watch.ts';

export interface Witness {
  readonly endpoint: Endpoint;
  /** Null while it says nothing. */
  readonly vote: Vote | null;
  start(): void;
  stop(): void;
  /** Asks it who is primary, unless an answer is still awaited. */
  poll(): Promise<void>;
  /** Its replicas of the deployment; null when it doesn't say. */
  replicas(): Promise<WatchedReplica[] | null>;
}

/** Where they are. */
type Places = Pick<GateConfig, 'members' | 'sentinels' | 'standalone'>;

/** Nobody votes: the members say who leads. */
function isByMembers({ sentinels, standalone }: Places): boolean {
  return standalone && sentinels.length === 0;
}

export function witnessesAt(places: Places): readonly Endpoint[] {
  return isByMembers(places) ? places.members : places.sentinels;
}

/** The epoch of a member's word only rises, so the highest counts, whoever else answers. */
export function rulesFor(places: Places, majority = majorityOf(places.sentinels.length)): PrimaryRules {
  if (isByMembers(places)) return { sentinels: places.members.length, majority: 1, byMembers: true };
  return { sentinels: places.sentinels.length, majority };
}

export function openWitness(
  endpoint: Endpoint,
  config: GateConfig,
  log: (text: string) => void,
  events: SentinelEvents,
): Witness {
  if (isByMembers(config)) return new MemberWord(endpoint, config, () => events.onVote());
  const { deployment, sentinelCredentials: credentials, tls } = config;
  return new SentinelWatch(endpoint, { deployment, credentials, tls, log }, events);
}
