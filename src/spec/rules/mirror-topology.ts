import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';
import { wantsNone } from './sentinels.ts';

/** What standalone members that stand in for each other need, and what is not possible with them. */
export function mirrorTopologyRules(spec: Spec, file: SpecFile): Problem[] {
  if (spec.mirror === null) {
    if (!file.mirror) return [];
    return [
      { path: ['mirror'], message: 'it has no meaning without topology: mirror; say that, or remove it' },
    ];
  }
  const { redis, gate, members, mirrors } = spec;
  const nobodyVotes = wantsNone(spec, file);
  const found: [wrong: boolean, path: Problem['path'], message: string][] = [
    [
      members.length < 2,
      ['redis', 'members'],
      'topology: mirror needs two members at least, of which one leads',
    ],
    [
      spec.mirror.read === 'quorum' && spec.mirror.ack === 'one',
      ['mirror', 'read'],
      'quorum asks those that are in sync, which nobody is with ack: one; allowed with it: local, lead',
    ],
    [
      spec.mirror.onSplit === 'serve' && spec.mirror.ack !== 'one',
      ['mirror', 'onSplit'],
      `with ack: ${spec.mirror.ack} a lead that is cut off acknowledges nothing; allowed with it: refuse`,
    ],
    [
      nobodyVotes && spec.mirror.ack === 'quorum',
      ['mirror', 'ack'],
      'with sentinel.count: 0 nobody votes which of those that are left may lead, and quorum needs that; allowed: one, all',
    ],
    [
      nobodyVotes && mirrors.length > 0,
      ['mirrors'],
      'a mirror by stream learns from the Sentinels who leads, and sentinel.count is 0; mirrors with how: requests are possible',
    ],
    [
      redis.minReplicasToWrite > 0,
      ['redis', 'minReplicasToWrite'],
      'standalone servers have no replicas; say mirror.ack instead, and remove this',
    ],
    [
      file.gate?.durability !== undefined,
      ['gate', 'durability'],
      'with topology: mirror say mirror.ack instead, and remove this',
    ],
    [
      redis.maxMemoryPolicy !== 'noeviction',
      ['redis', 'maxMemoryPolicy'],
      `found ${redis.maxMemoryPolicy}: each member would evict keys of its own choice, and they would differ; allowed: noeviction`,
    ],
    [
      gate.kind === 'haproxy',
      ['gate', 'kind'],
      'HAProxy takes every standalone server for the one that leads; allowed: gate',
    ],
  ];
  return found.flatMap(([wrong, path, message]) => (wrong ? [{ path, message }] : []));
}
