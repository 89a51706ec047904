/**
 * When an upstream connection writes what it has collected, and how much may be unanswered on it.
 *
 * **Moderation.** Every write wakes the server, and each of its answers wakes the gate. Where a processor has to be
 * woken for that, it costs more than executing a dozen requests. So while requests come fast, a write waits until a
 * good part of the clients have something in it, or as long as that should take: what network cards do when they
 * moderate their interrupts. While requests come slowly, nothing waits.
 *
 * **Window.** A server keeps the replies that a connection has not taken yet in a list. When those are long, hundreds
 * of requests at once make it larger than a processor's cache, and every reply goes through memory twice. So only as
 * many requests are written as should have this much to answer; the rest follow as answers come.
 */

/** Runs of requests closer together than this come fast: 60,000 a second. */
const fastGapMs = 0.016;
/** Nothing waits longer than this for others. */
const longestWaitMs = 0.4;
/** A write is worth it when it has this many runs, or this share of those that were under way at a time. */
const worthRuns = 32;
const worthShare = 0.65;
/** One write says little about how fast requests come. */
const gapWeight = 0.1;
const peakWeight = 0.02;

const windowBytes = 1024 * 1024;
/** Before the first answers nobody knows how long they will be. */
const firstReplyBytes = 16 * 1024;
/** So many answers are enough to say how long the others will be. */
const sampleAnswers = 8;
const longerWeight = 0.25;
const shorterWeight = 0.5;

export class Pace {
  /** Runs collected since the last write. */
  #collected = 0;
  #collectedSince = 0;
  #wroteAt = 0;
  /** Between two runs, in ms, as of late. A connection that was idle has a long one. */
  #gapMs = 1;
  /** Runs that were collected or under way at a time, as of late. */
  #peak = 0;
  #replyBytes = firstReplyBytes;
  #sampled = false;
  #answers = 0;
  #answerBytes = 0;

  /** One run more is there to be written. */
  collect(nowMs: number): void {
    if (this.#collected++ === 0) this.#collectedSince = nowMs;
  }

  /** Whether a write should wait for more; `runs` is how many are collected or under way. */
  waits(nowMs: number, runs: number): boolean {
    if (this.#gapMs > fastGapMs) return false;
    const worth = Math.min(worthRuns, Math.max(runs, this.#peak) * worthShare);
    const waitMs = Math.min(longestWaitMs, worth * this.#gapMs);
    return this.#collected < worth && nowMs - this.#collectedSince < waitMs;
  }

  /** What was collected is being written; `runs` is how many there are with those under way. */
  wrote(nowMs: number, runs: number): void {
    if (this.#collected === 0) return;
    const gapMs = Math.min(1, (nowMs - this.#wroteAt) / this.#collected);
    this.#gapMs += (gapMs - this.#gapMs) * gapWeight;
    this.#peak = Math.max(runs, this.#peak - (this.#peak - runs) * peakWeight);
    this.#wroteAt = nowMs;
    this.#collected = 0;
  }

  /** How many requests may be written and not answered; less than one means one at a time. */
  get window(): number {
    return windowBytes / this.#replyBytes;
  }

  /** So many requests got replies of so many bytes. */
  answered(requests: number, bytes: number): void {
    this.#answers += requests;
    this.#answerBytes += bytes;
    if (this.#answers < sampleAnswers) return;
    const sample = Math.max(1, this.#answerBytes / this.#answers);
    const weight = !this.#sampled ? 1 : sample > this.#replyBytes ? longerWeight : shorterWeight;
    this.#sampled = true;
    this.#replyBytes += (sample - this.#replyBytes) * weight;
    this.#answers = 0;
    this.#answerBytes = 0;
  }
}
