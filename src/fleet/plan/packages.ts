/** Which programs a host needs, and who installs them. */
import type { Spec } from '../../spec/spec.ts';
import { FleetRefused } from '../errors.ts';
import type { HostFacts } from '../facts/host-facts.ts';

export interface Packages {
  manager: 'apt-get' | 'dnf';
  packages: readonly string[];
  /** Takes the place of `redis` where the distribution has none, and the spec does not say which server. */
  instead: 'valkey' | null;
}

const names = {
  'apt-get': { redis: ['redis-server', 'redis-tools'], valkey: ['valkey-server', 'valkey-tools'] },
  dnf: { redis: ['redis'], valkey: ['valkey'] },
} as const;

/** Null: what the spec asks for is there. @throws FLEET_REFUSED when it is not, and can't be installed. */
export function missingPackages(spec: Spec, facts: HostFacts): Packages | null {
  const isGateHere = spec.gates.some(({ host }) => host === facts.host);
  const hasAddress = isGateHere && spec.gate.virtualAddress !== null;
  const missing = [
    ...(lacksServer(spec, facts) ? ['server'] : []),
    // It asks the gate whether it serves.
    ...(hasAddress && !facts.programs.has('redis-cli') && !facts.programs.has('valkey-cli')
      ? ['server']
      : []),
    ...(isGateHere && spec.gate.kind === 'haproxy' ? ['haproxy'] : []),
    ...(hasAddress ? ['keepalived'] : []),
  ].filter((program) => !facts.programs.has(program));
  if (missing.length === 0) return null;
  const manager = managersOf(facts).find((each) => facts.programs.has(each));
  if (manager === undefined) {
    const server = wantedServers(spec).join(' or ');
    const what = [...new Set(missing)].map((each) => (each === 'server' ? server : each)).join(' and no ');
    throw FleetRefused(`host ${facts.host} has no ${what}, and neither apt-get nor dnf to install one`, {
      hint: 'Install it there by hand, then apply again.',
    });
  }
  const packages = missing.flatMap((each) =>
    each === 'server' ? names[manager][spec.redis.engine ?? 'redis'] : [each],
  );
  // Red Hat's family has Redis up to version 9, and Valkey from then on.
  const isEither = manager === 'dnf' && spec.redis.engine === null && packages.includes('redis');
  return { manager, packages: [...new Set(packages)], instead: isEither ? 'valkey' : null };
}

/** Where both are there, one is a tool for packages of other systems (os-release(5) says of whom it is). */
function managersOf({ os }: HostFacts): Packages['manager'][] {
  const isRedHats = os.some((each) => ['rhel', 'fedora', 'centos'].includes(each));
  return isRedHats ? ['dnf', 'apt-get'] : ['apt-get', 'dnf'];
}

function wantedServers({ redis: { engine } }: Spec): string[] {
  return engine === null ? ['redis-server', 'valkey-server'] : [`${engine}-server`];
}

/** @throws FLEET_REFUSED when there is one of another version */
function lacksServer(spec: Spec, facts: HostFacts): boolean {
  const { binary, version } = spec.redis;
  // The agent looks for it by itself, and says what is wrong with it.
  if (binary !== null) return false;
  const wanted = wantedServers(spec);
  const found = [...facts.servers].find(([path]) => wanted.some((name) => path.endsWith(`/${name}`)));
  if (found === undefined) return true;
  const is = /v=(\S+)/.exec(found[1])?.[1] ?? '';
  if (version === null || is === version || is.startsWith(`${version}.`)) return false;
  throw FleetRefused(
    `host ${facts.host} has ${found[0]} ${is}, and the spec says redis.version: "${version}"`,
    {
      hint: 'Install that version there, name its program with redis.binary, or change what the spec says.',
    },
  );
}
