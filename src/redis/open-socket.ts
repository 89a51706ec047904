import { connect, type OnReadOpts, type Socket } from 'node:net';
import { nodeTls } from '../base/node-tls.ts';
import { type Endpoint, isForTls, type TlsMaterial } from './endpoint.ts';

const keepAliveMs = 15_000;

/**
 * Begins to connect to a Redis or a Sentinel.
 * @param tls to speak TLS; not over a server's own Unix socket.
 * @param onread memory to read into, over and over; TLS has no such way.
 */
export function openSocket(endpoint: Endpoint, tls?: TlsMaterial | undefined, onread?: OnReadOpts): Socket {
  const memory = onread ? { onread } : {};
  // One by one: of certificates that are renewed each is told when it is asked for.
  const shown = isForTls(endpoint) &&
    tls && { ca: tls.ca, cert: tls.cert, key: tls.key, secureContext: tls.secureContext };
  if ('path' in endpoint) {
    const { path, leadsTo } = endpoint;
    return shown ? nodeTls().connect({ path, host: leadsTo, ...shown }) : connect({ path, ...memory });
  }
  const { host, port } = endpoint;
  const socket = shown ? nodeTls().connect({ host, port, ...shown }) : connect({ host, port, ...memory });
  return socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
}
