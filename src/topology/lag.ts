/** For how long replicas have been behind: what the primary had when, beside what they have now. */

/** What the primary's offset was, in bytes, when we looked. Oldest first. */
export interface OffsetSample {
  atMs: number;
  offset: number;
}

const keptSamples = 120;
/** However often is looked: the samples are to reach back a minute. */
const leastApartMs = 500;

export function addSample(samples: readonly OffsetSample[], sample: OffsetSample): readonly OffsetSample[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.atMs - last.atMs < leastApartMs) return samples;
  return [...samples, sample].slice(-keptSamples);
}

/** For how long there has been something that the replica does not have, in ms. */
export function behindForMs(samples: readonly OffsetSample[], offset: number, nowMs: number): number {
  const first = samples.find((sample) => sample.offset > offset);
  return first === undefined ? 0 : nowMs - first.atMs;
}
