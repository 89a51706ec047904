import { Link, type LinkOptions } from '../../redis/link.ts';
import type { Credentials, Endpoint, GateTls } from '../config.ts';
import { readTlsFiles } from './open-socket.ts';

/** The gate's own small connection to a member or a Sentinel, for its own questions. */
export function openLink(
  { address, port }: Endpoint,
  login: { credentials: Credentials | null; tls: GateTls | null },
  options: Omit<LinkOptions, 'endpoint' | 'credentials' | 'tls'> = {},
): Link {
  const { credentials, tls } = login;
  return new Link({
    ...options,
    endpoint: { host: address, port },
    credentials: credentials ?? undefined,
    tls: tls?.upstream ? readTlsFiles(tls) : undefined,
  });
}
