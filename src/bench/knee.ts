/**
 * Where more users stop being served as well as few. A step is past the knee when one of these holds:
 *
 * - it answers less than 90% of what its users would ask for if nothing ever took time (users ÷ think time);
 * - more than 0.1% of its requests fail;
 * - its p99 is above 10 ms and above five times the lowest of the steps before it.
 *
 * Where the generator's own thread was busier than 85%, or sent its requests so late that this alone is half of the p99,
 * it was the one at its limit, or the whole machine was: then nothing is known of the others, and that is said.
 */

export interface KneeStep {
  users: number;
  rps: number;
  offeredRps: number;
  errorShare: number;
  p99Ms: number;
  utilization: number;
  lagP99Ms: number;
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
  let lastGoodUsers: number | null = null;
  for (const [i, step] of steps.entries()) {
    const reason = whatIsWrong(step, steps.slice(0, i));
    if (reason) {
      const own = limitOfGenerator(step);
      const text = own === undefined ? reason : `${reason}; ${own}`;
      return { lastGoodUsers, users: step.users, reason: text, generator: own !== undefined };
    }
    lastGoodUsers = step.users;
  }
  return { lastGoodUsers, users: null, reason: 'no knee up to here', generator: false };
}

function whatIsWrong(step: KneeStep, before: readonly KneeStep[]): string | undefined {
  if (step.errorShare > mostErrors) return `${percent(step.errorShare)} of the requests failed`;
  if (step.rps < leastShare * step.offeredRps && Number.isFinite(step.offeredRps))
    return `${percent(step.rps / step.offeredRps)} of what the users would ask for was answered`;
  const best = before.toSorted((a, b) => a.p99Ms - b.p99Ms)[0];
  if (best && step.p99Ms > slowMs && step.p99Ms > slowFactor * best.p99Ms)
    return `p99 is ${step.p99Ms.toFixed(1)} ms, and was ${best.p99Ms.toFixed(1)} ms with ${best.users} users`;
  return undefined;
}

function limitOfGenerator({ utilization, lagP99Ms, p99Ms }: KneeStep): string | undefined {
  if (utilization > generatorFull)
    return `the load generator was ${percent(utilization)} busy: this is its limit, and theirs is not known`;
  if (lagP99Ms > slowMs && lagP99Ms > p99Ms / 2)
    return `requests were sent ${lagP99Ms.toFixed(0)} ms late (p99): the generator or the machine lacked processor, and whose limit this is is not known`;
  return undefined;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
}
