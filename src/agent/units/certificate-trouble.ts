import { X509Certificate } from 'node:crypto';
import { errorText } from '../../base/errors.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** As the doctor calls it critical; of one that is short-lived by intent, the last tenth. */
const tellMs = 7 * dayMs;
const tellShare = 0.1;

/** When a certificate is valid, in ms of the wall clock, or what is wrong with it. */
export type Life = { fromMs: number; toMs: number } | string;

/** @param cert PEM */
export function lifeOf(cert: string): Life {
  try {
    const { validFrom, validTo } = new X509Certificate(cert);
    return { fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) };
  } catch (error) {
    return `the certificate of security.tls can't be read: ${errorText(error)}`;
  }
}

/** What `status` says of a certificate that ends soon, or is none; null: nothing. */
export function certificateTrouble(life: Life, nowMs: number): string | null {
  if (typeof life === 'string') return life;
  const leftMs = life.toMs - nowMs;
  if (leftMs > Math.min(tellMs, (life.toMs - life.fromMs) * tellShare)) return null;
  const [hours, days] = [Math.floor(leftMs / hourMs), Math.floor(leftMs / dayMs)];
  const left = days > 1 ? `${days} days` : `${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  const when = leftMs <= 0 ? 'has ended' : `ends in ${left}`;
  return `the certificate of security.tls ${when}: replication, Sentinels and clients stop with it`;
}
