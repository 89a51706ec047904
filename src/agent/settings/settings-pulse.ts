/**
 * What of a member's settings can keep the deployment from what it is for (drift-harm.ts), as one text: asked in one write, every
 * two seconds, and only compared with what it was. So such a change is seen soon, and an idle agent pays for no more: all
 * settings are asked when this text changes, and now and then.
 */
import type { RedisConnection } from '../../redis/connection.ts';

const login = ['masteruser', 'masterauth'] as const;
const settings = ['appendonly', 'save', 'min-replicas-to-write', ...login] as const;

export interface Pulse {
  /** Compared with the one before. A password is in it: it is shown to nobody. */
  text: string;
  /** With what it logs in at its primary, by the names of the settings. */
  login: Readonly<Record<string, string | undefined>>;
}

/** @throws REDIS_UNREACHABLE, REDIS_REFUSED */
export async function readPulse(connection: Pick<RedisConnection, 'askAll'>): Promise<Pulse> {
  const replies = await connection.askAll([
    ...settings.map((name) => ['CONFIG', 'GET', name] as const),
    ['ACL', 'LIST'],
  ]);
  const values = settings.map((_, index) => valueIn(replies[index]));
  const found = Object.fromEntries(login.map((name) => [name, values[settings.indexOf(name)]]));
  return { text: JSON.stringify([values.map((value) => value ?? null), replies.at(-1)]), login: found };
}

function valueIn(pair: unknown): string | undefined {
  return Array.isArray(pair) && pair.length > 1 ? String(pair[1]) : undefined;
}
