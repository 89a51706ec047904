/**
 * Where more users stop being served as well as few. A step is past the knee when one of these holds:
 *
 * - it answers less than 90% of what its users would ask for if nothing ever took time (users ÷ think time);
 * - more than 0.1% of its requests fail;
 * - its p99 is above 10 ms and above five times that of the first step.
 *
 * Where the generator's own thread was busier than 85%, it is the one that was at its limit: then nothing is known of
 * the others, and that is said instead.
 */

export interface KneeStep {
  users: number;
  rps: number;
  offeredRps: number;
  errorShare: number;
  p99Ms: number;
  utilization: number;
}

export interface Knee {
  /** The last step that was served well; null when not even the first was. */
  lastGoodUsers: number | null;
  /** The first that was not; null when every step was. */
  users: number | null;
  reason: string;
  /** True when it is the generator that could do no more. */
  generator: boolean;
}

const leastShare = 0.9;
const mostErrors = 0.001;
const slowFactor = 5;
const slowMs = 10;
const generatorFull = 0.85;

/** @param steps with more users from one to the next */
export function findKnee(steps: readonly KneeStep[]): Knee {
  const [first] = steps;
  let lastGoodUsers: number | null = null;
  for (const step of steps) {
    const reason = first && whatIsWrong(step, first);
    if (reason) {
      const generator = step.utilization > generatorFull;
      const whose = generator
        ? `; the load generator was ${percent(step.utilization)} busy: this is its limit, and theirs is not known`
        : '';
      return { lastGoodUsers, users: step.users, reason: `${reason}${whose}`, generator };
    }
    lastGoodUsers = step.users;
  }
  return { lastGoodUsers, users: null, reason: 'no knee up to here', generator: false };
}

function whatIsWrong(step: KneeStep, first: KneeStep): string | undefined {
  if (step.errorShare > mostErrors) return `${percent(step.errorShare)} of the requests failed`;
  if (step.rps < leastShare * step.offeredRps && Number.isFinite(step.offeredRps))
    return `${percent(step.rps / step.offeredRps)} of what the users would ask for was answered`;
  if (step.p99Ms > slowMs && step.p99Ms > slowFactor * first.p99Ms)
    return `p99 is ${step.p99Ms.toFixed(1)} ms, and was ${first.p99Ms.toFixed(1)} ms with ${first.users} users`;
  return undefined;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
}
