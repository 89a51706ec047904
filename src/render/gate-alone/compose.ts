import { stringify } from 'yaml';
import { envValue } from '../env-file.ts';
import type { RenderedFile } from '../target.ts';
import { type AloneGate, configText, listenEverywhere, type NamedFile, openFiles } from './alone-gate.ts';

const configFile = '/etc/holdfast/gate.json';
const tlsFolder = '/etc/holdfast/tls';

/** Docker Compose: one container with a gate. @param contentOf a file of passwords */
export function gateCompose(
  gate: AloneGate,
  options: Record<string, string>,
  contentOf: (file: NamedFile) => string,
): RenderedFile[] {
  const { name, ports, files, config } = gate;
  const passwords = files.filter(({ isPassword }) => isPassword);
  const pems = files.filter(({ isPassword }) => !isPassword);
  const changes: Record<string, unknown> = listenEverywhere(gate);
  for (const { key } of passwords) {
    changes[key] = undefined;
    changes[key.replace('passwordFile', 'passwordEnv')] = variableOf(key);
  }
  for (const pem of pems) changes[pem.key] = `${tlsFolder}/${pem.name}`;
  const document = {
    name: `${name.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '-')}-gate`,
    services: {
      gate: {
        image: options['image'],
        command: ['gate', '--config', configFile],
        init: true,
        restart: 'unless-stopped',
        stop_grace_period: '1m',
        read_only: true,
        tmpfs: ['/tmp'],
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        ulimits: { nofile: openFiles(gate) },
        ports: ports.map(({ port, local }) => `${local ? '127.0.0.1:' : ''}${port}:${port}`),
        ...(passwords.length === 0 ? {} : { environment: passwords.map(({ key }) => variableOf(key)) }),
        configs: [{ source: 'gate', target: configFile }],
        // The image's user is 10001: a key must be readable by it.
        ...(pems.length === 0
          ? {}
          : { volumes: pems.map((pem) => `${pem.path}:${tlsFolder}/${pem.name}:ro`) }),
      },
    },
    configs: { gate: { file: './gate.json' } },
  };
  const lines = passwords.map((file) => `${variableOf(file.key)}=${envValue(contentOf(file))}`);
  const head = `# A gate in front of ${name} with Docker Compose, made by holdfast. Passwords are in .env, mode 0600.`;
  return [
    { name: 'compose.yaml', text: `${head}\n${stringify(document, { lineWidth: 0 })}`, secret: false },
    { name: 'gate.json', text: configText(config, changes), secret: hasPassword(config) },
    ...(lines.length === 0 ? [] : [{ name: '.env', text: `${lines.join('\n')}\n`, secret: true }]),
  ];
}

function variableOf(key: string): string {
  return key.startsWith('member') ? 'HOLDFAST_GATE_PASSWORD' : 'HOLDFAST_GATE_SENTINEL_PASSWORD';
}

function hasPassword(config: Record<string, unknown>): boolean {
  return /"password":/.test(JSON.stringify(config));
}
