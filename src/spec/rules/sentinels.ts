import { formatDuration } from '../../base/duration.ts';
import type { Problem } from '../problems.ts';
import { minDetectAfterMs } from '../schema/sentinel.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';

export function sentinelRules(spec: Spec, file: SpecFile): Problem[] {
  if (wantsNone(spec, file)) return noneRules(spec, file);
  return [...countRules(spec, file), ...quorumRules(spec), ...timingRules(spec)];
}

/** Somebody wrote that there are to be no Sentinels, and there are none. */
export function wantsNone({ sentinels }: Spec, { sentinel }: SpecFile): boolean {
  return sentinel?.count === 0 && sentinels.length === 0;
}

/** Nobody votes: what that leaves possible is topology: mirror's to say. */
function noneRules(spec: Spec, file: SpecFile): Problem[] {
  if (spec.mirror === null) {
    const message =
      'found 0: nobody would replace a primary that is lost; at least 3 are needed. Only with topology: mirror it may be 0: then a person says who leads';
    return [{ path: ['sentinel', 'count'], message }];
  }
  const path = ['sentinel', 'quorum'];
  const message = 'it has no meaning with count: 0, which is no Sentinel; remove it';
  const unused: Problem[] = file.sentinel?.quorum === undefined ? [] : [{ path, message, about: 'key' }];
  return [...unused, ...timingRules(spec)];
}

function countRules(spec: Spec, file: SpecFile): Problem[] {
  const found = spec.sentinels.length;
  const written = file.sentinel?.on ?? file.sentinel?.count;
  const path = written === undefined && !spec.laptop ? ['hosts'] : ['sentinel', spec.laptop ? 'count' : 'on'];
  if (found < 3) {
    const message =
      `found ${found}, at least 3 are needed: with fewer, losing one Sentinel (or the host it shares with the primary) ` +
      'leaves no majority to order a failover';
    return [{ path, message: spec.laptop ? message : `Sentinels: ${message}; a host may be listed twice` }];
  }
  // `ids` are of a deployment whose hosts change, one Sentinel after the other: there is an even number in between.
  if (found % 2 === 1 || file.sentinel?.ids !== undefined) return [];
  return [
    {
      path,
      message:
        `found ${found} Sentinels; use an odd number: with ${found} the majority is ${found / 2 + 1}, so they ` +
        `survive no more losses than ${found - 1} would, and can split in two halves`,
    },
  ];
}

function quorumRules(spec: Spec): Problem[] {
  const { quorum } = spec.sentinel;
  const total = spec.sentinels.length;
  const majority = Math.floor(total / 2) + 1;
  const path = ['sentinel', 'quorum'];
  if (quorum > total) {
    return [
      {
        path,
        message: `found ${quorum} with ${total} Sentinels: it can never be reached; allowed: ${majority} to ${total}`,
      },
    ];
  }
  if (quorum >= majority) return [];
  return [
    {
      path,
      message:
        `found ${quorum} with ${total} Sentinels; allowed: ${majority} to ${total}: below a majority, a few Sentinels ` +
        'that lost the network would call a healthy primary down',
    },
  ];
}

function timingRules(spec: Spec): Problem[] {
  const { detectAfterMs, failoverTimeoutMs } = spec.sentinel;
  const problems: Problem[] = [];
  if (detectAfterMs < minDetectAfterMs) {
    problems.push({
      path: ['sentinel', 'detectAfter'],
      message:
        `found ${formatDuration(detectAfterMs)}, at least ${formatDuration(minDetectAfterMs)} is needed: a Sentinel ` +
        'asks a server once a second, and on a busy machine it would give up on one that is healthy, and promote ' +
        'another. A crash or a hang does not wait for this: the agent sees it at once',
    });
  }
  if (failoverTimeoutMs < 2 * detectAfterMs) {
    problems.push({
      path: ['sentinel', 'failoverTimeout'],
      message: `found ${formatDuration(failoverTimeoutMs)}; at least twice detectAfter (${formatDuration(detectAfterMs)})`,
    });
  }
  return problems;
}
