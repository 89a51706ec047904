import type { OnReadOpts, Socket } from 'node:net';
import { readNamedFile, readSecretFile } from '../../base/private-file.ts';
import { openSocket } from '../../redis/open-socket.ts';
import type { Endpoint, GateTls } from '../config.ts';

/** Opens a connection to a member or a Sentinel, with TLS when the configuration says so. */
export function openUpstreamSocket(
  { address, port }: Endpoint,
  tls: GateTls | null,
  onread?: OnReadOpts,
): Socket {
  return openSocket({ host: address, port }, tls?.upstream ? readTlsFiles(tls) : undefined, onread);
}

let cached: { tls: GateTls; files: { cert?: Buffer; key?: Buffer; ca?: Buffer } } | undefined;

/** The files that the configuration names. They are read once: a process that is to see new ones is started anew. */
export function readTlsFiles(tls: GateTls): { cert?: Buffer; key?: Buffer; ca?: Buffer } {
  if (cached?.tls === tls) return cached.files;
  const files = {
    ...(tls.cert ? { cert: readNamedFile(tls.cert) } : {}),
    ...(tls.key ? { key: readSecretFile(tls.key) } : {}),
    ...(tls.ca ? { ca: readNamedFile(tls.ca) } : {}),
  };
  cached = { tls, files };
  return files;
}
