import type { Secrets } from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import { containerUser, secretsFolder } from '../container-spec.ts';
import { gateSettings } from '../gate-settings.ts';
import {
  containerSecurity,
  labels,
  type Manifest,
  metadata,
  type Names,
  podSecurity,
  spreading,
} from './names.ts';
import type { Values } from './values.ts';

export interface Listeners {
  port: number;
  replicaPort: number | null;
}

/** Gates without an agent: they watch the Sentinels themselves, and any number of them may run. */
export function gateDeployment(names: Names, listeners: Listeners, values: Values): Manifest {
  const mounts = { name: 'config', mountPath: '/run/gate' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(names, `${names.name}-gate`, 'gate'),
    spec: {
      replicas: values.gateReplicas,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: labels(names, 'gate') },
      template: {
        metadata: { labels: labels(names, 'gate') },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: podSecurity(containerUser),
          ...spreading(names, 'gate', false),
          terminationGracePeriodSeconds: 60,
          initContainers: [
            {
              // A mounted Secret can be read by its group; the gate takes a file that only its owner can read.
              name: 'config',
              image: values.image,
              imagePullPolicy: values.imagePullPolicy,
              command: ['sh', '-c', `umask 077 && cp ${secretsFolder}/* /run/gate/`],
              securityContext: containerSecurity,
              volumeMounts: [mounts, { name: 'secrets', mountPath: secretsFolder, readOnly: true }],
            },
          ],
          containers: [gateContainer(listeners, values, mounts)],
          volumes: [
            { name: 'secrets', secret: { secretName: `${names.name}-gate`, defaultMode: 0o440 } },
            { name: 'config', emptyDir: { medium: 'Memory' } },
          ],
        },
      },
    },
  };
}

function gateContainer(listeners: Listeners, values: Values, mounts: object): object {
  const listener = { tcpSocket: { port: 'redis' } };
  return {
    name: 'gate',
    image: values.image,
    imagePullPolicy: values.imagePullPolicy,
    command: ['node', '/opt/holdfast/dist/gate/main.js', '--config', '/run/gate/gate.json'],
    ports: listenerPorts(listeners).map(({ name, port }) => ({ name, containerPort: port })),
    readinessProbe: { ...listener, periodSeconds: 2, failureThreshold: 2 },
    livenessProbe: { ...listener, periodSeconds: 10, failureThreshold: 6 },
    // The endpoint goes first, then the gate drains: new connections find the others.
    lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
    securityContext: containerSecurity,
    resources: { requests: { cpu: '250m', memory: '128Mi' }, limits: { memory: '1Gi' } },
    volumeMounts: [mounts],
  };
}

export function gateServices(names: Names, listeners: Listeners, values: Values): Manifest[] {
  const service = (name: string, type: string): Manifest => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(names, name, 'gate'),
    spec: {
      type,
      selector: labels(names, 'gate'),
      ports: listenerPorts(listeners).map(({ name: port, port: number }) => ({
        name: port,
        port: number,
        targetPort: port,
      })),
    },
  });
  return [
    service(names.name, 'ClusterIP'),
    ...(values.loadBalancer ? [service(`${names.name}-public`, 'LoadBalancer')] : []),
  ];
}

export function listenerPorts({ port, replicaPort }: Listeners): { name: string; port: number }[] {
  const readOnly = replicaPort === null ? [] : [{ name: 'redis-replicas', port: replicaPort }];
  return [{ name: 'redis', port }, ...readOnly];
}

/** The gate's configuration, as the gate reads it (gate/config.ts): it fills in what is not said. */
export function gateConfigText(spec: Spec, secrets: Secrets, listeners: Listeners): string {
  const listen = (port: number) => ({ host: '0.0.0.0', port });
  const config = {
    deployment: spec.name,
    id: 'gate',
    listen: listen(listeners.port),
    replicaListen: listeners.replicaPort === null ? null : listen(listeners.replicaPort),
    controlSocket: '/run/gate/control.sock',
    ...gateSettings(spec, secrets),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
