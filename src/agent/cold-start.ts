/** Works out how this host's members start when none of them runs, and prepares their files. */
import { mkdir } from 'node:fs/promises';
import { chooseColdStart } from '../topology/cold-start.ts';
import { isFirstStart, namedInFiles, nameInFiles, writeConfigs } from './configure.ts';
import type { Deployment, LiveMember } from './deployment.ts';
import { readDiskState } from './disk-state.ts';
import type { Report } from './start.ts';

export interface ColdStartPlan {
  /** The id of the member that the others follow. */
  primary: string;
  /** Members of this host that must not be started, because that would destroy data. */
  refused: Set<string>;
}

export async function prepareColdStart(deployment: Deployment, report: Report): Promise<ColdStartPlan> {
  const { members, spec, events } = deployment;
  const local = members.filter(({ part }) => part !== null);
  const elsewhere = await primaryElsewhere(deployment);
  const first = await isFirstStart(deployment);
  const named = elsewhere ?? (await namedInFiles(deployment));
  const whole = local.length === members.length;
  let primary = named ?? members[0]?.place.id ?? '';
  if (!first && whole) {
    const candidates = local.map(({ place, part, memory }) => ({
      id: place.id,
      disk: readDiskState((part as NonNullable<typeof part>).paths.dataDir),
      memory: memory?.memory ?? null,
    }));
    const choice = chooseColdStart(candidates, named);
    primary = choice.primary;
    report(`starting ${primary} as primary: ${choice.reason}`);
    events.add('cold-start', primary, `${primary} starts as primary: ${choice.reason}`);
    for (const id of choice.missing) reportMissing(deployment, id, primary, report);
  }
  const refused = whole ? new Set<string>() : await guardLocalData(deployment, local, primary, report);
  for (const { part } of local) if (part) await mkdir(part.paths.dataDir, { recursive: true, mode: 0o700 });
  await writeConfigs(deployment, deployment.member(primary).place);
  if (!first && whole) await nameInFiles(deployment, deployment.member(primary).place);
  if (first) events.add('first-start', spec.name, `first start; ${primary} begins as primary`);
  return { primary, refused };
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
  const remote = deployment.sentinels.filter(({ part }) => part === null);
  await Promise.all(remote.map(({ watch }) => watch.look()));
  const votes = new Map<string, number>();
  for (const { watch } of remote) {
    const id = watch.seen.reachable ? deployment.memberAt(watch.seen.primary)?.place.id : undefined;
    if (id !== undefined) votes.set(id, (votes.get(id) ?? 0) + 1);
  }
  const majority = Math.floor(deployment.sentinels.length / 2) + 1;
  return [...votes].find(([, count]) => count >= majority)?.[0] ?? null;
}

/**
 * On several hosts this one sees only its own disks. A member with data must not follow a primary that has none,
 * and one whose data is gone must not start as primary while another member holds data.
 */
async function guardLocalData(
  deployment: Deployment,
  local: LiveMember[],
  primary: string,
  report: Report,
): Promise<Set<string>> {
  const refused = new Set<string>();
  await Promise.all(deployment.members.filter(({ part }) => part === null).map(({ watch }) => watch.look()));
  const others = deployment.members.filter(({ part, watch }) => part === null && watch.seen.reachable);
  for (const { place, part, memory } of local) {
    if (!part) continue;
    const keysKnown = memory?.memory?.keys ?? 0;
    const hasData = readDiskState(part.paths.dataDir).hasData;
    const holder = others.find(({ watch }) => (watch.seen.keys ?? 0) > 0);
    const leader = others.find((other) => other.place.id === primary);
    const emptyLeader = leader?.watch.seen.role === 'primary' && leader.watch.seen.keys === 0;
    let reason: string | undefined;
    if (place.id === primary && keysKnown > 0 && !hasData && holder) {
      reason = `${place.id} is not started: the Sentinels name it primary, but its data is gone from disk, and as an empty primary it would wipe ${holder.place.id}`;
    } else if (place.id !== primary && keysKnown > 0 && hasData && emptyLeader) {
      part.refusesToFollow = primary;
      reason = `${place.id} is not started: its primary ${primary} is empty, and following it would wipe the ${keysKnown} keys that ${place.id} has on disk`;
    }
    if (reason === undefined) continue;
    refused.add(place.id);
    part.wanted = true;
    part.noteDeath();
    part.refusal = reason;
    report(`warning: ${reason}`);
    deployment.events.add('refuse', place.id, reason);
    if (part.refusesToFollow !== null) {
      const hint = `To keep the data, copy ${part.paths.dataDir} away. holdfast restart ${place.id} then makes it a copy of ${primary}`;
      deployment.events.add('hint', place.id, hint);
    }
  }
  return refused;
}
