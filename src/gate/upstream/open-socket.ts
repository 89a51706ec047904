import type { OnReadOpts, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { errorCode, errorText } from '../../base/errors.ts';
import { stampOfFiles } from '../../base/file-stamp.ts';
import { nodeTls } from '../../base/node-tls.ts';
import { isOutOfFiles } from '../../base/open-files.ts';
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
  /** This process may open no more files: the server has nothing to do with it. */
  onNoRoom(): void;
}

/** Tells when a connection is there, TLS included, and when it is gone. */
export function watchSocket(
  socket: Socket,
  tls: GateTls | null,
  connectMs: number,
  { onConnect, onFailed, onNoRoom }: SocketEvents,
): void {
  const timer = setTimeout(() => onFailed(`no connection within ${connectMs} ms`), connectMs);
  socket.on(tls?.upstream ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer);
    onConnect();
  });
  socket.on('error', (error) => (isOutOfFiles(errorCode(error)) ? onNoRoom() : onFailed(errorText(error))));
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
const cached = new WeakMap<GateTls, Read & { lookedAtMs: number; failure: Failure | null }>();

interface Read {
  material: Material;
  stamp: string;
}

/** Files that could not be taken up, and how often they were found so: they may be about to be renewed, one after the other. */
interface Failure {
  stamp: string;
  why: string;
  times: number;
}

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
  if (last?.stamp === stamp) {
    cached.set(tls, { ...last, lookedAtMs: nowMs, failure: null });
    return last.material;
  }
  try {
    const material = readFiles(tls);
    cached.set(tls, { material, stamp, lookedAtMs: nowMs, failure: null });
    return material;
  } catch (error) {
    // They can't be used yet: they are looked at again.
    if (last === undefined) throw error;
    const times = last.failure?.stamp === stamp ? last.failure.times + 1 : 1;
    cached.set(tls, { ...last, lookedAtMs: nowMs, failure: { stamp, why: errorText(error), times } });
    return last.material;
  }
}

/** Why the files that are there now are not taken up, once that has been so for a moment; null when they are. */
export function whyNotRenewed(tls: GateTls): string | null {
  readTlsFiles(tls);
  const failure = cached.get(tls)?.failure ?? null;
  return failure !== null && failure.times > 1 ? failure.why : null;
}

function readFiles(tls: GateTls): Material {
  const files = {
    ...(tls.cert ? { cert: readNamedFile(tls.cert) } : {}),
    ...(tls.key ? { key: readSecretFile(tls.key) } : {}),
    ...(tls.ca ? { ca: readNamedFile(tls.ca) } : {}),
  };
  return { ...files, secureContext: nodeTls().createSecureContext(files) };
}
