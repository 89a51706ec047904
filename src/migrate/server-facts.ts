/** What must be known of a server before its keys are read or written. */
import { errorText } from '../base/errors.ts';
import { type Target, targetOfVersionText } from '../rdb/target.ts';
import { refusalKind } from '../redis/errors.ts';
import type { Link } from '../redis/link.ts';
import { infoForFacts, type ServerFacts, serverFacts } from '../redis/server-facts.ts';
import { MigrateRefused } from './errors.ts';

export interface BothFacts {
  source: ServerFacts;
  target: ServerFacts;
}

/** @param where for messages. @throws MIGRATE_REFUSED, REDIS_UNREACHABLE */
export async function askFacts(link: Link, where: string): Promise<ServerFacts> {
  try {
    return serverFacts(String(await link.call(infoForFacts)));
  } catch (cause) {
    const hint =
      refusalKind(cause) === 'NOAUTH'
        ? 'It wants a password, and none was given: --source-password-file and --target-password-file name files with it.'
        : 'It must be reachable, and the user needs the right to INFO.';
    throw MigrateRefused(`cannot ask ${where} what it holds: ${errorText(cause)}`, {
      hint,
      cause,
    });
  }
}

/** What it can load. */
export function loadedBy({ product, version }: Pick<ServerFacts, 'product' | 'version'>): Target {
  return targetOfVersionText(`${product} ${version}`);
}
