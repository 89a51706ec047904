/**
 * Takes over what runs, as planned. Each step adds something that nobody who is there needs to know of, and is the same
 * when it is done again: so it can be interrupted anywhere, and a second run does the rest.
 *
 * 1. Every server gets holdfast's users beside those that it has, and the settings of the spec. No replica or Sentinel
 *    logs in as one of them before all servers have them.
 * 2. Replicas are told with what they log in to a primary from their next connection on; Sentinels likewise, as the spec has
 *    their times and their quorum.
 * 3. The state directory gets the files with which each is started the next time. Data folders stay where they are: a link
 *    leads to them.
 * 4. The record of who each process is comes last: by it the agent, which is started then, knows it for one of its own.
 */
import { lstatSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../base/atomic-file.ts';
import { makeFolder } from '../../base/make-folder.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { refusalKind } from '../../redis/errors.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { SentinelClient } from '../../redis/sentinel-client.ts';
import { sentinelSettings } from '../../render/sentinel-conf.ts';
import { renderUsersAcl } from '../../render/users-acl.ts';
import { ownUserName } from '../../spec/secrets.ts';
import { assemble } from '../assemble.ts';
import type { Report } from '../change/change-context.ts';
import { applySentinelPasswords } from '../change/sentinel-passwords.ts';
import type { Deployment, Setting } from '../deployment.ts';
import { AdoptRefused } from '../errors.ts';
import type { UnitPaths } from '../state/paths.ts';
import { markTakenOver } from '../state/taken-over.ts';
import { writeConfigs } from '../units/configure.ts';
import type { AdoptionFacts, Found, ProcessFacts, RunningMember, RunningSentinel } from './facts.ts';
import { settingsNow } from './member-rules.ts';
import type { Access } from './survey.ts';
import { usersToAdd } from './user-rules.ts';

const answerWithinMs = 10_000;
/**
 * As a user begins that an ACL file makes, before 7.0 with all channels (acl-pubsub-default); `reset` would say
 * sanitize-payload as well.
 */
const nothing = (selectors: boolean) => [
  ...['resetpass', 'resetkeys', selectors ? 'resetchannels' : 'allchannels', '-@all'],
];

interface Here<Running> {
  id: string;
  address: string;
  port: number;
  running: Running;
  process: ProcessFacts;
}

/** @param facts of a plan without refusals. The caller holds the lock of the state directory. */
export async function takeOver(
  setting: Setting,
  facts: AdoptionFacts,
  access: Access,
  report: Report,
): Promise<void> {
  const members = facts.members.flatMap(here<RunningMember>);
  const sentinels = facts.sentinels.flatMap(here<RunningSentinel>);
  const primary = members.find(({ running }) => running.role.role === 'primary');
  if (primary === undefined) throw new TypeError('a plan without a primary has refusals');
  const primaryFirst = [primary, ...members.filter((each) => each !== primary)];
  for (const member of primaryFirst)
    await withMember(member, access, (client) => prepare(setting, member, facts, client, report));
  for (const member of primaryFirst) await withMember(member, access, (client) => logsInAs(setting, client));
  for (const sentinel of sentinels) await tellSentinel(setting, sentinel, access, report);
  for (const { id, process, address, port, running } of sentinels) {
    const { pid, startTime } = process;
    const paths = setting.paths.sentinel(id);
    await makeFolder(paths.folder, 0o700);
    // Before its file is written, which has its id.
    await markTakenOver(paths, { pid, startTime, address, port, sentinelId: running.sentinelId });
  }
  await writeFiles(setting, primary.id, members);
  for (const { id, process, address, port } of members) {
    const { pid, startTime } = process;
    await markTakenOver(setting.paths.member(id), { pid, startTime, address, port });
  }
  for (const member of members)
    await record(setting, setting.paths.member(member.id), member, member.running.runId);
  for (const sentinel of sentinels) await record(setting, setting.paths.sentinel(sentinel.id), sentinel);
  setting.events.add('first-start', primary.id, `what ran was taken over; the primary is ${primary.id}`);
  report(`${setting.spec.name} is ready to be started: ${primary.id} is primary`);
}

function here<Running extends { process: ProcessFacts | string }>({
  place,
  running,
}: Found<{ id: string; address: string; port: number }, Running>): Here<Running>[] {
  if (running === null || typeof running.process === 'string') return [];
  const { id, address, port } = place;
  return [{ id, address, port, running, process: running.process }];
}

async function withMember(
  { address, port }: Here<unknown>,
  { servers }: Access,
  work: (client: MemberClient) => Promise<void>,
): Promise<void> {
  const options = { endpoint: { host: address, port }, credentials: servers, timeoutMs: answerWithinMs };
  const client = new MemberClient(options);
  try {
    await work(client);
  } finally {
    client.close();
  }
}

async function prepare(
  { spec, secrets, aclSelectors: selectors }: Setting,
  { id, running }: Here<RunningMember>,
  facts: AdoptionFacts,
  client: MemberClient,
  report: Report,
): Promise<void> {
  await sameProcess(id, running.runId, (await client.info('server'))['run_id']);
  const rendered = renderUsersAcl({ spec, secrets, selectors }).split('\n').filter(Boolean);
  for (const { name, rules } of usersToAdd(running.settings.users, rendered))
    await client.connection.call('ACL', 'SETUSER', name, ...nothing(selectors), ...rules);
  report(`${id} lets holdfast's users in`);
  for (const { name, wanted } of settingsNow(running, facts.wanted)) {
    await client.setConfig(name, wanted);
    report(`${id}: ${name} is ${wanted === '' ? '""' : wanted}`);
  }
}

/** @throws ADOPT_REFUSED for another one than was looked at. */
async function sameProcess(id: string, planned: string, found: string | undefined): Promise<void> {
  if (planned === found) return;
  throw AdoptRefused(`${id} was started again since it was looked at`, {
    hint: 'Nothing was changed there. Look what starts it, and say holdfast adopt again.',
  });
}

async function logsInAs({ secrets }: Setting, client: MemberClient): Promise<void> {
  await client.setConfig('masteruser', ownUserName('replication'));
  await client.setConfig('masterauth', secrets.own.replication);
  // So that it is no stranger to the others if somebody starts it with its own files once more.
  await tolerated(client.connection, 'ACL', 'SAVE');
  await tolerated(client.connection, 'CONFIG', 'REWRITE');
}

/** A server without such a file refuses to write it. */
async function tolerated(connection: RedisConnection, command: string, ...args: string[]): Promise<void> {
  try {
    await connection.call(command, ...args);
  } catch (error) {
    if (refusalKind(error) === undefined) throw error;
  }
}

async function tellSentinel(
  { spec, secrets }: Setting,
  { id, address, port }: Here<RunningSentinel>,
  { sentinels }: Access,
  report: Report,
): Promise<void> {
  const options = { endpoint: { host: address, port }, credentials: sentinels, timeoutMs: answerWithinMs };
  const client = new SentinelClient(options, spec.name);
  try {
    for (const [option, value] of [
      ...sentinelSettings(spec, secrets),
      ['quorum', spec.sentinel.quorum] as const,
    ])
      await client.set(option, String(value));
    const there = { id, client, file: '', asTaken: true };
    await applySentinelPasswords(spec.name, secrets, there, false);
    report(`${id} watches with the settings of the spec`);
  } finally {
    client.close();
  }
}

/** What each is started with the next time; also of those that are started now. */
async function writeFiles(
  setting: Setting,
  primaryId: string,
  taken: readonly Here<RunningMember>[],
): Promise<void> {
  const deployment: Deployment = await assemble(setting);
  for (const { place, unit } of deployment.members) {
    if (unit === null) continue;
    const found = taken.find(({ id }) => id === place.id);
    if (found === undefined) await makeFolder(unit.paths.dataDir, 0o700);
    else await linkData(unit.paths, found.running.folder);
  }
  await writeConfigs(deployment, deployment.member(primaryId).place, 0);
  for (const { watch } of deployment.members) watch.client.close();
  for (const { watch } of deployment.sentinels) watch.client.close();
  for (const { adapter } of deployment.gates) adapter.close();
}

async function linkData({ dataDir }: UnitPaths, folder: string): Promise<void> {
  if (path.resolve(folder) === path.resolve(dataDir) || isThere(dataDir)) return;
  await symlink(folder, dataDir);
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

async function record(
  { events }: Setting,
  paths: UnitPaths,
  { id, process: { pid, startTime } }: Here<unknown>,
  runId?: string,
): Promise<void> {
  await writeFileAtomic(paths.record, `${JSON.stringify({ pid, startTime, runId })}\n`);
  events.add('adopted', id, `${id} ran before holdfast did (pid ${pid}) and was taken over as it runs`);
}
