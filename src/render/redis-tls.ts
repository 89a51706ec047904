import type { TlsFiles } from '../spec/spec.ts';
import { directive } from './redis-quote.ts';

/** The port and TLS directives that redis.conf and sentinel.conf have in common. */
export function portLines(port: number, tls: TlsFiles | null): string[] {
  if (tls === null) return [directive('port', port)];
  return [
    '# TLS only: the plain port is closed. Servers show their certificate to each other; clients need none.',
    directive('port', 0),
    directive('tls-port', port),
    directive('tls-cert-file', tls.cert),
    directive('tls-key-file', tls.key),
    directive('tls-ca-cert-file', tls.ca),
    directive('tls-auth-clients', 'optional'),
    directive('tls-replication', 'yes'),
  ];
}
