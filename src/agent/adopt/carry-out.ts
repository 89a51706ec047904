/**
 * Takes over what runs on this host, as planned. Each step adds something that nobody who is there needs to know of, and is
 * the same when it is done again: so it can be interrupted anywhere, and a second run does the rest.
 *
 * 1. Every server, of all hosts, gets holdfast's users beside those that it has, and every Sentinel their password
 *    (let-users-in.ts). No replica or Sentinel logs in as one of them before all have them.
 * 2. Servers get the settings of the spec. Replicas are told with what they log in to a primary from their next connection
 *    on; Sentinels likewise, as the spec has their times and their quorum, one after the other (tell-sentinel.ts).
 * 3. The state directory gets the files with which each is started the next time. Data folders stay where they are: a link
 *    leads to them.
 * 4. The record of who each process is comes last: by it the agent, which is started then, knows it for one of its own.
 */
import { lstatSync } from 'node:fs';
import { rmdir, symlink, unlink } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../base/atomic-file.ts';
import { makeFolder } from '../../base/make-folder.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { ownUserName } from '../../spec/secrets.ts';
import { assemble } from '../assemble.ts';
import type { Deployment, Setting } from '../deployment.ts';
import { AdoptRefused } from '../errors.ts';
import type { UnitPaths } from '../state/paths.ts';
import { markTakenOver } from '../state/taken-over.ts';
import { writeConfigs } from '../units/configure.ts';
import { noteSentinelIds } from '../units/sentinel-ids.ts';
import type { ProcessFacts, RunningMember, RunningSentinel } from './facts.ts';
import { knownIds } from './known-ids.ts';
import { settingsNow } from './member-rules.ts';
import { keepInFiles, primaryFirst, type There, thereOf, type Work, withMember } from './servers-there.ts';
import { tellSentinel } from './tell-sentinel.ts';

interface Here<Running> extends There<Running> {
  process: ProcessFacts;
}

/** @param work of a plan without refusals; `letUsersIn` was done. The caller holds the lock of the state directory. */
export async function takeOver(work: Work): Promise<void> {
  const { setting, facts, report } = work;
  const { spec, paths, events } = setting;
  const all = primaryFirst(facts.members.flatMap(thereOf<RunningMember>));
  const primary = all[0];
  if (primary === undefined) throw new TypeError('a plan without a primary has refusals');
  const members = all.flatMap((each) => here(each, facts.host));
  const sentinels = facts.sentinels
    .flatMap(thereOf<RunningSentinel>)
    .flatMap((each) => here(each, facts.host));
  for (const member of members) await withMember(member, work, (client) => setSettings(work, member, client));
  for (const sentinel of sentinels) await tellSentinel(work, sentinel);
  await withMember(primary, work, (client) => stillPrimary(primary, client));
  // Before files are written, which have their ids.
  await noteSentinelIds(setting, knownIds(facts.sentinels));
  for (const { id, process, address, port, running } of sentinels) {
    const { pid, startTime } = process;
    await makeFolder(paths.sentinel(id).folder, 0o700);
    await markTakenOver(paths.sentinel(id), {
      pid,
      startTime,
      address,
      port,
      sentinelId: running.sentinelId,
    });
  }
  await writeFiles(setting, primary.id, members);
  for (const { id, process, address, port } of members) {
    const { pid, startTime } = process;
    await markTakenOver(paths.member(id), { pid, startTime, address, port });
  }
  for (const member of members) await record(setting, paths.member(member.id), member, member.running.runId);
  for (const sentinel of sentinels) await record(setting, paths.sentinel(sentinel.id), sentinel);
  events.add('first-start', primary.id, `what ran was taken over; the primary is ${primary.id}`);
  report(`${spec.name} is ready to be started: ${primary.id} is primary`);
}

/** What is written from here on says who is. @throws ADOPT_REFUSED */
async function stillPrimary({ id }: There<RunningMember>, client: MemberClient): Promise<void> {
  if ((await client.role()).role === 'primary') return;
  throw AdoptRefused(`${id} was primary when it was looked at, and is a replica now`, {
    hint: 'What ran runs on, and lets holdfast in. When the failover is over, say holdfast adopt again: it goes on.',
  });
}

function here<Running extends { process: ProcessFacts | string | null }>(
  there: There<Running>,
  host: string,
): Here<Running>[] {
  const { process } = there.running;
  if (there.host !== host || process === null || typeof process === 'string') return [];
  return [{ ...there, process }];
}

async function setSettings(
  { setting: { secrets }, facts, report }: Work,
  { id, running }: There<RunningMember>,
  client: MemberClient,
): Promise<void> {
  for (const { name, wanted } of settingsNow(running, facts.wanted)) {
    await client.setConfig(name, wanted);
    report(`${id}: ${name} is ${wanted === '' ? '""' : wanted}`);
  }
  await client.setConfig('masteruser', ownUserName('replication'));
  await client.setConfig('masterauth', secrets.own.replication);
  await keepInFiles(client.connection, id, report);
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

/** In the place of what an interrupted run has made: an empty folder for one that did not run then, or another link. */
async function linkData({ dataDir }: UnitPaths, folder: string): Promise<void> {
  if (path.resolve(folder) === path.resolve(dataDir)) return;
  const there = lstatSync(dataDir, { throwIfNoEntry: false });
  if (there?.isSymbolicLink()) await unlink(dataDir);
  else if (there !== undefined) await removeEmpty(dataDir, folder);
  await symlink(folder, dataDir);
}

/** @throws ADOPT_REFUSED */
async function removeEmpty(dataDir: string, folder: string): Promise<void> {
  await rmdir(dataDir).catch((cause: unknown) => {
    throw AdoptRefused(
      `${dataDir} has files in it, and the server that is taken over has its data in ${folder}`,
      {
        hint: 'The server would start with those files the next time. Move them away, and say holdfast adopt again.',
        cause,
      },
    );
  });
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
