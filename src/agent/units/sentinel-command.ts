/**
 * How a Sentinel is started. What it watches, whom it knows and whom it voted for is in its sentinel.conf, which it rewrites
 * itself: a file that was emptied or cut off (Sentinel 6.2 does not write it whole; a disk was full), edited (an epoch
 * so high that none comes after it), or left behind by SENTINEL REMOVE, is no start. Such a file is made anew: what it knew besides the primary, its colleagues tell it.
 */
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import { refusesConfig } from '../../process/server-log.ts';
import type { ProcessCommand } from '../../process/spawn-held.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import { renderSentinelConf } from '../../render/sentinel-conf.ts';
import type { Member } from '../../spec/spec.ts';
import { isUsableEpoch } from '../../topology/election/epoch.ts';
import { namedPrimary } from '../../topology/view.ts';
import type { Deployment, LiveSentinel } from '../deployment.ts';
import { namedInFiles, sentinelConfPaths } from './configure.ts';
import { isSoundSentinelConf, unusableEpochIn } from './sentinel-file.ts';
import { sentinelRunIds } from './sentinel-ids.ts';
import type { Unit } from './unit.ts';

export async function sentinelCommand(deployment: Deployment, unit: Unit): Promise<ProcessCommand> {
  const { setting, spec, events } = deployment;
  const { config, folder, log } = unit.paths;
  const text = await readFileIfThere(config);
  const isRefused = refusesConfig(lastLogLines(log, logTail));
  if (text === undefined || isRefused || !isSoundSentinelConf(text, spec.name)) {
    const primary = await primaryToName(deployment);
    const { place } = deployment.sentinels.find((each) => each.unit === unit) as LiveSentinel;
    const known = deployment.sentinels.map(({ watch }) => watch.seen.configEpoch);
    const epoch = Math.max(0, ...known.filter(isUsableEpoch));
    const paths = sentinelConfPaths(unit);
    const runIdOf = sentinelRunIds(deployment);
    await writeFileAtomic(
      config,
      renderSentinelConf({ spec, secrets: setting.secrets, sentinel: place, paths, primary, epoch, runIdOf }),
    );
    const why = isRefused ? 'holds something that it refuses' : whyUnsound(text ?? '', spec.name);
    const told = `the sentinel.conf of ${unit.id} ${why}; it was made anew, and names ${primary.id} primary`;
    if (text !== undefined) events.add('state-damaged', unit.id, told);
  }
  return { program: setting.redisServer, args: [config, '--sentinel'], cwd: folder, logFile: log };
}

function whyUnsound(text: string, name: string): string {
  const epoch = unusableEpochIn(text, name);
  if (epoch === null) return 'does not name what it is to watch';
  return `is in epoch ${epoch}, which no number of elections comes to`;
}

const logTail = 50;

/** Whom the Sentinels name; else the only one that acts as primary; else what their files say. */
async function primaryToName(deployment: Deployment): Promise<Member> {
  const view = deployment.view();
  const acting = view.members.filter(({ reachable, role }) => reachable && role === 'primary');
  const known = namedPrimary(view)?.id ?? (acting.length === 1 ? acting[0]?.id : undefined);
  const id = known ?? (await namedInFiles(deployment)) ?? deployment.members[0]?.place.id ?? '';
  return deployment.member(id).place;
}
