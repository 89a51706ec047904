import { stringify } from 'yaml';
import type { Spec } from '../../spec/spec.ts';
import { TargetRefused } from '../errors.ts';
import { type ManifestFile, manifestFiles, secretValues } from '../kubernetes/manifests.ts';
import { chartValues, helmTemplate, type Values } from '../kubernetes/values.ts';
import type { RenderedFile, Target, TargetInput } from '../target.ts';

/** Manifests for kubectl, or with `--helm` a chart around the same manifests. */
export const kubernetesTarget: Target = {
  name: 'kubernetes',
  summary: 'manifests for kubectl, or a Helm chart with --helm',
  options: [
    { name: 'namespace', about: 'namespace to write into the manifests', default: '' },
    { name: 'image', about: 'the image that the Dockerfile builds', default: 'holdfast:latest' },
    { name: 'storage', about: 'size of each member’s volume', default: '10Gi' },
    { name: 'storageClass', about: 'class of the volumes; the cluster’s default if empty', default: '' },
    {
      name: 'serviceAccount',
      about: 'service account of the members, such as one with the role for the backups’ bucket',
      default: '',
    },
    { name: 'gateReplicas', about: 'number of gates', default: '2' },
    {
      name: 'spread',
      about: 'required: never two members on one machine; or preferred',
      default: 'required',
    },
    { name: 'loadBalancer', about: 'true: a Service of type LoadBalancer as well', default: 'false' },
    {
      name: 'serviceMonitor',
      about: 'true: a ServiceMonitor and a PrometheusRule for the operator',
      default: 'false',
    },
    { name: 'helm', about: 'true: a chart (the same as --helm)', default: 'false' },
  ],
  render(input) {
    const strictly = choose(input, 'spread', ['required', 'preferred']) === 'required';
    return choose(input, 'helm', ['true', 'false']) === 'true'
      ? chart(input, strictly)
      : plain(input, strictly);
  },
};

function plain(input: TargetInput, strictly: boolean): RenderedFile[] {
  return manifestFiles(input.spec, plainValues(input), strictly).map((file) => ({
    name: file.name,
    text: `# ${input.spec.name}, made by holdfast.\n${yamlOf(file)}`,
    secret: file.secret === true,
  }));
}

function plainValues(input: TargetInput): Values {
  const { spec, secrets, options } = input;
  const gateReplicas = Number(options['gateReplicas']);
  if (!Number.isInteger(gateReplicas) || gateReplicas < 1) {
    throw TargetRefused(`gateReplicas: found '${options['gateReplicas']}'; a whole number from 1`);
  }
  const values = secretValues(spec, secrets);
  return {
    namespace: options['namespace'] === '' ? undefined : options['namespace'],
    image: options['image'] ?? '',
    imagePullPolicy: 'IfNotPresent',
    storage: options['storage'] ?? '',
    storageClass: options['storageClass'] ?? '',
    serviceAccount: options['serviceAccount'] ?? '',
    gateReplicas,
    loadBalancer: choose(input, 'loadBalancer', ['true', 'false']) === 'true',
    serviceMonitor: choose(input, 'serviceMonitor', ['true', 'false']) === 'true',
    secret: (key) => values[key] ?? '',
  };
}

/** The chart, and beside it secrets.yaml: values with the passwords, to be given to Helm and not to be committed. */
function chart(input: TargetInput, strictly: boolean): RenderedFile[] {
  const { spec, secrets } = input;
  const folder = `${spec.name}-chart`;
  const templates = manifestFiles(spec, chartValues(), strictly).map((file) => ({
    name: `${folder}/templates/${file.name}`,
    text: helmTemplate(yamlOf(file), file.condition),
    secret: false,
  }));
  return [
    { name: `${folder}/Chart.yaml`, text: chartText(spec), secret: false },
    { name: `${folder}/values.yaml`, text: valuesText(plainValues(input)), secret: false },
    ...templates,
    {
      name: 'secrets.yaml',
      text: `# Passwords of ${spec.name}: helm install -f secrets.yaml. Nobody else may read this file.\n${stringify({ secrets: secretValues(spec, secrets) })}`,
      secret: true,
    },
  ];
}

function chartText(spec: Spec): string {
  return stringify({
    apiVersion: 'v2',
    name: spec.name,
    description: `Highly available Redis: ${spec.name}, rendered by holdfast from its spec`,
    type: 'application',
    version: '0.1.0',
    appVersion: '0.1.0',
  });
}

function valuesText(values: Values): string {
  return [
    '# What depends on the cluster. Everything else is in the spec that this chart was rendered from.',
    '',
    '# The image that holdfast’s Dockerfile builds, in a registry that the cluster reaches.',
    stringify({ image: values.image, imagePullPolicy: values.imagePullPolicy }),
    '# Volume of each member: size, and class (empty: the cluster’s default).',
    stringify({ storage: values.storage, storageClass: values.storageClass }),
    '# Service account of the members, such as one with the role for the backups’ bucket (empty: the default one).',
    stringify({ serviceAccount: values.serviceAccount }),
    '# Number of gates. Clients connect to the Service in front of them.',
    stringify({ gateReplicas: values.gateReplicas }),
    '# Another Service for the gates, of type LoadBalancer, for clients outside the cluster.',
    stringify({ loadBalancer: values.loadBalancer }),
    '# A ServiceMonitor and a PrometheusRule for the Prometheus operator; its resource types must be installed.',
    stringify({ serviceMonitor: values.serviceMonitor }),
    '# Passwords. They are in secrets.yaml, which render wrote beside the chart: helm install -f secrets.yaml',
    stringify({ secrets: {} }),
  ].join('\n');
}

function yamlOf({ manifests }: ManifestFile): string {
  return manifests
    .map((manifest) => stringify(manifest, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n');
}

function choose({ options }: TargetInput, name: string, words: readonly string[]): string {
  const value = options[name] ?? '';
  if (words.includes(value)) return value;
  throw TargetRefused(`${name}: found '${value}'; one of ${words.join(', ')}`);
}
