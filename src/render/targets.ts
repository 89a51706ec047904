import { dictionary } from '../base/dictionary.ts';
import { closestWord } from '../spec/suggest.ts';
import { BadTargetOption, UnknownTarget } from './errors.ts';
import type { Target } from './target.ts';
import { awsTarget } from './targets/aws.ts';
import { composeTarget } from './targets/compose.ts';
import { grafanaTarget } from './targets/grafana.ts';
import { haproxyTarget } from './targets/haproxy.ts';
import { keepalivedTarget } from './targets/keepalived.ts';
import { kubernetesTarget } from './targets/kubernetes.ts';
import { monitTarget } from './targets/monit.ts';
import { prometheusTarget } from './targets/prometheus.ts';
import { redisTarget } from './targets/redis.ts';
import { sentinelTarget } from './targets/sentinel.ts';
import { sysctlTarget } from './targets/sysctl.ts';
import { systemdTarget } from './targets/systemd.ts';

/** Everything that `holdfast render` can make, in the order in which its help lists it. */
export const targets: readonly Target[] = [
  redisTarget,
  sentinelTarget,
  haproxyTarget,
  systemdTarget,
  sysctlTarget,
  monitTarget,
  keepalivedTarget,
  composeTarget,
  kubernetesTarget,
  awsTarget,
  prometheusTarget,
  grafanaTarget,
];

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

/**
 * The options of a target from `name=value` words.
 * @throws BAD_TARGET_OPTION for one that it doesn't have, or that it needs and wasn't given.
 */
export function targetOptions(target: Target, words: readonly string[]): Record<string, string> {
  const known = target.options ?? [];
  const names = known.map(({ name }) => name);
  const hint =
    known.map(({ name, about }) => `${name}: ${about}`).join('; ') || `${target.name} has no options.`;
  const given = dictionary<string>();
  for (const word of words) {
    const [name = '', ...value] = word.split('=');
    if (!names.includes(name) || value.length === 0) {
      throw BadTargetOption(`--set ${word}: ${target.name} has no such option, or it has no value`, { hint });
    }
    given[name] = value.join('=');
  }
  const missing = known.find((option) => option.default === undefined && given[option.name] === undefined);
  if (missing) {
    throw BadTargetOption(`${target.name} needs --set ${missing.name}=…: ${missing.about}`, { hint });
  }
  return { ...Object.fromEntries(known.map((option) => [option.name, option.default ?? ''])), ...given };
}
