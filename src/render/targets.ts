import { closestWord } from '../spec/suggest.ts';
import { UnknownTarget } from './errors.ts';
import type { Target } from './target.ts';
import { haproxyTarget } from './targets/haproxy.ts';
import { redisTarget } from './targets/redis.ts';
import { sentinelTarget } from './targets/sentinel.ts';

/** Everything that `holdfast render` can make, in the order in which its help lists it. */
export const targets: readonly Target[] = [redisTarget, sentinelTarget, haproxyTarget];

/** @throws UNKNOWN_TARGET */
export function targetNamed(name: string): Target {
  const target = targets.find((each) => each.name === name);
  if (target) return target;
  const names = targets.map((each) => each.name);
  const meant = closestWord(name, names);
  throw UnknownTarget(
    `there is no render target '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`,
    {
      hint: `Targets: ${names.join(', ')}.`,
    },
  );
}
