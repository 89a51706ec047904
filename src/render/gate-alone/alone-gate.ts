import { BadGateFile } from '../errors.ts';

/**
 * A gate without an agent, as its configuration file has it (gate/config-file.ts): what of it matters for how it is run.
 * The gate itself checks the rest when it starts.
 */
export interface AloneGate {
  /** What the Sentinels call the primary. */
  name: string;
  /** Where it listens; `local`: for this machine only. */
  ports: { name: 'redis' | 'redis-replicas' | 'metrics'; port: number; local: boolean }[];
  /** Passwords and PEM files that the configuration names, wherever they are. */
  files: NamedFile[];
  clients: number;
  config: Record<string, unknown>;
}

export interface NamedFile {
  /** In the configuration: `memberCredentials.passwordFile`, `tls.ca`… */
  key: string;
  /** A short name for it: `member-password`, `ca.pem`… */
  name: string;
  path: string;
  isPassword: boolean;
}

const filesOf = [
  ['memberCredentials.passwordFile', 'member-password', true],
  ['sentinelCredentials.passwordFile', 'sentinel-password', true],
  ['predecessor.credentials.passwordFile', 'predecessor-password', true],
  ['tls.ca', 'ca.pem', false],
  ['tls.cert', 'cert.pem', false],
  ['tls.key', 'key.pem', false],
] as const;

/** Whether a file's text is a gate's configuration and no spec. */
export function isGateFile(text: string): boolean {
  return /^\s*\{/.test(text) && /"listen"\s*:/.test(text);
}

/** @throws BAD_GATE_FILE */
export function aloneGate(text: string, file: string): AloneGate {
  const refuse = (wrong: string) =>
    BadGateFile(`${file}: ${wrong}`, { hint: '`holdfast gate … --print-config` prints such a file.' });
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw refuse('it is not JSON');
  }
  const { deployment: name, sentinels, members } = config;
  if (typeof name !== 'string' || !/^[a-zA-Z0-9][\w.-]*$/.test(name)) {
    throw refuse('deployment must be a name of letters, digits, dots, dashes and underscores');
  }
  if (!Array.isArray(sentinels) && !Array.isArray(members)) throw refuse('it names no sentinels');
  const ports = (
    [
      ['redis', 'listen'],
      ['redis-replicas', 'replicaListen'],
      ['metrics', 'metricsListen'],
    ] as const
  ).flatMap(([port, key]) => {
    const found = at(config, `${key}.port`);
    if (found === undefined) return [];
    if (!Number.isInteger(found)) throw refuse(`${key}.port must be a port`);
    const local = /^(127\.|::1$|localhost$)/.test(String(at(config, `${key}.host`)));
    return [{ name: port, port: found as number, local }];
  });
  const files = filesOf.flatMap(([key, short, isPassword]) => {
    const path = at(config, key);
    return typeof path === 'string' ? [{ key, name: short, path, isPassword }] : [];
  });
  const clients = at(config, 'limits.clients');
  return { name, ports, files, clients: typeof clients === 'number' ? clients : 20_000, config };
}

function at(config: Record<string, unknown>, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) => {
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined;
  }, config);
}

/** The configuration with other values at some keys, as text; undefined takes a key out. */
export function configText(config: Record<string, unknown>, changes: Record<string, unknown>): string {
  const copy = structuredClone(config);
  for (const [key, value] of Object.entries(changes)) {
    const parts = key.split('.');
    const last = parts.pop() as string;
    const parent =
      parts.length === 0 ? copy : (at(copy, parts.join('.')) as Record<string, unknown> | undefined);
    if (parent !== undefined && parent !== null) parent[last] = value;
  }
  return `${JSON.stringify(copy, null, 2)}\n`;
}

/** The same without passwords that stand in it, to be shown. */
export function withoutPasswords(gate: AloneGate): AloneGate {
  const keys = ['memberCredentials', 'sentinelCredentials', 'predecessor.credentials'].filter(
    (key) => at(gate.config, `${key}.password`) !== undefined,
  );
  const changes = Object.fromEntries(keys.map((key) => [`${key}.password`, `<password of ${key}>`]));
  return { ...gate, config: JSON.parse(configText(gate.config, changes)) as Record<string, unknown> };
}

/** In a container a gate listens on all of its addresses. */
export function listenEverywhere({ config }: AloneGate): Record<string, unknown> {
  const keys = ['listen', 'replicaListen', 'metricsListen'].filter(
    (key) => at(config, `${key}.port`) !== undefined,
  );
  return Object.fromEntries(keys.map((key) => [`${key}.host`, '0.0.0.0']));
}

/** A client and its connection to a server each take a file. */
export function openFiles({ clients }: AloneGate): number {
  return clients * 2 + 1000;
}
