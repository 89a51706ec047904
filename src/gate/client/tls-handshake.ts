import type { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { errorText } from '../../base/errors.ts';
import { nodeTls } from '../../base/node-tls.ts';
import type { GateTls } from '../config.ts';
import { BadGateConfig } from '../errors.ts';
import { readTlsFiles } from '../upstream/open-socket.ts';

type Shown = ReturnType<typeof readTlsFiles>;

const usualHandshakeMs = 5000;

/**
 * Speaks TLS on the accepted sockets of one listener. With `verifyClients` who shows no certificate of the authority is cut.
 * That is for a server of node:tls to say: a TLSSocket of its own has `rejectUnauthorized` ask for a certificate, and takes any.
 * Certificates are read once, and again when their files are renewed, for whoever comes then.
 */
export class TlsHandshakes {
  readonly #tls: GateTls;
  readonly #server: Server;
  #shown: Shown;
  /** Whose handshakes are under way, by both ends of their connections. */
  readonly #waiting = new Map<string, (secured: TLSSocket) => void>();

  /**
   * @param handshakeMs how long a handshake may take, however much of it comes meanwhile
   * @throws GATE_CONFIG when the files of `tls` can't be read, or do not belong together
   */
  constructor(tls: GateTls, handshakeMs = usualHandshakeMs) {
    this.#tls = tls;
    try {
      this.#shown = readTlsFiles(tls);
    } catch (error) {
      throw BadGateConfig(`tls: ${tls.cert} and ${tls.key} can't be used: ${errorText(error)}`, {
        cause: error,
      });
    }
    const asked = tls.verifyClients === true;
    this.#server = nodeTls().createServer({
      ...filesOf(this.#shown),
      requestCert: asked,
      rejectUnauthorized: asked,
      handshakeTimeout: handshakeMs,
    });
    this.#server.on('tlsClientError', (_error, secured) => secured.destroy());
    this.#server.on('secureConnection', (secured) => {
      const ends = endsOf(secured);
      const onSecure = this.#waiting.get(ends);
      this.#waiting.delete(ends);
      secured.on('error', () => secured.destroy());
      // It is gone already.
      if (onSecure === undefined) secured.destroy();
      else onSecure(secured);
    });
  }

  /** `onSecure` gets the socket once its handshake is over; one that takes too long is cut. */
  begin(socket: Socket, onSecure: (secured: TLSSocket) => void): void {
    socket.on('error', () => {});
    const ends = endsOf(socket);
    this.#waiting.set(ends, onSecure);
    socket.once('close', () => {
      if (this.#waiting.get(ends) === onSecure) this.#waiting.delete(ends);
    });
    const shown = readTlsFiles(this.#tls);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#server.setSecureContext(filesOf(shown));
    }
    this.#server.emit('connection', socket);
  }
}

/** No other connection has the same two while this one is open. */
function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}

function filesOf({ cert, key, ca }: Shown) {
  return { cert, key, ca };
}
