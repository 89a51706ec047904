/** What is looked at before anything begins, and what follows from it. Judging is pure. */

import { describeSize } from '../base/size.ts';
import type { ServerFacts } from '../redis/server-facts.ts';
import { positionKey } from '../stream/position.ts';
import { MigrationPreflight } from './errors.ts';
import type { Finding } from './finding.ts';
import { granted, type Lacking, mayNot, type Probe, type Rights } from './rights.ts';
import { type RightsWanted, rightsFindings } from './source-rights.ts';

/** What is known of one side, and what it is called. */
export interface SideFacts extends ServerFacts {
  name: string;
}

export interface TargetFacts extends SideFacts {
  /** Of the databases that are wanted, those that it does not have. */
  missingDbs: number[];
  rights: Rights;
}

export interface SourceFacts extends SideFacts {
  /** Why it does not let us be its replica; null when nothing says so. */
  refusal: string | null;
  /** Null for a file. */
  rights: Rights | null;
}

/** Where the position of a stream lies. */
const ownKey = positionKey('0');

/** What every migration needs of a target. @param key that its user should be able to write */
export function targetProbes(key: string): Probe[] {
  return [
    { command: 'RESTORE', args: [key, '0', 'v', 'REPLACE'] },
    { command: 'MSET', args: [key, 'v'] },
    { command: 'MSETNX', args: [key, 'v'] },
    { command: 'UNLINK', args: [key] },
    { command: 'WATCH', args: [key] },
    { command: 'COMMAND' },
    { command: 'MULTI' },
    { command: 'EXEC' },
    { command: 'SELECT', args: ['0'] },
    { command: 'GET', args: [ownKey] },
    { command: 'SET', args: [ownKey, 'v'] },
  ];
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

export function judge(sources: readonly SourceFacts[], target: TargetFacts, wanted: RightsWanted): Finding[] {
  const { method } = wanted;
  const refused = (text: string): Finding => ({ level: 'refused', text });
  const warning = (text: string): Finding => ({ level: 'warning', text });
  const found: Finding[] = sources.flatMap((source) => [
    ...(method === 'replication' && source.refusal !== null
      ? [refused(`${source.name} does not let a replica in: ${source.refusal}`)]
      : []),
    ...(source.rights === null ? [] : rightsFindings(source.name, source.rights, wanted)),
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
  found.push(...targetFindings(target));
  const needed = sources.reduce((sum, { dataBytes }) => sum + dataBytes, target.usedBytes);
  if (target.maxBytes > 0 && needed > target.maxBytes) {
    found.push(
      refused(
        `${target.name} may use ${describeSize(target.maxBytes)} of memory, and would need about ${describeSize(needed)}`,
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

function targetFindings({ name, rights: { user, lacking } }: TargetFacts): Finding[] {
  if (lacking.length === 0) return [];
  // It may be that no key comes but those that the user may write; how far a stream is lies there in each case.
  const isNeeded = ({ command, lacks }: Lacking) => lacks !== 'key' || ['GET', 'SET'].includes(command);
  const level = lacking.some(isNeeded) ? 'refused' : 'warning';
  return [{ level, text: `${mayNot(name, user, lacking)}${granted(user, lacking)}` }];
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
