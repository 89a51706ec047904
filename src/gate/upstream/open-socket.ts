import type { OnReadOpts, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { errorText } from '../../base/errors.ts';
import { stampOfFiles } from '../../base/file-stamp.ts';
import { nodeTls } from '../../base/node-tls.ts';
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

interface SocketEvents {
  onConnect(): void;
  /** It is gone for good, or never came; said more than once. */
  onFailed(reason: string): void;
}

/** Tells when a connection is there, TLS included, and when it is gone. */
export function watchSocket(
  socket: Socket,
  tls: GateTls | null,
  connectMs: number,
  { onConnect, onFailed }: SocketEvents,
): void {
  const timer = setTimeout(() => onFailed(`no connection within ${connectMs} ms`), connectMs);
  socket.on(tls?.upstream ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer);
    onConnect();
  });
  socket.on('error', (error) => onFailed(errorText(error)));
  socket.on('end', () => onFailed('the server closed the connection'));
  socket.on('close', () => {
    clearTimeout(timer);
    onFailed('the connection closed');
  });
}

/** What of the files is shown, and the same made ready, once for all connections that are opened until they are renewed. */
type Material = { cert?: Buffer; key?: Buffer; ca?: Buffer; secureContext: SecureContext };

const lookEveryMs = 1000;

/** The files of a configuration, or of a route's or a mirror's, as they were last read whole. */
const cached = new WeakMap<GateTls, { material: Material; stamp: string; lookedAtMs: number }>();

/**
 * The files that the configuration names: the same object until they are renewed. Renewed ones are taken up by connections
 * that are opened from then on; while a certificate does not belong to its key, or can't be read, the ones of before stay.
 * @throws what reading throws, at first
 */
export function readTlsFiles(tls: GateTls): Material {
  const nowMs = performance.now();
  const last = cached.get(tls);
  if (last !== undefined && nowMs - last.lookedAtMs < lookEveryMs) return last.material;
  const stamp = stampOfFiles([tls.cert, tls.key, tls.ca].filter((file) => file !== undefined));
  const present =
    last === undefined
      ? { material: readFiles(tls), stamp }
      : last.stamp === stamp
        ? last
        : (renewed(tls, stamp) ?? last);
  cached.set(tls, { ...present, lookedAtMs: nowMs });
  return present.material;
}

/** Nothing when they can't be used yet: they are looked at again. */
function renewed(tls: GateTls, stamp: string): { material: Material; stamp: string } | undefined {
  try {
    return { material: readFiles(tls), stamp };
  } catch {
    return undefined;
  }
}

function readFiles(tls: GateTls): Material {
  const files = {
    ...(tls.cert ? { cert: readNamedFile(tls.cert) } : {}),
    ...(tls.key ? { key: readSecretFile(tls.key) } : {}),
    ...(tls.ca ? { ca: readNamedFile(tls.ca) } : {}),
  };
  return { ...files, secureContext: nodeTls().createSecureContext(files) };
}
