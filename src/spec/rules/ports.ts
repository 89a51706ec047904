import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';

/** On each host, a port belongs to one thing. The problem points at whichever of the two ports was written. */
export function portRules(spec: Spec, file: SpecFile): Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, Use>();
  for (const use of portsOf(spec)) {
    const key = `${use.host} ${use.port}`;
    const other = owners.get(key);
    if (other === undefined) {
      owners.set(key, use);
      continue;
    }
    const where = spec.laptop ? '' : ` on host '${use.host}'`;
    const message = `${use.owner} would use port ${use.port}${where}, which ${other.owner} uses; move one of them`;
    problems.push({ path: isWritten(file, use.path) ? use.path : other.path, message });
  }
  return problems;
}

interface Use {
  host: string;
  port: number;
  owner: string;
  path: readonly [section: 'redis' | 'sentinel' | 'gate' | 'agent', key: string];
}

function isWritten(file: SpecFile, [section, key]: Use['path']): boolean {
  return Object.hasOwn(file[section] ?? {}, key);
}

function portsOf(spec: Spec): Use[] {
  return [
    ...spec.members.map(({ id, host, port }) => use(host, port, id, 'redis', 'port')),
    ...spec.sentinels.map(({ id, host, port }) => use(host, port, id, 'sentinel', 'port')),
    ...spec.gates.map(({ id, host, port }) => use(host, port, id, 'gate', 'port')),
    ...spec.gates.flatMap(({ id, host, replicaPort }) =>
      replicaPort === null ? [] : [use(host, replicaPort, `${id}'s read-only port`, 'gate', 'replicaPort')],
    ),
    ...spec.gates.flatMap(({ id, host }) =>
      spec.gate.statsPort === null
        ? []
        : [use(host, spec.gate.statsPort, `${id}'s statistics`, 'gate', 'statsPort')],
    ),
    ...spec.hosts.map(({ id }) => use(id, spec.agent.port, 'the agent', 'agent', 'port')),
  ];
}

function use(host: string, port: number, owner: string, section: Use['path'][0], key: string): Use {
  return { host, port, owner, path: [section, key] };
}
