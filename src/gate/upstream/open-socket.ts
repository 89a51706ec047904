import type { OnReadOpts, Socket } from 'node:net';
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

type Files = { cert?: Buffer; key?: Buffer; ca?: Buffer };

const lookEveryMs = 1000;

/** The files of one configuration as they were last read whole. */
let cached: { tls: GateTls; files: Files; stamp: string; lookedAtMs: number } | undefined;

/**
 * The files that the configuration names. Renewed ones are taken up by connections that are opened from then on; while a
 * certificate does not belong to its key, or can't be read, the ones of before stay. @throws what reading throws, at first
 */
export function readTlsFiles(tls: GateTls): Files {
  const nowMs = performance.now();
  if (cached?.tls === tls && nowMs - cached.lookedAtMs < lookEveryMs) return cached.files;
  const stamp = stampOfFiles([tls.cert, tls.key, tls.ca].filter((file) => file !== undefined));
  if (cached?.tls !== tls) cached = { tls, files: readFiles(tls), stamp, lookedAtMs: nowMs };
  else if (cached.stamp === stamp) cached.lookedAtMs = nowMs;
  else cached = { ...cached, ...renewed(tls, stamp), lookedAtMs: nowMs };
  return cached.files;
}

/** Nothing when they can't be used yet: they are looked at again. */
function renewed(tls: GateTls, stamp: string): { files: Files; stamp: string } | undefined {
  try {
    const files = readFiles(tls);
    nodeTls().createSecureContext(files);
    return { files, stamp };
  } catch {
    return undefined;
  }
}

function readFiles(tls: GateTls): Files {
  return {
    ...(tls.cert ? { cert: readNamedFile(tls.cert) } : {}),
    ...(tls.key ? { key: readSecretFile(tls.key) } : {}),
    ...(tls.ca ? { ca: readNamedFile(tls.ca) } : {}),
  };
}
