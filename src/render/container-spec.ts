import { stringify } from 'yaml';
import type { Host, Place, Spec } from '../spec/spec.ts';
import { specFileOf } from '../spec/write.ts';
import { TargetRefused } from './errors.ts';

/**
 * The spec of the same deployment in containers. Each node is a container with an agent, which runs one member, one
 * Sentinel and, where wanted, a gate: so a failover is as fast as on servers. Nodes take the place of hosts.
 */
export interface Node {
  /** The host's id in the containers' spec. */
  id: string;
  /** What other nodes connect to. */
  address: string;
}

export const secretsFolder = '/run/secrets/holdfast';
export const containerSpecFile = '/etc/holdfast/holdfast.yaml';
export const containerState = '/var/lib/holdfast/state';
/** The user of the image; see the Dockerfile. */
export const containerUser = 10_001;

/** How many nodes a spec needs: one for each host, or on a laptop one for each member and Sentinel. */
export function nodeCount(spec: Spec): number {
  return spec.laptop ? Math.max(spec.members.length, spec.sentinels.length) : spec.hosts.length;
}

/** The spec with nodes for hosts. On a laptop, member i and Sentinel i go to node i; with hosts, as the hosts had them. */
export function containerSpec(spec: Spec, nodes: readonly Node[], withGates: boolean): Spec {
  refuseWhatContainersCannot(spec);
  const nodeOf = (place: Place, index: number) =>
    nodes[spec.laptop ? index : spec.hosts.findIndex(({ id }) => id === place.host)] as Node;
  const moved = <T extends Place>(places: readonly T[]): T[] => {
    const used = new Map<string, number>();
    const first = Math.min(...places.map(({ port }) => port));
    return places.map((place, index) => {
      const { id, address } = nodeOf(place, index);
      const before = used.get(id) ?? 0;
      used.set(id, before + 1);
      return { ...place, host: id, address, port: first + before };
    });
  };
  const hosts: Host[] = nodes.map(({ id, address }) => ({ id, address, bind: ['0.0.0.0'], ssh: null }));
  const gate = spec.gates[0];
  const listeners = gate
    ? { port: gate.port, replicaPort: gate.replicaPort }
    : { port: 6380, replicaPort: 6381 };
  const gates = nodes.map(({ id, address }, index) => ({
    id: `gate-${index + 1}`,
    host: id,
    address,
    ...listeners,
  }));
  return {
    ...spec,
    laptop: false,
    hosts,
    // The image brings the server.
    redis: { ...spec.redis, binary: null },
    members: moved(spec.members),
    sentinels: moved(spec.sentinels),
    gates: withGates ? gates : [],
    agent: { ...spec.agent, bind: ['0.0.0.0'] },
    security: {
      users: spec.security.users.map((user) => ({
        ...user,
        password: { file: `${secretsFolder}/${userKey(user.name)}` },
      })),
      secret: { file: `${secretsFolder}/secret` },
      tls: null,
      authority: null,
    },
  };
}

/** The name of the file that holds a user's password. */
export function userKey(name: string): string {
  return `user-${name.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`;
}

export function specText(spec: Spec): string {
  return `# ${spec.name} in containers, made by holdfast.\n${stringify(specFileOf(spec), { lineWidth: 0 })}`;
}

function refuseWhatContainersCannot(spec: Spec): void {
  if (spec.redis.engine === 'valkey') {
    throw TargetRefused('redis.engine is valkey, and the image has Redis', {
      hint: 'Put valkey-server into an image of your own, and run the agent in it with this spec.',
    });
  }
  const former = spec.security.users.find(({ formerPassword }) => formerPassword !== null);
  if (former !== undefined) {
    throw TargetRefused(`security.users.${former.name}.formerPassword is not rendered for containers`, {
      hint: 'Leave it out of the spec that you render from.',
    });
  }
  const withTls = (['security', 'agent'] as const).find((section) => spec[section].tls !== null);
  if (withTls !== undefined) {
    throw TargetRefused(
      `${withTls}.tls is not rendered for containers: certificates would have to be mounted`,
      {
        hint: 'Leave TLS to the network (a service mesh), or render from a spec without it and add the mounts.',
      },
    );
  }
  const secretive = [...spec.mirrors, ...spec.gate.mirrors].find(
    ({ password, ca }) => password !== null || ca !== null,
  );
  if (secretive !== undefined) {
    throw TargetRefused(
      `mirrors.${secretive.name} has a password or a certificate, which would have to be mounted`,
      { hint: 'Render from a spec without it, and add the mirror and its files to what was rendered.' },
    );
  }
  if (spec.gate.routes.length > 0) {
    throw TargetRefused('gate.routes is not rendered for containers', {
      hint: 'Render from a spec without it, and add `routes` to the configuration of the gates (docs/gate.md).',
    });
  }
  if (spec.backup?.to.startsWith('file://')) {
    throw TargetRefused(
      `backup.to is ${spec.backup.to}: a folder inside a container goes with the container`,
      {
        hint: 'Use an S3 bucket in the spec that you render from.',
      },
    );
  }
}
