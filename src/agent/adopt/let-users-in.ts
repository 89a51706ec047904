/**
 * First of all, every server and Sentinel of the deployment, on whichever host, lets holdfast's users in beside those that it
 * has: whoever logs in as one of them later is turned away nowhere, whichever of them is primary then. Done again it is the
 * same. A server's own files are written on its own host only, where it was looked at who can read them.
 */
import type { MemberClient } from '../../redis/member-client.ts';
import { sentinelUserRules } from '../../render/sentinel-conf.ts';
import { renderUsersAcl } from '../../render/users-acl.ts';
import { letsIn } from '../change/sentinel-passwords.ts';
import { AdoptRefused } from '../errors.ts';
import type { RunningMember, RunningSentinel } from './facts.ts';
import {
  keepInFiles,
  primaryFirst,
  type There,
  thereOf,
  type Work,
  withMember,
  withSentinel,
} from './servers-there.ts';
import { usersToAdd } from './user-rules.ts';

/**
 * As a user begins that an ACL file makes, before 7.0 with all channels (acl-pubsub-default); `reset` would say
 * sanitize-payload as well.
 */
const nothing = (selectors: boolean) => [
  ...['resetpass', 'resetkeys', selectors ? 'resetchannels' : 'allchannels', '-@all'],
];

/** @param work of a plan without refusals @throws ADOPT_REFUSED, and what servers say */
export async function letUsersIn(work: Work): Promise<void> {
  const { facts, report } = work;
  for (const member of primaryFirst(facts.members.flatMap(thereOf<RunningMember>))) {
    await withMember(member, work, (client) => addUsers(work, member, client));
    report(`${member.id} lets holdfast's users in`);
  }
  for (const sentinel of facts.sentinels.flatMap(thereOf<RunningSentinel>)) await addPassword(work, sentinel);
}

async function addUsers(
  { setting: { spec, secrets, aclSelectors: selectors }, facts, report }: Work,
  { id, host, running }: There<RunningMember>,
  client: MemberClient,
): Promise<void> {
  sameProcess(id, running.runId, (await client.info('server'))['run_id']);
  const rendered = renderUsersAcl({ spec, secrets, selectors }).split('\n').filter(Boolean);
  const isHere = host === facts.host;
  const there = running.settings.users;
  // A member that holdfast runs on another host has them from there.
  const lacking = usersToAdd(there, rendered).filter((user) => isHere || !hasPasswordOf(there, user));
  for (const { name, rules } of lacking)
    await client.connection.call('ACL', 'SETUSER', name, ...nothing(selectors), ...rules);
  // Who can read redis.conf elsewhere is looked at there; an ACL file has no passwords, only digests.
  if (isHere) await keepInFiles(client.connection, id, report);
  else if (lacking.length > 0) await keepInFiles(client.connection, id, report, [['ACL', 'SAVE']]);
}

function hasPasswordOf(
  users: readonly string[],
  { name, rules }: { name: string; rules: string[] },
): boolean {
  const words = users.find((line) => line.startsWith(`user ${name} `))?.split(' ') ?? [];
  return (
    rules.filter((rule) => rule.startsWith('#')).every((digest) => words.includes(digest)) && words.length > 0
  );
}

/** @throws ADOPT_REFUSED for another one than was looked at. */
function sameProcess(id: string, planned: string, found: string | undefined): void {
  if (planned === found) return;
  throw AdoptRefused(`${id} was started again since it was looked at`, {
    hint: 'Nothing was changed there. Look what starts it, and say holdfast adopt again.',
  });
}

/** Beside the one that it has: a Sentinel that uses it is let in by all. */
async function addPassword(work: Work, sentinel: There<RunningSentinel>): Promise<void> {
  const { secrets } = work.setting;
  if (secrets.sentinelPassword === null) return;
  const wanted = sentinelUserRules(secrets);
  await withSentinel(sentinel, work, async (client) => {
    if (letsIn(await client.userRules(), wanted)) return;
    await client.addPasswords(wanted.filter((word) => word.startsWith('#')));
    await client.flush();
  });
}
