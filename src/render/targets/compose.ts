import { stringify } from 'yaml';
import { clientPassword } from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import {
  containerSpec,
  containerSpecFile,
  containerState,
  nodeCount,
  secretsFolder,
  specText,
  userKey,
} from '../container-spec.ts';
import { envValue } from '../env-file.ts';
import { openFilesFor } from '../host-settings.ts';
import type { RenderedFile, Target, TargetInput } from '../target.ts';

/** Docker Compose on one machine: for development and tests, since one machine is one point of failure. */
export const composeTarget: Target = {
  name: 'compose',
  summary: 'Docker Compose: a container a node, with volumes and secrets',
  options: [
    { name: 'image', about: 'the image that the Dockerfile builds', default: 'holdfast:latest' },
    { name: 'network', about: 'the first three numbers of the containers’ addresses', default: '10.89.77' },
  ],
  render: (input) => {
    const nodes = Array.from({ length: nodeCount(input.spec) }, (_, index) => ({
      id: `node-${index + 1}`,
      // Fixed addresses: Sentinels keep what they know of a container that is down, which has no name in DNS.
      address: `${input.options['network']}.${index + 11}`,
    }));
    const spec = containerSpec(input.spec, nodes, true);
    return [
      { name: 'compose.yaml', text: composeText(spec, input), secret: false },
      { name: 'holdfast.yaml', text: specText(spec), secret: false },
      environmentFile(input),
    ];
  },
};

/** The secrets of a deployment: the name of each in compose.yaml, and its variable in .env. */
function secretNames(spec: Spec): { name: string; key: string; variable: string }[] {
  return [
    { name: 'deployment-secret', key: 'secret', variable: 'HOLDFAST_SECRET' },
    ...spec.security.users.map((user, index) => ({
      name: `password-${index + 1}`,
      key: userKey(user.name),
      variable: `HOLDFAST_PASSWORD_${index + 1}`,
    })),
    ...(usesBucket(spec)
      ? [{ name: 'aws-credentials', key: 'aws-credentials', variable: 'HOLDFAST_AWS_CREDENTIALS' }]
      : []),
  ];
}

function usesBucket({ backup }: Spec): boolean {
  return backup?.to.startsWith('s3://') === true;
}

function composeText(spec: Spec, { options }: TargetInput): string {
  const names = secretNames(spec);
  const document = {
    name: spec.name.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '-'),
    services: Object.fromEntries(spec.hosts.map((host, index) => [host.id, service(spec, index, options)])),
    networks: { redis: { ipam: { config: [{ subnet: `${options['network']}.0/24` }] } } },
    volumes: Object.fromEntries(spec.hosts.map(({ id }) => [id, {}])),
    configs: { spec: { file: './holdfast.yaml' } },
    secrets: Object.fromEntries(names.map(({ name, variable }) => [name, { environment: variable }])),
  };
  const [first] = spec.gates;
  return [
    `# ${spec.name} with Docker Compose, made by holdfast. Each node runs an agent with a Redis, a Sentinel and a gate.`,
    `# Passwords are in .env beside this file, mode 0600. Connect to 127.0.0.1:${first?.port}.`,
    stringify(document, { lineWidth: 0 }),
  ].join('\n');
}

function service(spec: Spec, index: number, options: Record<string, string>): object {
  const host = spec.hosts[index] as Spec['hosts'][number];
  const gate = spec.gates[index] as Spec['gates'][number];
  const publish = (port: number, step: number) => `127.0.0.1:${port + index * step}:${port}`;
  const listeners = [gate.port, ...(gate.replicaPort === null ? [] : [gate.replicaPort])];
  return {
    image: options['image'],
    hostname: host.id,
    command: ['up', containerSpecFile, '--host', host.id, '--state-dir', containerState, '--wait', '5m'],
    ...(usesBucket(spec)
      ? { environment: { AWS_SHARED_CREDENTIALS_FILE: `${secretsFolder}/aws-credentials` } }
      : {}),
    init: true,
    restart: 'unless-stopped',
    // SIGTERM stops replicas first, and every server saves its data.
    stop_grace_period: '5m',
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    sysctls: { 'net.core.somaxconn': 4096 },
    ulimits: { nofile: openFilesFor(spec) },
    ...(spec.redis.maxMemoryBytes === null
      ? {}
      : { mem_limit: Math.ceil(spec.redis.maxMemoryBytes * 2.5) + 2 ** 29 }),
    networks: { redis: { ipv4_address: host.address } },
    // The ports of the first node have the spec's ports, those of the others 10, 20… more; the APIs 1, 2… more.
    ports: [...listeners.map((port) => publish(port, 10)), publish(spec.agent.port, 1)],
    volumes: [`${host.id}:/var/lib/holdfast`],
    configs: [{ source: 'spec', target: containerSpecFile }],
    secrets: secretNames(spec).map(({ name, key }) => ({ source: name, target: `${secretsFolder}/${key}` })),
    healthcheck: {
      test: ['CMD', 'node', '-e', healthProgram(spec.agent.port)],
      interval: '5s',
      timeout: '5s',
      retries: 3,
      start_period: '30s',
    },
  };
}

/** Healthy when the agent answers. Whether the deployment is, is a question for `holdfast status`. */
function healthProgram(port: number): string {
  return `fetch('http://127.0.0.1:${port}/').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
}

function environmentFile({ spec, secrets }: TargetInput): RenderedFile {
  const values = [secrets.root, ...spec.security.users.map(({ name }) => secrets.users[name] ?? '')];
  const lines = secretNames(spec)
    .slice(0, values.length)
    .map(({ variable }, index) => `${variable}=${envValue(values[index] ?? '')}`);
  const comment = '# Passwords for compose.yaml, made by holdfast. Nobody else may read this file.';
  const password = clientPassword(spec, secrets);
  const forClients =
    password === null
      ? []
      : [
          '# Clients log in with this one (redis-cli -a, or REDISCLI_AUTH).',
          `REDISCLI_AUTH=${envValue(password)}`,
        ];
  const forApi = [
    '# The APIs want this one, as a bearer token, from outside of the containers.',
    `HOLDFAST_API_TOKEN=${envValue(secrets.apiToken)}`,
  ];
  const forBucket = usesBucket(spec)
    ? [
        '# Keys for the backups’ bucket, as an AWS credentials file; none where the machine has a role. In this form:',
        String.raw`# HOLDFAST_AWS_CREDENTIALS="[default]\naws_access_key_id = …\naws_secret_access_key = …\n"`,
        "HOLDFAST_AWS_CREDENTIALS='# none'",
      ]
    : [];
  const all = [comment, ...lines, ...forClients, ...forApi, ...forBucket];
  return { name: '.env', text: `${all.join('\n')}\n`, secret: true };
}
