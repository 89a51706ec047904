/**
 * Brings one running Sentinel to other passwords: whom it lets in, with what it logs in to the members, and to the other
 * Sentinels. It takes all of them while it runs. It tells no password of its own, so that two are read in its file, which
 * it writes anew at each change. `requirepass` there stays what it was: the user that it writes beside counts more.
 */
import { readFileIfThere } from '../../base/atomic-file.ts';
import type { SentinelClient } from '../../redis/sentinel-client.ts';
import { sentinelUserRules } from '../../render/sentinel-conf.ts';
import type { Secrets } from '../../spec/secrets.ts';
import type { Change } from './spec-change.ts';

export interface RunningSentinel {
  id: string;
  client: SentinelClient;
  /** Its sentinel.conf. */
  file: string;
  /** It runs as it was taken over: clients that ask it log in as they always did, or not at all. */
  asTaken: boolean;
}

/** @param name the deployment's */
export async function applySentinelPasswords(
  name: string,
  secrets: Secrets,
  { id, client, file, asTaken }: RunningSentinel,
  dryRun: boolean,
): Promise<Change[]> {
  const { sentinelPassword, own } = secrets;
  if (sentinelPassword === null) return [];
  const text = (await readFileIfThere(file)) ?? '';
  const wanted = sentinelUserRules(secrets);
  const users = await client.userRules();
  const todo: [what: string, isThere: boolean, set: () => Promise<void>][] = [
    asTaken
      ? ['users', letsIn(users, wanted), () => client.addPasswords(wanted.filter(isDigest))]
      : ['users', hasSamePasswords(users, wanted), () => client.setUserRules(wanted)],
    [
      'auth-pass',
      inFile(text, `auth-pass ${name}`) === own.sentinel,
      () => client.set('auth-pass', own.sentinel),
    ],
    [
      'sentinel-pass',
      inFile(text, 'sentinel-pass') === sentinelPassword,
      () => client.setOwnPassword(sentinelPassword),
    ],
  ];
  const changes: Change[] = [];
  for (const [what, isThere, set] of todo) {
    if (isThere) continue;
    if (!dryRun) await set();
    changes.push({ where: id, what, from: 'a password', to: 'another password', takes: 'now' });
  }
  if (changes.length > 0 && !dryRun) await client.flush();
  return changes;
}

const isDigest = (word: string) => word.startsWith('#');

/** Whether whoever has one of the wanted passwords gets in, whoever else does. */
export function letsIn(rules: readonly string[], wanted: readonly string[]): boolean {
  return rules.includes('nopass') || wanted.filter(isDigest).every((digest) => rules.includes(digest));
}

export function hasSamePasswords(rules: readonly string[], wanted: readonly string[]): boolean {
  const digests = (words: readonly string[]) => words.filter(isDigest).toSorted();
  return digests(rules).join() === digests(wanted).join();
}

/** What follows `sentinel KEY` in the file. Our passwords have nothing that must be quoted. */
function inFile(text: string, key: string): string | undefined {
  const line = text.split('\n').findLast((each) => each.startsWith(`sentinel ${key} `));
  return line
    ?.slice(`sentinel ${key} `.length)
    .trim()
    .replace(/^"(.*)"$/, '$1');
}
