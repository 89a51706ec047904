/** What must be known of a server before its keys are read or written. */
import { errorCode, errorText } from '../base/errors.ts';
import { type Target, targetOfVersionText } from '../rdb/target.ts';
import { RedisUnreachable, refusalKind, refusalReply } from '../redis/errors.ts';
import type { Link } from '../redis/link.ts';
import { infoForFacts, type ServerFacts, serverFacts } from '../redis/server-facts.ts';
import { MigrateRefused } from './errors.ts';

export interface BothFacts {
  source: ServerFacts;
  target: ServerFacts;
}

/** @param where for messages. @throws MIGRATE_REFUSED, or REDIS_UNREACHABLE, which may pass */
export async function askFacts(link: Link, where: string): Promise<ServerFacts> {
  try {
    return serverFacts(String(await link.call(infoForFacts)));
  } catch (error) {
    const text = `cannot ask ${where} what it holds: ${errorText(error)}`;
    if (errorCode(error) === 'REDIS_UNREACHABLE') {
      throw RedisUnreachable(text, { hint: 'It must be reachable.', cause: error });
    }
    const hint =
      refusalKind(error) === 'NOAUTH'
        ? 'It wants a password, and none was given: --source-password-file and --target-password-file name files with it.'
        : 'The user needs the right to INFO.';
    // By what it said it is known whether that passes.
    throw MigrateRefused(text, { hint, cause: refusalReply(error) ?? error });
  }
}

/** What it can load. */
export function loadedBy({ product, version }: Pick<ServerFacts, 'product' | 'version'>): Target {
  return targetOfVersionText(`${product} ${version}`);
}
