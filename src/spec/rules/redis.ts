import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';

export function redisRules(spec: Spec, file: SpecFile): Problem[] {
  const { redis, members } = spec;
  const problems: Problem[] = [];
  if (redis.minReplicasToWrite >= members.length) {
    problems.push({
      path: ['redis', 'minReplicasToWrite'],
      message:
        `found ${redis.minReplicasToWrite} with ${count(members.length, 'member')}; ` +
        `at most ${members.length - 1}: one member is the primary, so it would never take a write`,
    });
  }
  if (redis.persistence === 'none' && members.length === 1 && spec.agent.restarts.limit > 0) {
    problems.push({
      path: ['redis', 'persistence'],
      message:
        "found 'none' with one member and automatic restarts; a restart would come back empty and be taken for " +
        'healthy: add members, persist, or set agent.restarts.limit to 0',
    });
  }
  if (redis.persistence === 'none' && redis.save.length > 0) {
    problems.push({
      path: ['redis', 'save'],
      message: "found save points with persistence 'none'; remove them, or use persistence: rdb",
    });
  }
  if (redis.persistence === 'rdb' && redis.save.length === 0) {
    problems.push({
      path: ['redis', 'save'],
      message:
        "found no save points with persistence 'rdb': nothing would ever be saved; name some, or omit `save`",
    });
  }
  const changesAndReplicas = file.redis?.minReplicasMaxLag !== undefined && redis.minReplicasToWrite === 0;
  if (changesAndReplicas) {
    problems.push({
      path: ['redis', 'minReplicasMaxLag'],
      message: 'it has no effect while minReplicasToWrite is 0; set that to 1 or more, or remove this',
    });
  }
  return problems;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
