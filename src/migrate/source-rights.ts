/**
 * What a source's user needs, by what it is for, and what is left where it may not: which guarantee holds, how writers are
 * stopped. Pure.
 */
import type { Finding } from './finding.ts';
import { granted, mayNot, type Probe, type Rights } from './rights.ts';

interface Use {
  needs: readonly string[];
  /** Null for both. */
  method: 'replication' | 'scan' | null;
  level: Finding['level'];
  /** Behind the source's name and what may not be done there. */
  without: string;
}

export interface RightsWanted {
  method: 'replication' | 'scan';
  /** Whether the old side can follow the new one behind the cut-over, but for its rights. */
  followsBack: boolean;
}

/** How a migration ends whose writers nobody can hold. */
export const withoutHold =
  'stop the writers yourself, wait until holdfast migrate verify finds no difference, let clients connect to the target, and end it with holdfast migrate abort, which leaves there what was copied';

const uses: readonly (Use & { isBack?: true })[] = [
  {
    needs: ['SCAN', 'TYPE', 'DUMP', 'PTTL', 'EXISTS'],
    ...{ method: 'scan', level: 'refused', without: 'by scan no key can be read' },
  },
  {
    needs: ['CONFIG GET', 'CONFIG SET', 'PSUBSCRIBE'],
    ...{ method: 'scan', level: 'warning' },
    without:
      'changes are found by passes that compare (unless notifications are on, and only CONFIG SET is refused), of which the cut-over makes one more while the writers wait',
  },
  {
    needs: ['CLIENT PAUSE', 'CLIENT UNPAUSE'],
    ...{ method: null, level: 'warning', without: `a cut-over can't hold the writers: ${withoutHold}` },
  },
  {
    needs: ['ACL LIST', 'ACL SETUSER', 'ACL DELUSER', 'CLIENT LIST', 'CLIENT KILL'],
    ...{ method: 'replication', level: 'warning', isBack: true },
    without:
      'behind the cut-over the old side is kept paused and does not follow: --undo loses what was written at the target',
  },
  {
    needs: ['CONFIG SET'],
    ...{ method: null, level: 'warning' },
    without:
      'migrate finish can’t close the old side (min-replicas-to-write): end it with --release, and stop that server',
  },
];

const nobody = 'holdfast-nobody';

/** @param key that the user should be able to read. Executed by mistake none of them changes anything. */
export function sourceProbes(key: string): Probe[] {
  const reads = true;
  return [
    { command: 'SCAN', args: ['0', 'COUNT', '1'], reads },
    ...['TYPE', 'DUMP', 'PTTL', 'EXISTS'].map((command) => ({ command, args: [key], reads })),
    { command: 'CONFIG GET', args: ['notify-keyspace-events'], reads },
    { command: 'CONFIG SET', args: [nobody, ''] },
    { command: 'PSUBSCRIBE', args: ['__keyspace@*__:*'] },
    { command: 'CLIENT PAUSE', args: ['0', 'WRITE'] },
    { command: 'CLIENT UNPAUSE' },
    { command: 'ACL LIST', reads },
    { command: 'ACL SETUSER', args: [nobody, 'no-rule'] },
    { command: 'ACL DELUSER', args: [nobody] },
    { command: 'CLIENT LIST', args: ['TYPE', 'normal'], reads },
    { command: 'CLIENT KILL', args: ['ID', '0'] },
  ];
}

/** A name that one of these patterns matches, in most cases; any, if there are none. */
export function keyLike(patterns: readonly string[], prefix = ''): string {
  return `${prefix}${patterns[0]?.replaceAll(/[*?]/g, '') ?? nobody}`;
}

export function rightsFindings(name: string, rights: Rights, wanted: RightsWanted): Finding[] {
  const { user, lacking, unknown } = rights;
  const found: Finding[] = [];
  if (unknown !== null) {
    const text = `at ${name} it could not be looked at ${unknown}; what is lacking shows when it is needed`;
    found.push({ level: 'warning', text });
  }
  for (const { needs, method, level, without, isBack } of uses) {
    if ((method !== null && method !== wanted.method) || (isBack && !wanted.followsBack)) continue;
    const missing = lacking.filter(({ command }) => needs.includes(command));
    if (missing.length === 0) continue;
    // There may be no key but those that the user may read.
    const areKeys = missing.every(({ lacks }) => lacks === 'key');
    const then = areKeys ? 'the first that comes ends it' : without;
    const text = `${mayNot(name, user, missing)}: ${then}${granted(user, missing)}`;
    found.push({ level: areKeys ? 'warning' : level, text });
  }
  return found;
}
