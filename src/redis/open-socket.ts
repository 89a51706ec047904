import { connect, type OnReadOpts, type Socket } from 'node:net';
import { nodeTls } from '../base/node-tls.ts';
import { type Endpoint, isForTls, type TlsMaterial } from './endpoint.ts';

const keepAliveMs = 15_000;
/** By the socket that speaks TLS: the one of the network under it. */
const carriers = new WeakMap<Socket, Socket>();

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
  const socket = connect({ host, port, ...(shown ? {} : memory) });
  socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
  if (!shown) return socket;
  const secured = nodeTls().connect({ socket, host, ...shown });
  carriers.set(secured, socket);
  return secured;
}

/**
 * Ends a connection on which nobody waits for an answer any more, and takes back what was sent and did not arrive. The kernel goes
 * on sending what lies in a socket that was only closed, for a minute and longer: when the network is whole again, the server
 * would execute a write of which its client has heard that it is uncertain, behind what was written since.
 */
export function abandonSocket(socket: Socket): void {
  const carrier = carriers.get(socket) ?? socket;
  // One that is not connected has sent nothing; of a Unix socket nothing is under way.
  if (!carrier.connecting && !carrier.destroyed && carrier.remotePort !== undefined) {
    carrier.resetAndDestroy();
    // It would wait until all is sent.
    carrier.destroy();
  }
  socket.destroy();
}
