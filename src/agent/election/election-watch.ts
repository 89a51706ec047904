/**
 * What the Sentinels make known of elections: in which epoch they are, whom they voted for, whether they agree that the
 * primary is down, and which colleagues each of them knows. It is heard as it happens, so that who stands need not ask.
 */
import type { Clock } from '../../base/clock.ts';
import type { Caller } from '../../redis/connection.ts';
import { askForVote, type Colleague, listColleagues } from '../../redis/sentinel-election.ts';
import { isUsableEpoch } from '../../topology/election/epoch.ts';
import type { View } from '../../topology/view.ts';
import type { SentinelObservation } from '../observe/sentinel-observer.ts';
import { isOfThisHost, newRunId, type RunIdMarks } from './run-ids.ts';

/** What is needed of a Sentinel that is watched. */
export interface WatchedSentinel {
  place: { id: string };
  watch: {
    seen: Pick<SentinelObservation, 'reachable' | 'configEpoch' | 'agreedDown' | 'primary'>;
    client: { connection: Caller };
  };
}

interface Heard {
  name: string;
  message: string;
  newPrimary: unknown;
  subject: { role: string } | undefined;
}

/**
 * A Sentinel's vote: in which epoch, whether for this agent or the one before it on this host, and when that was heard, on
 * the monotonic clock.
 */
export interface HeardVote {
  epoch: number;
  ours: boolean;
  atMs: number;
}

/** What a Sentinel answers that has voted for nobody since the last change of primary. */
export const noVote = '*';

/** Who refused to be made primary is not asked again before. */
const unwillingForMs = 15_000;

/** After these a Sentinel lists other colleagues than before. */
const colleagueEvents = new Set([
  '+sentinel',
  '+sentinel-address-switch',
  '+sentinel-invalid-addr',
  '+reset-master',
]);

export class ElectionWatch {
  readonly #clock: Clock;
  readonly #colleagues = new Map<string, readonly Colleague[]>();
  readonly #agreedDownAtMs = new Map<string, number>();
  readonly #epochListeners = new Set<(epoch: number) => void>();
  #highestEpoch = 0;
  readonly #marks: RunIdMarks;
  #vote: View['vote'] = null;
  #voteEpoch = 0;
  /** By Sentinel: its last vote that was heard of, for people. */
  readonly #votes = new Map<string, HeardVote>();
  #named: string | null = null;
  #namedSinceMs: number | null = null;
  /** Whom a majority named last; also while there is none. */
  #lastNamed: string | null = null;
  #replaced: { member: string; atMs: number } | null = null;
  #standAgainAtMs: number | null = null;
  #promoted: View['promoted'] = null;
  readonly #unwilling = new Map<string, { reason: string; atMs: number }>();

  constructor(clock: Clock, marks: RunIdMarks) {
    this.#clock = clock;
    this.#marks = marks;
  }

  /** The highest epoch that any Sentinel is known to have, or to have had. */
  get highestEpoch(): number {
    return this.#highestEpoch;
  }

  get vote(): View['vote'] {
    return this.#vote;
  }

  get votes(): ReadonlyMap<string, HeardVote> {
    return this.#votes;
  }

  /** Whom a majority of Sentinels named when that was last noted. */
  get named(): string | null {
    return this.#named;
  }

  get namedSinceMs(): number | null {
    return this.#namedSinceMs;
  }

  /** This agent stood and was not elected: when it may again. */
  get standAgainAtMs(): number | null {
    return this.#standAgainAtMs;
  }

  /** This agent is not to stand again before, unless the primary changes. */
  standAgainIn(ms: number): void {
    this.#standAgainAtMs = this.#clock.monotonicMs() + ms;
  }

  /** Whom this agent made primary, and the Sentinels do not name yet. */
  get promoted(): View['promoted'] {
    return this.#promoted;
  }

  /** Who refused lately to be made primary by this agent. */
  get unwilling(): View['unwilling'] {
    const sinceMs = this.#clock.monotonicMs() - unwillingForMs;
    return [...this.#unwilling].flatMap(([member, { reason, atMs }]) =>
      atMs < sinceMs ? [] : [{ member, reason }],
    );
  }

  /** A member refused to be made primary. @param reason what it said */
  noteRefusal(member: string, reason: string): void {
    this.#unwilling.set(member, { reason, atMs: this.#clock.monotonicMs() });
  }

  /** This agent, elected, has made a member primary. */
  notePromotion(member: string): void {
    this.#unwilling.delete(member);
    const times = this.#promoted?.member === member ? this.#promoted.times + 1 : 1;
    this.#promoted = { member, atMs: this.#clock.monotonicMs(), times };
  }

  agreedDownAtMs(sentinel: string): number | null {
    return this.#agreedDownAtMs.get(sentinel) ?? null;
  }

  colleaguesOf(sentinel: string): readonly Colleague[] {
    return this.#colleagues.get(sentinel) ?? [];
  }

