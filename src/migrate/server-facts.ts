/** What must be known of a server before its keys are read or written. */
import { errorText } from '../base/errors.ts';
import { type Target, targetOfVersionText } from '../rdb/target.ts';
import { keyspaces, parseInfo, productOf } from '../redis/info.ts';
import type { Link } from '../redis/link.ts';
import { MigrateRefused } from './errors.ts';

export interface ServerFacts {
  /** `redis 7.0.15`. */
  name: string;
  /** What it can load. */
  target: Target;
  databases: { db: number; keys: number }[];
}

/** @param where for messages. @throws MIGRATE_REFUSED, REDIS_UNREACHABLE */
export async function askFacts(link: Link, where: string): Promise<ServerFacts> {
  try {
    const info = parseInfo(String(await link.call(['INFO'])));
    const { name, version } = productOf(info);
    const databases = keyspaces(info).map(({ db, keys }) => ({ db, keys }));
    return { name: `${name} ${version}`, target: targetOfVersionText(`${name} ${version}`), databases };
  } catch (cause) {
    throw MigrateRefused(`cannot ask ${where} what it holds: ${errorText(cause)}`, {
      hint: 'It must be reachable, and the user needs the right to INFO.',
      cause,
    });
  }
}
