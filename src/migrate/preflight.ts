/** What is looked at before anything begins, and what follows from it. Judging is pure. */

import { describeSize } from '../base/size.ts';
import type { ServerFacts } from '../redis/server-facts.ts';
import { MigrationPreflight } from './errors.ts';
import type { Choice } from './method.ts';

/** What is known of one side, and what it is called. */
export interface SideFacts extends ServerFacts {
  name: string;
}

export interface TargetFacts extends SideFacts {
  /** Of the databases that are wanted, those that it does not have. */
  missingDbs: number[];
  /** Of what the user needs, what it may not, in the server's words. */
  forbidden: string[];
}

export interface SourceFacts extends SideFacts {
  /** Why it does not let us be its replica; null when nothing says so. */
  refusal: string | null;
  /** Of what a cut-over needs, what the user may not, in the server's words. */
  forbidden: string[];
}

export interface Finding {
  level: 'refused' | 'warning';
  text: string;
}

const probes = [
  ['RESTORE', 'k', '0', 'v', 'REPLACE'],
  ['MSET', 'k', 'v'],
  ['MSETNX', 'k', 'v'],
  ['UNLINK', 'k'],
  ['WATCH', 'k'],
  ['MULTI'],
  ['EXEC'],
  ['SELECT', '0'],
];

/** What the target's user may not, of what every migration needs; nothing where the server can't tell. */
export async function forbiddenAt(
  call: (command: string, ...args: string[]) => Promise<unknown>,
): Promise<string[]> {
  return await forbiddenOf(probes, call);
}

/** The same of a source's user, of what a cut-over needs. */
export async function forbiddenAtSource(
  call: (command: string, ...args: string[]) => Promise<unknown>,
): Promise<string[]> {
  return await forbiddenOf([['CLIENT', 'PAUSE', '1', 'WRITE']], call);
}

async function forbiddenOf(
  probes: readonly (readonly string[])[],
  call: (command: string, ...args: string[]) => Promise<unknown>,
): Promise<string[]> {
  try {
    const user = String(await call('ACL', 'WHOAMI'));
    const forbidden: string[] = [];
    for (const probe of probes) {
      const reply = String(await call('ACL', 'DRYRUN', user, ...probe));
      if (reply !== 'OK') forbidden.push(reply);
    }
    return forbidden;
  } catch {
    // Only Redis 7 and later can tell, and only those who may ask: then the first write does.
    return [];
  }
}

/** Which of these databases the target does not have. */
export async function missingDbs(
  dbs: readonly number[],
  call: (command: string, ...args: string[]) => Promise<unknown>,
): Promise<number[]> {
  const missing: number[] = [];
  for (const db of dbs) {
    await call('SELECT', String(db)).catch(() => missing.push(db));
  }
  await call('SELECT', '0');
  return missing;
}

export function judge(
  sources: readonly SourceFacts[],
  target: TargetFacts,
  method: Choice['method'],
): Finding[] {
  const refused = (text: string): Finding => ({ level: 'refused', text });
  const warning = (text: string): Finding => ({ level: 'warning', text });
  const found: Finding[] = sources.flatMap((source) => [
    ...(method === 'replication' && source.refusal !== null
      ? [refused(`${source.name} does not let a replica in: ${source.refusal}`)]
      : []),
    ...(method === 'replication'
      ? source.forbidden.map((text) =>
          warning(`a cut-over can't hold the writers of ${source.name}: ${text}`),
        )
      : []),
    ...(method === 'replication' && source.isCluster
      ? [refused(`${source.name} is a node of a Redis Cluster, which is not taken by replication`)]
      : []),
    ...(source.runId !== '' && source.runId === target.runId
      ? [refused(`${source.name} and ${target.name} are one server`)]
      : []),
    ...(source.version !== '' && isOlder(target, source)
      ? [
          warning(
            `${target.name} (${target.product} ${target.version}) is older than ${source.name} (${source.product} ${source.version}): values are converted, and the first that can't be ends the migration`,
          ),
        ]
      : []),
    ...source.modules
      .filter((module) => !target.modules.includes(module))
      .map((module) =>
        warning(
          `${source.name} has the module ${module}, and ${target.name} has not: its values can't be carried`,
        ),
      ),
  ]);
  if (target.isCluster)
    found.push(
      refused(`${target.name} is a node of a Redis Cluster, where a transaction holds one slot only`),
    );
  if (target.role === 'slave') found.push(refused(`${target.name} is a replica: name its primary`));
  for (const db of target.missingDbs)
    found.push(refused(`${target.name} has no database ${db}: --db moves it to another`));
  for (const text of target.forbidden)
    found.push(refused(`the user at ${target.name} lacks a right: ${text}`));
  const wanted = sources.reduce((sum, { dataBytes }) => sum + dataBytes, target.usedBytes);
  if (target.maxBytes > 0 && wanted > target.maxBytes) {
    found.push(
      refused(
        `${target.name} may use ${describeSize(target.maxBytes)} of memory, and would need about ${describeSize(wanted)}`,
      ),
    );
  }
  if (target.maxBytes > 0 && target.policy !== 'noeviction' && target.policy !== '') {
    found.push(
      warning(
        `${target.name} evicts keys when its memory is full (${target.policy}), also those that are migrated`,
      ),
    );
  }
  return found;
}

/** @throws MIGRATION_PREFLIGHT when something speaks against it */
export function refuseWhatIsRefused(findings: readonly Finding[]): void {
  const refused = findings.filter(({ level }) => level === 'refused').map(({ text }) => text);
  if (refused.length === 0) return;
  throw MigrationPreflight(`this can't be migrated: ${refused.join('; ')}`, { hint: 'Nothing was begun.' });
}

function isOlder(one: ServerFacts, other: ServerFacts): boolean {
  const [first, second] = [comparable(one), comparable(other)];
  return first[0]! < second[0]! || (first[0] === second[0] && first[1]! < second[1]!);
}

/** Valkey wrote what Redis 7.2 writes until its release 9. */
function comparable({ product, version }: ServerFacts): number[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return product === 'valkey' && major < 9 ? [7, 2] : [major, minor];
}
