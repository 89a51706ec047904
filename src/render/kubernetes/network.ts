import type { Spec } from '../../spec/spec.ts';
import { type Doors, doorPorts } from './gates.ts';
import { monitoredLabel, servicePorts } from './members.ts';
import { labels, type Manifest, metadata, type Names } from './names.ts';

/** Servers talk to each other and to gates; everyone else talks to gates. The API is for the cluster (monitoring). */
export function networkPolicies(names: Names, spec: Spec, doors: Doors): Manifest[] {
  const tcp = (port: number) => ({ protocol: 'TCP', port });
  const policy = (component: 'member' | 'gate', ingress: object[]): Manifest => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(names, `${names.name}-${component}s`, component),
    spec: { podSelector: { matchLabels: labels(names, component) }, policyTypes: ['Ingress'], ingress },
  });
  return [
    policy('member', [
      {
        from: [{ podSelector: { matchLabels: labels(names) } }],
        ports: servicePorts(spec).map(({ port }) => tcp(port)),
      },
      { from: [{ namespaceSelector: {} }], ports: [tcp(spec.agent.port)] },
    ]),
    policy('gate', [{ ports: doorPorts(doors).map(({ port }) => tcp(port)) }]),
  ];
}

/** For the Prometheus operator: the agents' metrics. */
export function serviceMonitor(names: Names): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: metadata(names, names.name, 'member'),
    spec: {
      selector: { matchLabels: { ...labels(names, 'member'), ...monitoredLabel } },
      endpoints: [{ port: 'api', path: '/metrics', interval: '15s' }],
    },
  };
}
