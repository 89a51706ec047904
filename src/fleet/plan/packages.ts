/** Which server a host needs, and who installs it. */
import type { Spec } from '../../spec/spec.ts';
import { FleetRefused } from '../errors.ts';
import type { HostFacts } from '../facts/host-facts.ts';

export interface Packages {
  manager: 'apt-get' | 'dnf';
  packages: readonly string[];
}

const names = {
  'apt-get': { redis: ['redis-server', 'redis-tools'], valkey: ['valkey-server', 'valkey-tools'] },
  dnf: { redis: ['redis'], valkey: ['valkey'] },
} as const;

/** Null: what the spec asks for is there. @throws FLEET_REFUSED when it is not, and can't be installed. */
export function missingPackages({ redis }: Spec, facts: HostFacts): Packages | null {
  const { engine, binary, version } = redis;
  // The agent looks for it by itself, and says what is wrong with it.
  if (binary !== null) return null;
  const wanted = engine === null ? ['redis-server', 'valkey-server'] : [`${engine}-server`];
  const found = [...facts.servers].find(([path]) => wanted.some((name) => path.endsWith(`/${name}`)));
  if (found !== undefined) {
    const is = /v=(\S+)/.exec(found[1])?.[1] ?? '';
    if (version === null || is === version || is.startsWith(`${version}.`)) return null;
    throw FleetRefused(
      `host ${facts.host} has ${found[0]} ${is}, and the spec says redis.version: "${version}"`,
      {
        hint: 'Install that version there, name its program with redis.binary, or change what the spec says.',
      },
    );
  }
  const manager = (['apt-get', 'dnf'] as const).find((each) => facts.programs.has(each));
  if (manager === undefined) {
    throw FleetRefused(
      `host ${facts.host} has no ${wanted.join(' or ')}, and neither apt-get nor dnf to install one`,
      {
        hint: 'Install it there by hand, then apply again.',
      },
    );
  }
  return { manager, packages: names[manager][engine ?? 'redis'] };
}
