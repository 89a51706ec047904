import { stringify } from 'yaml';
import { TargetRefused } from '../errors.ts';
import { gateDeployment, gateServices } from '../kubernetes/gates.ts';
import { disruptionBudget } from '../kubernetes/members.ts';
import { type Manifest, metadata, type Names } from '../kubernetes/names.ts';
import type { Values } from '../kubernetes/values.ts';
import type { RenderedFile } from '../target.ts';
import { type AloneGate, configText, listenEverywhere, type NamedFile } from './alone-gate.ts';

/** Kubernetes: two gates behind a Service, with the configuration, passwords and certificates in a Secret. */
export function gateManifests(
  gate: AloneGate,
  options: Record<string, string>,
  contentOf: (file: NamedFile) => string,
): RenderedFile[] {
  const { name, ports, files, config } = gate;
  if (!/^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$/.test(name)) {
    throw TargetRefused(`'${name}' can't name things in Kubernetes: small letters, digits and dashes can`);
  }
  const port = (wanted: string) => ports.find((each) => each.name === wanted)?.port ?? null;
  const namespace = options['namespace'] === '' ? undefined : options['namespace'];
  const names: Names = { name, namespace };
  const listeners = { port: port('redis') ?? 6380, replicaPort: port('redis-replicas') };
  const values: Values = {
    namespace,
    image: options['image'] ?? '',
    imagePullPolicy: 'IfNotPresent',
    storage: '',
    storageClass: '',
    serviceAccount: '',
    gateReplicas: Number(options['gateReplicas']),
    loadBalancer: options['loadBalancer'] === 'true',
    serviceMonitor: false,
    secret: () => '',
  };
  const changes = {
    ...listenEverywhere(gate),
    ...Object.fromEntries(files.map((file) => [file.key, file.name])),
  };
  const secret: Manifest = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(names, `${name}-gate`, 'gate'),
    type: 'Opaque',
    stringData: {
      'gate.json': configText(config, changes),
      ...Object.fromEntries(files.map((file) => [file.name, contentOf(file)])),
    },
  };
  const gates = [gateDeployment(names, listeners, values), ...gateServices(names, listeners, values)];
  const file = (fileName: string, manifests: Manifest[], isSecret: boolean): RenderedFile => ({
    name: fileName,
    text: `# A gate in front of ${name}, made by holdfast.\n${manifests
      .map((manifest) => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false }))
      .join('---\n')}`,
    secret: isSecret,
  });
  return [
    file('secrets.yaml', [secret], true),
    file('gates.yaml', [...gates, disruptionBudget(names, 'gate')], false),
  ];
}
