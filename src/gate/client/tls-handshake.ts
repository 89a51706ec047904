import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { nodeTls } from '../../base/node-tls.ts';
import type { GateTls } from '../config.ts';
import { readTlsFiles } from '../upstream/open-socket.ts';

const handshakeMs = 5000;

/** Speaks TLS on an accepted socket. `onSecure` gets it once the handshake is over; one that takes too long is cut. */
export function secure(socket: Socket, tls: GateTls, onSecure: (secured: TLSSocket) => void): void {
  const { verifyClients } = tls;
  const secured = new (nodeTls().TLSSocket)(socket, {
    isServer: true,
    ...readTlsFiles(tls),
    requestCert: verifyClients === true,
    rejectUnauthorized: verifyClients === true,
  });
  const timer = setTimeout(() => secured.destroy(), handshakeMs);
  socket.on('error', () => {});
  secured.on('error', () => secured.destroy());
  secured.on('close', () => clearTimeout(timer));
  secured.once('secure', () => {
    clearTimeout(timer);
    onSecure(secured);
  });
}