  /** A run id under which nobody has stood. */
  newRunId(): string {
    return newRunId(this.#marks);
  }

  noteEpoch(epoch: number): void {
    if (!isUsableEpoch(epoch) || epoch <= this.#highestEpoch) return;
    this.#highestEpoch = epoch;
    for (const listener of [...this.#epochListeners]) listener(epoch);
  }

  /** @returns what ends the listening. */
  onEpoch(listener: (epoch: number) => void): () => void {
    this.#epochListeners.add(listener);
    return () => this.#epochListeners.delete(listener);
  }

  /** Whom a majority of Sentinels names now. @returns whether that is news. */
  noteNamed(member: string | null): boolean {
    if (member !== null && member === this.#promoted?.member) this.#promoted = null;
    if (member === this.#named) return false;
    this.#named = member;
    this.#namedSinceMs = this.#clock.monotonicMs();
    if (member === null || member === this.#lastNamed) return true;
    this.#promoted = null;
    if (this.#lastNamed !== null) this.#replaced = { member: this.#lastNamed, atMs: this.#namedSinceMs };
    this.#lastNamed = member;
    return true;
  }

  /** Who was primary last, if that one was replaced less than so long ago. */
  replacedWithin(ms: number): string | null {
    const { member, atMs } = this.#replaced ?? { member: null, atMs: 0 };
    return this.#clock.monotonicMs() - atMs < ms ? member : null;
  }

  /** A Sentinel published this. @returns whether the loop should look at once. */
  heard(sentinel: WatchedSentinel, event: Heard, name: string): boolean {
    const { id } = sentinel.place;
    const nowMs = this.#clock.monotonicMs();
    const [first = '', second = ''] = event.message.split(' ');
    if (event.name === '+new-epoch') this.noteEpoch(Number(first));
    if (colleagueEvents.has(event.name)) void this.#learnColleagues(sentinel, name);
    if (event.newPrimary !== undefined) {
      this.#vote = null;
      this.#standAgainAtMs = null;
      this.#agreedDownAtMs.delete(id);
    }
    if (event.name === '+vote-for-leader') {
      this.noteEpoch(Number(second));
      const ours = isOfThisHost(this.#marks, first);
      this.#vote = { atMs: nowMs, ours };
      this.#voteEpoch = Number(second);
      if (isUsableEpoch(Number(second))) this.#votes.set(id, { epoch: Number(second), ours, atMs: nowMs });
      return true;
    }
    // Whoever was voted for has given up, or the primary is well again: that vote is no sign of anything later.
    if (event.name === '-odown' || event.name.startsWith('-failover-abort')) this.#vote = null;
    if (event.name === '-odown') this.#agreedDownAtMs.delete(id);
    if (event.name !== '+odown' || event.subject?.role !== 'master') return false;
    this.#agreedDownAtMs.set(id, nowMs);
    return true;
  }

  /** What a Sentinel said when it was asked, for what was not heard. To be called after each look at it. */
  async observed(sentinel: WatchedSentinel, name: string): Promise<void> {
    const { id } = sentinel.place;
    const { reachable, configEpoch, agreedDown } = sentinel.watch.seen;
    if (!reachable) this.#colleagues.delete(id);
    if (!reachable || !agreedDown) this.#agreedDownAtMs.delete(id);
    if (!reachable) return;
    this.noteEpoch(configEpoch);
    if (agreedDown && !this.#agreedDownAtMs.has(id)) this.#agreedDownAtMs.set(id, this.#clock.monotonicMs());
    if (this.colleaguesOf(id).length > 0) return;
    await Promise.all([this.#learnColleagues(sentinel, name), this.#learnVote(sentinel)]);
  }

  /** A vote that was given before we listened: nobody votes in epoch 0, so that it is only told. */
  async #learnVote({ watch }: WatchedSentinel): Promise<void> {
    const { primary } = watch.seen;
    if (primary === null) return;
    const nobody = '0'.repeat(40);
    const vote = await askForVote(watch.client.connection, primary, 0, nobody).catch(() => undefined);
    if (vote === undefined || vote.votedFor === noVote) return;
    this.noteEpoch(vote.epoch);
    // How old it is nobody says: who was voted for may be about to act, unless it is dead.
    const ours = isOfThisHost(this.#marks, vote.votedFor);
    if (this.#vote !== null && (!this.#vote.ours || ours || vote.epoch < this.#voteEpoch)) return;
    this.#vote = { atMs: this.#clock.monotonicMs(), ours };
    this.#voteEpoch = vote.epoch;
  }

  async #learnColleagues({ place, watch }: WatchedSentinel, name: string): Promise<void> {
    // Whom it can't tell, its colleagues do: so a failure costs no more than a second.
    const found = await listColleagues(watch.client.connection, name).catch(() => undefined);
    if (found !== undefined) this.#colleagues.set(place.id, found);
  }
}
