import { existsSync } from 'node:fs';
import type { SecureContext } from 'node:tls';

export interface TcpEndpoint {
  host: string;
  port: number;
}

/**
 * Where a server is, and how one gets in. A Unix socket is the server's own, where nobody speaks TLS, unless it leads to a
 * port of another host: then what holds for that port holds for it. `otherwise` is where that server listens besides.
 */
export type Endpoint = { path: string; leadsTo?: string; otherwise?: TcpEndpoint } | TcpEndpoint;

/**
 * Where to connect now: whoever removed a socket's file, as what cleans folders up does, has not ended its server, which
 * nobody could ask then.
 */
export function wayTo(endpoint: Endpoint): Endpoint {
  const isMissing = 'path' in endpoint && endpoint.otherwise !== undefined && !existsSync(endpoint.path);
  return isMissing ? (endpoint.otherwise as TcpEndpoint) : endpoint;
}

/** Whether one who has certificates uses them there. */
export function isForTls(endpoint: Endpoint): boolean {
  return !('path' in endpoint) || endpoint.leadsTo !== undefined;
}

export interface Credentials {
  /** Empty for a server that knows only one password. */
  username: string;
  password: string;
  /** Whence the password was taken, in words that anyone may read: `the file /etc/old.password`; undefined where nobody noted it. */
  from?: string | undefined;
}

/** Where a server says that another one is. */
export interface Address {
  address: string;
  port: number;
}

/** PEM texts. */
export interface TlsTexts {
  ca: string;
  cert: string;
  key: string;
}

/**
 * What a TLS client may bring; without `ca` the system's authorities count. Whoever opens many connections makes the same
 * ready once, as `secureContext`.
 */
export type TlsMaterial = { [Part in keyof TlsTexts]?: string | Buffer } & {
  secureContext?: SecureContext | undefined;
};

export function describeEndpoint(endpoint: Endpoint): string {
  return 'path' in endpoint ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
}

/** An address as Redis and Sentinels write it; undefined when the port is none. */
export function addressOf(address: string | undefined, port: string | undefined): Address | undefined {
  const number = Number(port);
  if (!address || !Number.isInteger(number) || number < 1 || number > 65_535) return undefined;
  return { address, port: number };
}
