/** Of a side of a migration that could not be asked: which it is, and what to do about a password, a right, or TLS. */
import { errorCode, errorText, HoldfastError } from '../base/errors.ts';
import { grantHint, rightLackedBy } from '../migrate/rights.ts';
import { RedisRefused, RedisUnreachable, refusalReply } from '../redis/errors.ts';

export interface Side {
  what: 'source' | 'target';
  /** As it was given. */
  name: string;
  asksForTls?: boolean;
}

/** @returns the error with what is known of the side, or as it is */
export function withAccessHint(error: unknown, { what, name, asksForTls = false }: Side): unknown {
  const [text, code] = [`the ${what} ${name}: ${errorText(error)}`, errorCode(error)];
  const reply = refusalReply(error);
  if (reply?.kind === 'NOAUTH') {
    return RedisRefused(text, {
      hint: `It wants a password, and none was given: --${what}-password-file names a file with it; a user stands in the address: redis://USER@HOST:PORT.`,
      cause: reply,
    });
  }
  const lacked = rightLackedBy(error);
  if (lacked?.rule) {
    return RedisRefused(text, {
      hint: grantHint(lacked.rule),
      cause: reply ?? error,
    });
  }
  if (code === 'REDIS_REFUSED') return RedisRefused(text, { ...hintOf(error), cause: reply ?? error });
  if (code !== 'REDIS_UNREACHABLE') return error;
  const hint = asksForTls
    ? 'It must speak TLS on that port: where it does not, say redis:// (sentinel://).'
    : 'Where it speaks TLS on that port, say rediss:// (sentinels://).';
  return RedisUnreachable(text, { hint, cause: error });
}

function hintOf(error: unknown): { hint?: string } {
  return error instanceof HoldfastError && error.hint !== undefined ? { hint: error.hint } : {};
}
