import type { Spec } from '../../spec/spec.ts';
import { alertGroups } from '../monitoring/alerts.ts';
import { type Listeners, listenerPorts } from './gates.ts';
import { monitoredLabel, servicePorts } from './members.ts';
import { labels, type Manifest, metadata, type Names } from './names.ts';

/** Servers talk to each other and to gates; everyone else talks to gates. The API is for the cluster (monitoring). */
export function networkPolicies(names: Names, spec: Spec, listeners: Listeners): Manifest[] {
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
    policy('gate', [{ ports: listenerPorts(listeners).map(({ port }) => tcp(port)) }]),
  ];
}

/** For the Prometheus operator: the agents' metrics. They ask for the token whoever is not in their own pod. */
export function serviceMonitor(names: Names): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: metadata(names, names.name, 'member'),
    spec: {
      selector: { matchLabels: { ...labels(names, 'member'), ...monitoredLabel } },
      endpoints: [
        {
          port: 'api',
          path: '/metrics',
          interval: '15s',
          authorization: {
            type: 'Bearer',
            credentials: { name: `${names.name}-secrets`, key: 'api-token' },
          },
        },
      ],
    },
  };
}

/** The same alerts that `render prometheus` writes. */
export function prometheusRule(names: Names, spec: Spec): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: metadata(names, names.name),
    spec: { groups: alertGroups(spec) },
  };
}
