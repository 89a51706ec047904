import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { parseSize } from '../base/size.ts';
import { type Endpoint, type GateTls, movedFileOf } from '../gate/config.ts';
import type { GateFileInput } from '../gate/config-file.ts';
import type { CommonOptions } from './verb.ts';

/** What `holdfast gate` is told, and the configuration that it makes of it. */
export interface GateOptions extends CommonOptions {
  config?: string;
  printConfig?: boolean;
  upstream?: Endpoint;
  sentinel?: Endpoint[];
  predecessor?: Endpoint;
  predecessorUser?: string;
  predecessorPasswordFile?: string;
  control?: string;
  name?: string;
  id: string;
  listen: Endpoint;
  replicaListen?: Endpoint;
  metrics?: Endpoint;
  user?: string;
  passwordFile?: string;
  sentinelUser: string;
  sentinelPasswordFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  tlsVerifyClients?: boolean;
  tlsUpstream?: boolean;
  workers: number;
  hold: number;
  inflightWrites: 'fail' | 'retry-idempotent';
  durability: 'async' | 'replicated';
  maxLag: number;
  replicaFallback: 'primary' | 'error';
  proxyProtocol?: boolean;
  limit: Record<string, number>;
}

export function gateInput(options: GateOptions): GateFileInput {
  const { upstream, sentinel, id, limit } = options;
  const tls = tlsOf(options);
  return {
    deployment: options.name ?? 'standalone',
    id,
    listen: listenOn(options.listen),
    ...(options.replicaListen ? { replicaListen: listenOn(options.replicaListen) } : {}),
    ...(options.metrics ? { metricsListen: listenOn(options.metrics) } : {}),
    ...(upstream ? { members: [{ id: `${upstream.address}:${upstream.port}`, ...upstream }] } : {}),
    ...(sentinel ? { sentinels: sentinel } : {}),
    ...(options.control ? { controlSocket: path.resolve(options.control) } : {}),
    ...predecessorOf(options),
    ...credentialsOf('memberCredentials', options.user ?? 'default', options.passwordFile),
    ...credentialsOf('sentinelCredentials', options.sentinelUser, options.sentinelPasswordFile),
    holdMs: options.hold,
    inflightWrites: options.inflightWrites,
    durability: options.durability,
    workers: options.workers,
    maxLagMs: options.maxLag,
    replicaFallback: options.replicaFallback,
    ...(options.proxyProtocol ? { proxyProtocol: true } : {}),
    ...(tls ? { tls } : {}),
    ...(Object.keys(limit).length > 0 ? { limits: limit } : {}),
  };
}

function listenOn({ address, port }: Endpoint): { host: string; port: number } {
  return { host: address, port };
}

/** What notes that the clients have moved lies beside the control socket, over which they are moved. */
function predecessorOf({
  predecessor,
  predecessorUser,
  predecessorPasswordFile,
  control,
}: GateOptions): Pick<GateFileInput, 'predecessor'> {
  if (predecessor === undefined || control === undefined) return {};
  return {
    predecessor: {
      ...predecessor,
      movedFile: movedFileOf(path.resolve(control)),
      ...credentialsOf('credentials', predecessorUser ?? 'default', predecessorPasswordFile),
    },
  };
}

/** The password stays in its file, so that what is printed or handed on holds none. */
function credentialsOf(key: string, username: string, file: string | undefined): object {
  return file === undefined ? {} : { [key]: { username, passwordFile: path.resolve(file) } };
}

function tlsOf({ tlsCert, tlsKey, tlsCa, tlsVerifyClients, tlsUpstream }: GateOptions): GateTls | null {
  if (tlsCert === undefined && tlsCa === undefined && !tlsUpstream) return null;
  return {
    ...(tlsCert ? { cert: path.resolve(tlsCert) } : {}),
    ...(tlsKey ? { key: path.resolve(tlsKey) } : {}),
    ...(tlsCa ? { ca: path.resolve(tlsCa) } : {}),
    ...(tlsVerifyClients ? { verifyClients: true } : {}),
    ...(tlsUpstream ? { upstream: true } : {}),
  };
}

export function parseAddress(text: string): Endpoint {
  const match = /^(?:\[([^\]]+)\]|([^:,\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new InvalidArgumentError('Say address:port, as in 127.0.0.1:6379.');
  return { address: (match[1] ?? match[2]) as string, port };
}

/** Several, with commas, or the option several times. */
export function parseAddresses(text: string, before: Endpoint[] = []): Endpoint[] {
  return [...before, ...text.split(',').map((each) => parseAddress(each.trim()))];
}

export function parseMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Say a duration, as in 500ms, 10s or 1m.');
  return ms;
}

export function parseWorkers(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new InvalidArgumentError('Say a number from 1 to 64.');
  return Number(text);
}

const limits = {
  clients: 'count',
  elements: 'count',
  bulkBytes: 'size',
  requestBytes: 'size',
  replyBytes: 'size',
  totalBytes: 'size',
  unauthenticatedMs: 'duration',
  connectMs: 'duration',
} as const;
export const limitNames = Object.keys(limits).join(', ');

/** `clients=20000`, `replyBytes=64mb`, `unauthenticatedMs=10s`. */
export function parseLimit(text: string, before: Record<string, number>): Record<string, number> {
  const [name = '', value = ''] = text.split('=');
  const kind = (limits as Record<string, string | undefined>)[name];
  if (kind === undefined) throw new InvalidArgumentError(`Say NAME=VALUE with one of ${limitNames}.`);
  const count = /^\d+$/.test(value) ? Number(value) : undefined;
  const other = kind === 'size' ? parseSize(value) : kind === 'duration' ? parseDuration(value) : undefined;
  const found = count ?? other;
  if (found === undefined) {
    throw new InvalidArgumentError(
      `${name} takes a ${kind}, as in ${kind === 'size' ? '64mb' : kind === 'duration' ? '10s' : '20000'}.`,
    );
  }
  return { ...before, [name]: found };
}
