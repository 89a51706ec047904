/**
 * Why CONFIG SET is refused. Redis and Valkey answer `ERR` with a sentence for every reason (config.c), so the sentence is
 * all there is to go by; it is read here, and only here.
 */
import { refusalReply } from './errors.ts';

/** Sentences of Redis 6.2 to 8 and Valkey 8 and 9 about a directive that is taken from redis.conf only. */
const atStartOnly = /can't set immutable config|Unsupported CONFIG parameter|Unknown option/i;

/** Whether CONFIG SET was refused because the directive is taken at a start only, whatever its value. */
export function isSetAtStartOnly(error: unknown): boolean {
  const reply = refusalReply(error);
  return reply?.kind === 'ERR' && atStartOnly.test(reply.text);
}
