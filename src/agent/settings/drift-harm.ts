/**
 * Drift by which a member does not do what the deployment is for: it refuses writes, keeps nothing on its disk, or keeps out
 * somebody whom the spec lets in. Other drift is shown, and changes nothing of how the deployment is. Pure.
 */
import { shown } from '../../base/shown.ts';
import { settingName } from '../../spec/setting-name.ts';
import { differenceOfUser } from './user-rules.ts';

/** One thing that a member runs with and the spec does not say. */
export interface Drift {
  member: string;
  /** A directive of redis.conf, or an ACL user. */
  kind: 'setting' | 'user';
  name: string;
  running: string;
  wanted: string;
  /** Of a user: whether nobody can log in as it by what the spec has. */
  keepsOut?: boolean;
}

export interface DriftHarm {
  code: 'writes-refused' | 'not-persisted' | 'user-restricted' | 'cannot-follow';
  /** A sentence, with what to do. */
  text: string;
}

const undo = 'holdfast apply undoes it';
/** Of a user's name. */
const shownCharacters = 60;

/**
 * The worst of what is known of one member.
 * @param drift that of this member
 * @param replicas how many follow it, when it is the primary; null when it is none
 */
export function driftHarm(drift: readonly Drift[], replicas: number | null): DriftHarm | undefined {
  const harms = [
    refusesWrites(drift, replicas),
    keepsNothing(drift),
    replicas === null ? undefined : keepsOut(drift),
    cannotFollow(drift),
  ];
  return harms.find((harm) => harm !== undefined);
}

function setting(drift: readonly Drift[], wanted: string): Drift | undefined {
  return drift.find(({ kind, name }) => kind === 'setting' && settingName(name) === wanted);
}

/** Too few replicas by the spec's own number are no drift: then a replica is missing, and that is said. */
function refusesWrites(drift: readonly Drift[], replicas: number | null): DriftHarm | undefined {
  const found = setting(drift, 'min-replicas-to-write');
  if (found === undefined || replicas === null || Number(found.running) <= replicas) return undefined;
  const { member, running, wanted } = found;
  const text = `${member} refuses writes with NOREPLICAS: somebody set its min-replicas-to-write to ${running}, and ${replicas} follow it; by the spec it is ${wanted}. ${undo}`;
  return { code: 'writes-refused', text };
}

function keepsNothing(drift: readonly Drift[]): DriftHarm | undefined {
  const aof = setting(drift, 'appendonly');
  const what = 'so what it takes is not on its disk: somebody set its';
  if (aof?.running === 'no')
    return notPersisted(`${aof.member} writes no AOF, ${what} appendonly to no. ${undo}`);
  const save = setting(drift, 'save');
  return save?.running === ''
    ? notPersisted(`${save.member} saves no RDB by itself, ${what} save to nothing. ${undo}`)
    : undefined;
}

function notPersisted(text: string): DriftHarm {
  return { code: 'not-persisted', text };
}

/** A link that it has goes on, and the next one does not come about. */
function cannotFollow(drift: readonly Drift[]): DriftHarm | undefined {
  const found = setting(drift, 'masteruser') ?? setting(drift, 'masterauth');
  if (found === undefined) return undefined;
  const text = `${found.member} can't log in at a primary to follow it: somebody changed its ${found.name}. ${undo}`;
  return { code: 'cannot-follow', text };
}

function keepsOut(drift: readonly Drift[]): DriftHarm | undefined {
  const found = drift.find((each) => each.kind === 'user' && isRestricted(each));
  if (found === undefined) return undefined;
  const { member, running } = found;
  const name = shown(found.name, shownCharacters);
  const what = running === '' ? `the user ${name} is not there at ${member}` : differenceOfUser(name, found);
  const text = `${what}; whoever logs in as it may be refused. ${undo}`;
  return { code: 'user-restricted', text };
}

/** It lacks a rule that gives something, and nothing wider stands for it; or has one more that takes something. */
function isRestricted({ running, wanted, keepsOut: nobodyGetsIn }: Drift): boolean {
  if (wanted === '') return false;
  if (nobodyGetsIn) return true;
  const [now, then] = [running.split(' '), wanted.split(' ')];
  const isLost = (rule: string) => {
    if (now.includes(rule)) return false;
    if (rule === 'on') return true;
    const widest = rule.startsWith('+') ? '+@all' : rule.startsWith('&') ? '&*' : '~*';
    return /^[~%&+]/.test(rule) && !now.includes(widest);
  };
  const isTaken = (rule: string) => !then.includes(rule) && (rule === 'off' || rule.startsWith('-'));
  return then.some(isLost) || now.some(isTaken);
}
