import { connect, type OnReadOpts, type Socket } from 'node:net';
import { nodeTls } from '../base/node-tls.ts';
import type { Endpoint, TlsMaterial } from './endpoint.ts';

const keepAliveMs = 15_000;

/**
 * Begins to connect to a Redis or a Sentinel.
 * @param tls to speak TLS; not over Unix sockets.
 * @param onread memory to read into, over and over; TLS has no such way.
 */
export function openSocket(endpoint: Endpoint, tls?: TlsMaterial | undefined, onread?: OnReadOpts): Socket {
  const memory = onread ? { onread } : {};
  if ('path' in endpoint) return connect({ path: endpoint.path, ...memory });
  const { host, port } = endpoint;
  // One by one: of certificates that are renewed each is told when it is asked for.
  const shown = tls && { ca: tls.ca, cert: tls.cert, key: tls.key };
  const socket = shown ? nodeTls().connect({ host, port, ...shown }) : connect({ host, port, ...memory });
  return socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
}
