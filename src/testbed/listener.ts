import type { Credentials, Endpoint, TlsTexts } from '../redis/endpoint.ts';

/** Where clients connect, and as whom. */
export interface Listener {
  /** Unique in its deployment: `gate-1`, `gate-1 read-only`. */
  id: string;
  /** What it promises: the primary's data, or a replica's. */
  to: 'primary' | 'replica';
  /** The host that it is on. */
  host: string;
  endpoint: Endpoint;
  credentials?: Credentials | undefined;
  tls?: TlsTexts | undefined;
}
