import { clientPassword, type Secrets } from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import {
  containerSpec,
  containerSpecFile,
  containerState,
  nodeCount,
  specText,
  userKey,
} from '../container-spec.ts';
import { TargetRefused } from '../errors.ts';
import { gateConfigText, gateDeployment, gateServices, type Listeners } from './gates.ts';
import { disruptionBudget, headlessService, podServices, statefulSet } from './members.ts';
import { type Manifest, metadata, type Names, podName } from './names.ts';
import { networkPolicies, prometheusRule, serviceMonitor } from './network.ts';
import { preStopScript, readyScript } from './scripts.ts';
import type { Values } from './values.ts';

/** The manifests of one file, and the chart's value that switches the file on. */
export interface ManifestFile {
  name: string;
  manifests: Manifest[];
  condition?: string;
  secret?: boolean;
}

/** Everything that a deployment is in Kubernetes, in the order in which it may be applied. */
export function manifestFiles(spec: Spec, values: Values, strictly: boolean): ManifestFile[] {
  checkName(spec.name);
  const names: Names = { name: spec.name, namespace: values.namespace };
  const podSpec = specForPods(spec);
  const listeners = listenersOf(spec);
  const [inside, outside] = [
    gateServices(names, listeners, { ...values, loadBalancer: false }),
    gateServices(names, listeners, values).slice(1),
  ];
  const files: ManifestFile[] = [
    { name: 'secrets.yaml', manifests: secretManifests(names, spec, values), secret: true },
    { name: 'spec.yaml', manifests: [configMap(names, podSpec)] },
    {
      name: 'members.yaml',
      manifests: [
        headlessService(names, podSpec),
        ...podServices(names, podSpec),
        statefulSet(names, podSpec, values, strictly),
        disruptionBudget(names, 'member'),
      ],
    },
    {
      name: 'gates.yaml',
      manifests: [gateDeployment(names, listeners, values), ...inside, disruptionBudget(names, 'gate')],
    },
    { name: 'network-policies.yaml', manifests: networkPolicies(names, podSpec, listeners) },
  ];
  if (outside.length > 0)
    files.push({ name: 'load-balancer.yaml', manifests: outside, condition: 'loadBalancer' });
  if (values.serviceMonitor) {
    files.push({
      name: 'service-monitor.yaml',
      manifests: [serviceMonitor(names), prometheusRule(names, podSpec)],
      condition: 'serviceMonitor',
    });
  }
  return files;
}

/** What the Secrets hold, by key. */
export function secretValues(spec: Spec, secrets: Secrets): Record<string, string> {
  const password = clientPassword(spec, secrets);
  return {
    secret: secrets.root,
    'api-token': secrets.apiToken,
    ...(password === null ? {} : { 'client-password': password }),
    ...Object.fromEntries(spec.security.users.map(({ name }) => [userKey(name), secrets.users[name] ?? ''])),
    'gate.json': gateConfigText(specForPods(spec), withPasswords(spec, secrets), listenersOf(spec)),
  };
}

function specForPods(spec: Spec): Spec {
  const nodes = Array.from({ length: nodeCount(spec) }, (_, index) => {
    const id = podName(spec, index);
    // The Service of the pod: its name resolves in the pod's own namespace.
    return { id, address: id };
  });
  return containerSpec(spec, nodes, false);
}

function listenersOf({ gates }: Spec): Listeners {
  const [gate] = gates;
  return gate ? { port: gate.port, replicaPort: gate.replicaPort } : { port: 6380, replicaPort: 6381 };
}

/** Beyond a laptop the Sentinels have a password, also when the spec that was rendered from is a laptop's. */
function withPasswords(spec: Spec, secrets: Secrets): Secrets {
  return spec.laptop && secrets.sentinelPassword === null
    ? { ...secrets, sentinelPassword: secrets.elsewhere.sentinelPassword }
    : secrets;
}

function secretManifests(names: Names, spec: Spec, values: Values): Manifest[] {
  const secret = (name: string, keys: string[]): Manifest => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(names, name),
    type: 'Opaque',
    stringData: Object.fromEntries(keys.map((key) => [key, values.secret(key)])),
  });
  return [
    secret(`${names.name}-secrets`, [
      'secret',
      'api-token',
      ...(spec.security.users.length === 0 ? ['client-password'] : []),
      ...spec.security.users.map(({ name }) => userKey(name)),
    ]),
    secret(`${names.name}-gate`, ['gate.json']),
  ];
}

function configMap(names: Names, podSpec: Spec): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(names, `${names.name}-spec`),
    data: {
      'holdfast.yaml': specText(podSpec),
      'ready.mjs': readyScript(podSpec.agent.port),
      'pre-stop.mjs': preStopScript(containerSpecFile, containerState),
    },
  };
}

function checkName(name: string): void {
  if (/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) && name.length <= 40) return;
  throw TargetRefused(`the name '${name}' can't be that of Kubernetes objects`, {
    hint: "Lower-case letters, digits and '-', starting with a letter, at most 40.",
  });
}
