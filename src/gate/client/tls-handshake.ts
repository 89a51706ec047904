import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { nodeTls } from '../../base/node-tls.ts';
import type { GateTls } from '../config.ts';
import { readTlsFiles } from '../upstream/open-socket.ts';

const handshakeMs = 5000;

/**
 * Speaks TLS on an accepted socket. `onSecure` gets it once the handshake is over; one that takes too long is cut, and with
 * `verifyClients` who shows no certificate of the authority. The latter is for a server of node:tls to say: a TLSSocket of its
 * own has `rejectUnauthorized` ask for a certificate, and takes any.
 */
export function secure(socket: Socket, tls: GateTls, onSecure: (secured: TLSSocket) => void): void {
  const { verifyClients } = tls;
  const server = nodeTls().createServer({
    ...readTlsFiles(tls),
    requestCert: verifyClients === true,
    rejectUnauthorized: verifyClients === true,
    handshakeTimeout: handshakeMs,
  });
  socket.on('error', () => {});
  server.once('tlsClientError', (_error, secured) => secured.destroy());
  server.once('secureConnection', (secured) => {
    secured.on('error', () => secured.destroy());
    onSecure(secured);
  });
  server.emit('connection', socket);
}
