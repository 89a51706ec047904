import type { GateTls } from '../config.ts';
import type { Confirm } from './confirmed-reading.ts';
import type { Patience } from './patience.ts';

export interface UpstreamOptions {
  connectMs: number;
  tls: GateTls | null;
  confirm: Confirm;
  /** Whether all answers to clients are confirmed, and not only those to what may write. */
  confirmsReads: boolean;
  /** For how long slow readers may hold up others, on all connections together. */
  patience: Patience;
}
