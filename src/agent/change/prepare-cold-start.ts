/**
 * Works out how this host's members start when none of them runs, and prepares their files. Where one host has all of
 * the members, the newest data wins. On several hosts an agent sees only its own disks: there nothing is started before
 * a majority of Sentinels can be asked who is primary, and the loop's rules do it then. Where nobody votes the members say
 * themselves who led, once they run: the loop starts them as they were (topology/own-word.ts).
 */

import { existsSync } from 'node:fs';
import { makeFolder } from '../../base/make-folder.ts';
import { type Candidate, chooseColdStart } from '../../topology/cold-start.ts';
import { hasVoters } from '../../topology/own-word.ts';
import type { Deployment } from '../deployment.ts';
import { readDiskState } from '../observe/disk-state.ts';
import { isFirstStart, namedInFiles, nameInFiles, writeConfigs } from '../units/configure.ts';
import { learnSentinelIds } from '../units/sentinel-ids.ts';
import type { Unit } from '../units/unit.ts';
import type { Report } from './change-context.ts';
import { firstStartPatienceMs } from './patience.ts';

export interface ColdStart {
  /** The id of the member that the others follow; null when the loop has to find out. */
  leader: string | null;
  /** The Sentinels of this host wait longer than the spec says for a primary that does not answer, for now. */
  patient: boolean;
}

export async function prepareColdStart(deployment: Deployment, report: Report): Promise<ColdStart> {
  const { members, spec, events } = deployment;
  const first = await isFirstStart(deployment);
  const isOneHost = members.every(({ unit }) => unit !== null);
  const whole = isOneHost && (first || hasVoters(spec));
  const named = (whole ? null : await primaryElsewhere(deployment)) ?? (await namedInFiles(deployment));
  const primary =
    first || !whole ? (named ?? members[0]?.place.id ?? '') : await newest(deployment, named, report);
  for (const { unit } of members) if (unit) await makeFolder(unit.paths.dataDir, 0o700);
  // The members of all hosts wait for a majority of Sentinels, and then for their servers: seconds in which a Sentinel sees
  // a primary that does not answer. A failover to an empty replica would be its answer.
  const patient = first && !whole && named === null;
  if (named !== null) await learnSentinelIds(deployment);
  await writeConfigs(deployment, deployment.member(primary).place, patient ? firstStartPatienceMs : 0);
  if (!first && whole) await nameInFiles(deployment, deployment.member(primary).place);
  if (first) {
    const text = named === null ? `${primary} is to begin as primary` : `the primary is ${primary}`;
    // Machines read from it who was primary before the first change.
    events.add('first-start', primary || spec.name, `first start on this host; ${text}`);
  }
  return { leader: whole ? primary : null, patient };
}

/** Files of what the spec places here since it was started last, beside members that run. */
export async function prepareNew(deployment: Deployment): Promise<void> {
  const units = [...deployment.members, ...deployment.sentinels];
  const fresh = units.filter(({ unit }) => unit !== null && !existsSync(unit.paths.config));
  if (fresh.length === 0) return;
  const named = (await primaryElsewhere(deployment)) ?? (await namedInFiles(deployment));
  const primary = deployment.members.find(({ place }) => place.id === named) ?? deployment.members[0];
  if (primary === undefined) return;
  for (const { unit } of fresh) if (unit) await makeFolder(unit.paths.dataDir, 0o700);
  await learnSentinelIds(deployment);
  await writeConfigs(deployment, primary.place, 0, new Set(fresh.map(({ place }) => place.id)));
}

async function newest(deployment: Deployment, named: string | null, report: Report): Promise<string> {
  const candidates = await Promise.all(
    deployment.members.map(async ({ place, unit, memory }) => ({
      id: place.id,
      disk: await readDiskState((unit as Unit).paths),
      memory: memory?.memory ?? null,
    })),
  );
  refuseToGuess(deployment, candidates);
  const { primary, reason, missing } = chooseColdStart(candidates, named);
  report(`starting ${primary} as primary: ${reason}`);
  deployment.events.add('cold-start', primary, `${primary} starts as primary: ${reason}`);
  for (const id of missing) reportMissing(deployment, id, primary, report);
  return primary;
}

/** A primary that has older data than another sets that one back. @throws STATE_DIR_UNUSABLE */
function refuseToGuess({ members }: Deployment, candidates: readonly Candidate[]): void {
  if (candidates.filter(({ disk }) => disk.hasData).length < 2) return;
  const damage = members.find(({ memory }) => memory?.damage)?.memory?.damage;
  if (damage) throw damage;
}

function reportMissing(deployment: Deployment, id: string, primary: string, report: Report): void {
  const text =
    id === primary
      ? `${id} had data and its files are gone; no other member has any either: it starts empty`
      : `${id} had data and its files are gone: it was refused as primary and starts as a replica of ${primary}, which copies the data back`;
  report(`warning: ${text}`);
  deployment.events.add('data-missing', id, text);
}

/** Whom the Sentinels of other hosts name, when a majority of all of them agrees; null when none can be asked. */
async function primaryElsewhere(deployment: Deployment): Promise<string | null> {
  const remote = deployment.sentinels.filter(({ unit }) => unit === null);
  await Promise.all(remote.map(({ watch }) => watch.look()));
  const votes = new Map<string, number>();
  for (const { watch } of remote) {
    const id = watch.seen.reachable ? deployment.memberAt(watch.seen.primary)?.place.id : undefined;
    if (id !== undefined) votes.set(id, (votes.get(id) ?? 0) + 1);
  }
  const majority = Math.floor(deployment.sentinels.length / 2) + 1;
  return [...votes].find(([, count]) => count >= majority)?.[0] ?? null;
}
