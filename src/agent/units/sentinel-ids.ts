/**
 * By which id a Sentinel is known to the others: one that is worked out from the spec, unless it ran before holdfast did. Such
 * a one keeps its own, also where its host lost the state, and on hosts that join later: a second id at its address would
 * count as a second voter. So they are kept in a file of each host, and asked for before a file is written that has them.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileIfNew } from '../../base/atomic-file.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { sentinelRunId } from '../../render/sentinel-conf.ts';
import type { Deployment, LiveSentinel, Setting } from '../deployment.ts';
import { takenOver } from '../state/taken-over.ts';

const runIdShape = /^[0-9a-f]{40}$/;
const schema = z.record(z.string(), z.string().regex(runIdShape));

export function sentinelRunIds({ spec, sentinels, setting }: Deployment): (id: string) => string {
  const noted = readNoted(setting.paths.sentinelIds);
  const found = new Map(
    sentinels.map(({ place, unit }) => [place.id, unit ? (takenOver(unit.paths)?.sentinelId ?? null) : null]),
  );
  return (id) => found.get(id) ?? noted[id] ?? sentinelRunId(spec, id);
}

/** Beside those that are noted already. @param ids by the ids of the spec */
export async function noteSentinelIds(
  { spec, paths }: Pick<Setting, 'spec' | 'paths'>,
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const noted = readNoted(paths.sentinelIds);
  const told = [...ids].filter(
    ([id, runId]) => runIdShape.test(runId) && runId !== (noted[id] ?? sentinelRunId(spec, id)),
  );
  if (told.length === 0) return;
  await makeFolder(paths.root, 0o700);
  await writeFileIfNew(paths.sentinelIds, `${JSON.stringify({ ...noted, ...Object.fromEntries(told) })}\n`);
}

/** Asks the Sentinels of other hosts who they are, and by which ids they know those of this one. */
export async function learnSentinelIds({ setting, sentinels }: Deployment): Promise<void> {
  const others = sentinels.filter(({ unit }) => unit === null);
  const answers = await Promise.all(others.map((each) => idsKnownTo(each, sentinels).catch(() => [])));
  await noteSentinelIds(setting, new Map(answers.flat()));
}

async function idsKnownTo(
  { place, watch }: LiveSentinel,
  sentinels: readonly LiveSentinel[],
): Promise<[id: string, runId: string][]> {
  const known = await watch.client.colleagues();
  const own = sentinels.flatMap((each): [string, string][] => {
    const { id, address, port } = each.place;
    const found = known.find((colleague) => colleague.address === address && colleague.port === port);
    return each.unit === null || found === undefined ? [] : [[id, found.runId]];
  });
  return [...own, [place.id, await watch.client.myId()]];
}

function readNoted(file: string): Record<string, string> {
  try {
    const found = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return found.success ? found.data : {};
  } catch {
    // There is none where holdfast started all of them.
    return {};
  }
}
