import { memoryFactor } from '../../spec/sizing.ts';
import type { Spec } from '../../spec/spec.ts';
import { containerSpecFile, containerState, containerUser, secretsFolder } from '../container-spec.ts';
import {
  containerSecurity,
  labels,
  type Manifest,
  metadata,
  type Names,
  podName,
  podSecurity,
  spreading,
} from './names.ts';
import type { Values } from './values.ts';

/**
 * The pods that run agents, each with a member and a Sentinel. There is no liveness probe: the agent finds and fixes
 * what hangs, and a kubelet that restarts a primary by reflex would make an outage of a hiccup.
 */
export function statefulSet(names: Names, spec: Spec, values: Values, strictly: boolean): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata(names, names.name, 'member'),
    spec: {
      serviceName: `${names.name}-members`,
      replicas: spec.hosts.length,
      // They need each other for a quorum: none may wait for the one before it to be ready.
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      minReadySeconds: 5,
      selector: { matchLabels: labels(names, 'member') },
      template: {
        metadata: { labels: labels(names, 'member') },
        spec: {
          automountServiceAccountToken: false,
          ...(values.serviceAccount === '' ? {} : { serviceAccountName: values.serviceAccount }),
          enableServiceLinks: false,
          securityContext: podSecurity(containerUser),
          ...spreading(names, 'member', strictly),
          // Time for the switchover of preStop, and for every server to save its data.
          terminationGracePeriodSeconds: 300,
          containers: [agentContainer(spec, values)],
          volumes: [
            { name: 'spec', configMap: { name: `${names.name}-spec` } },
            { name: 'secrets', secret: { secretName: `${names.name}-secrets`, defaultMode: 0o440 } },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'state', labels: labels(names, 'member') },
          spec: {
            accessModes: ['ReadWriteOnce'],
            ...(values.storageClass === '' ? {} : { storageClassName: values.storageClass }),
            resources: { requests: { storage: values.storage } },
          },
        },
      ],
    },
  };
}

function agentContainer(spec: Spec, values: Values): object {
  const name = { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
  const script = (file: string) => ({ exec: { command: ['node', `/etc/holdfast/${file}`] } });
  const run = [
    'up',
    containerSpecFile,
    '--host',
    '$(POD_NAME)',
    '--state-dir',
    containerState,
    '--wait',
    '15m',
  ];
  return {
    name: 'agent',
    image: values.image,
    imagePullPolicy: values.imagePullPolicy,
    args: run,
    env: [name],
    ...bucketCredentials(spec),
    ports: [...portsOf(spec), { name: 'api', containerPort: spec.agent.port }],
    readinessProbe: { ...script('ready.mjs'), periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
    lifecycle: { preStop: script('pre-stop.mjs') },
    securityContext: containerSecurity,
    resources: resources(spec),
    volumeMounts: [
      { name: 'state', mountPath: '/var/lib/holdfast' },
      { name: 'spec', mountPath: '/etc/holdfast', readOnly: true },
      { name: 'secrets', mountPath: secretsFolder, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

/** Keys for the bucket, as AWS_… variables, from a Secret that is yours; without it, the role of the pod or its machine. */
function bucketCredentials({ name, backup }: Spec): object {
  if (!backup?.to.startsWith('s3://')) return {};
  return { envFrom: [{ secretRef: { name: `${name}-backup`, optional: true } }] };
}

/** Ports of the members and Sentinels of any pod, each once. */
function portsOf(spec: Spec): { name: string; containerPort: number }[] {
  const ports = (places: readonly { port: number }[]) => [...new Set(places.map(({ port }) => port))];
  const named = (name: string, list: number[]) =>
    list.map((containerPort, index) => ({
      name: index === 0 ? name : `${name}-${index + 1}`,
      containerPort,
    }));
  return [...named('redis', ports(spec.members)), ...named('sentinel', ports(spec.sentinels))];
}

/** Requests equal limits for memory, so that the pod is among the last to be evicted. */
function resources({ redis }: Spec): object {
  if (redis.maxMemoryBytes === null) return { requests: { cpu: '500m', memory: '512Mi' } };
  const memory = `${Math.ceil((redis.maxMemoryBytes * memoryFactor) / 2 ** 20) + 512}Mi`;
  return { requests: { cpu: '500m', memory }, limits: { memory } };
}

/** On the one Service through which monitoring finds every pod once. */
export const monitoredLabel = { 'holdfast/monitored': 'true' };

/** A name for each pod that stays when the pod moves, and that resolves while it is down: what Sentinels announce. */
export function podServices(names: Names, spec: Spec): Manifest[] {
  return spec.hosts.map((_host, index) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(names, podName(names, index), 'member'),
    spec: {
      type: 'ClusterIP',
      publishNotReadyAddresses: true,
      selector: { ...labels(names, 'member'), 'statefulset.kubernetes.io/pod-name': podName(names, index) },
      ports: [...servicePorts(spec), { name: 'api', port: spec.agent.port, targetPort: spec.agent.port }],
    },
  }));
}

export function headlessService(names: Names, spec: Spec): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: monitored(metadata(names, `${names.name}-members`, 'member')),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: labels(names, 'member'),
      ports: [...servicePorts(spec), { name: 'api', port: spec.agent.port, targetPort: spec.agent.port }],
    },
  };
}

function monitored<T extends { labels: Record<string, string> }>(about: T): T {
  return { ...about, labels: { ...about.labels, ...monitoredLabel } };
}

export function servicePorts(spec: Spec): { name: string; port: number; targetPort: number }[] {
  return portsOf(spec).map(({ name, containerPort }) => ({
    name,
    port: containerPort,
    targetPort: containerPort,
  }));
}

/** Drains take one pod of a kind at a time: never the majority of Sentinels. */
export function disruptionBudget(names: Names, component: 'member' | 'gate'): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(names, `${names.name}-${component}s`, component),
    spec: { maxUnavailable: 1, selector: { matchLabels: labels(names, component) } },
  };
}
