import { readFileSync } from 'node:fs';
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint, GateTls } from '../config.ts';

/** Opens a connection to a member or a Sentinel, with TLS when the configuration says so. */
export function openSocket(endpoint: Endpoint, tls: GateTls | null, onread?: OnReadOpts): Socket {
  const options = { host: endpoint.address, port: endpoint.port, noDelay: true, keepAlive: true };
  if (tls?.upstream) return connectTls({ ...options, ...readTlsFiles(tls) });
  return connect({ ...options, keepAliveInitialDelay: 15_000, ...(onread ? { onread } : {}) });
}

let cached: { tls: GateTls; files: { cert?: Buffer; key?: Buffer; ca?: Buffer } } | undefined;

/** The files that the configuration names. They are read once: a process that is to see new ones is started anew. */
export function readTlsFiles(tls: GateTls): { cert?: Buffer; key?: Buffer; ca?: Buffer } {
  if (cached?.tls === tls) return cached.files;
  const files = {
    ...(tls.cert ? { cert: readFileSync(tls.cert) } : {}),
    ...(tls.key ? { key: readFileSync(tls.key) } : {}),
    ...(tls.ca ? { ca: readFileSync(tls.ca) } : {}),
  };
  cached = { tls, files };
  return files;
}
