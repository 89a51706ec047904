/**
 * What of a member's settings can keep the deployment from what it is for (drift-harm.ts), as one text: asked in one write, every
 * two seconds, and only compared with what it was. So such a change is seen soon, and an idle agent pays for no more: all
 * settings are asked when this text changes, and now and then.
 */
import type { RedisConnection } from '../../redis/connection.ts';

const settings = ['appendonly', 'save', 'min-replicas-to-write', 'masteruser', 'masterauth'] as const;

/** A password is in it: it is compared, and shown to nobody. @throws REDIS_UNREACHABLE, REDIS_REFUSED */
export async function readPulse(connection: Pick<RedisConnection, 'askAll'>): Promise<string> {
  const replies = await connection.askAll([
    ...settings.map((name) => ['CONFIG', 'GET', name] as const),
    ['ACL', 'LIST'],
  ]);
  return JSON.stringify([replies.slice(0, -1).map((pair) => valueIn(pair) ?? null), replies.at(-1)]);
}

function valueIn(pair: unknown): string | undefined {
  return Array.isArray(pair) && pair.length > 1 ? String(pair[1]) : undefined;
}
