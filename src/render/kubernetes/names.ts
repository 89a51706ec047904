import type { Spec } from '../../spec/spec.ts';

/** Names and labels of everything that belongs to one deployment. */
export interface Names {
  name: string;
  namespace: string | undefined;
}

export type Manifest = { apiVersion: string; kind: string; metadata: { name: string } } & Record<
  string,
  unknown
>;

export function labels({ name }: Names, component?: 'member' | 'gate'): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'holdfast',
    'app.kubernetes.io/instance': name,
    ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }),
  };
}

export function metadata(names: Names, name: string, component?: 'member' | 'gate') {
  return {
    name,
    ...(names.namespace === undefined ? {} : { namespace: names.namespace }),
    labels: { ...labels(names, component), 'app.kubernetes.io/managed-by': 'holdfast' },
  };
}

export function podName({ name }: Pick<Spec, 'name'>, index: number): string {
  return `${name}-${index}`;
}

/** What each pod may do: nothing but run as its own user, with a read-only root. */
export const podSecurity = (user: number) => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
});

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Pods of one kind on different machines, and spread over zones where there are any. */
export function spreading(names: Names, component: 'member' | 'gate', strictly: boolean) {
  const selector = { matchLabels: labels(names, component) };
  const term = { labelSelector: selector, topologyKey: 'kubernetes.io/hostname' };
  return {
    affinity: {
      podAntiAffinity: strictly
        ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
        : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: selector,
      },
    ],
  };
}
