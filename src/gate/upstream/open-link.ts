import { Link, type LinkOptions } from '../../redis/link.ts';
import { type Credentials, type Endpoint, type GateConfig, type GateTls, isPredecessor } from '../config.ts';
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

/** What is needed of the configuration to ask a member, or the predecessor, something as the gate itself. */
export type OwnLogin = Pick<GateConfig, 'memberCredentials' | 'predecessor' | 'tls'>;

/** The same as the gate's own user there. */
export function openOwnLink(
  at: Endpoint,
  { memberCredentials, predecessor, tls }: OwnLogin,
  options: Omit<LinkOptions, 'endpoint' | 'credentials' | 'tls'> = {},
): Link {
  const credentials = isPredecessor({ predecessor }, at) ? predecessor?.credentials : memberCredentials;
  return openLink(at, { credentials: credentials ?? null, tls }, options);
}
