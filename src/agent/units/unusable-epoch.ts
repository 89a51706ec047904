/**
 * In which epoch the Sentinels of this host are, by their files: Sentinel tells nobody when it is asked, and writes it down
 * before it makes it known. One that no agent can be elected in (topology/election/epoch.ts) is told, with the way out: a
 * Sentinel that starts with such a file gets a new one (sentinel-command.ts), and hears that epoch again from the others
 * unless they all begin anew.
 */
import { readFileIfThere } from '../../base/atomic-file.ts';
import type { Deployment } from '../deployment.ts';
import type { ElectionWatch } from '../election/election-watch.ts';
import type { EventLog } from '../state/event-log.ts';
import type { Troubles } from '../state/troubles.ts';
import { epochsIn, unusableEpochIn } from './sentinel-file.ts';

interface Placed {
  readonly place: { id: string };
  readonly unit: { paths: { config: string }; process: { running: boolean } } | null;
}

export interface Epochs {
  readonly spec: Pick<Deployment['spec'], 'name'>;
  readonly sentinels: readonly Placed[];
  readonly elections: Pick<ElectionWatch, 'noteEpoch'>;
  readonly events: Pick<EventLog, 'add'>;
  readonly troubles: Pick<Troubles, 'has' | 'note'>;
}

/** For housekeeping, and when a Sentinel makes such an epoch known. Never throws: what can't be read is read again later. */
export async function noteEpochs({ spec, sentinels, elections, events, troubles }: Epochs): Promise<void> {
  for (const { place, unit } of sentinels) {
    const about = `epoch of ${place.id}`;
    // Of one that does not run the file is looked at when it starts.
    if (unit?.process.running !== true) {
      troubles.note(about, null);
      continue;
    }
    const text = await readFileIfThere(unit.paths.config).catch(() => undefined);
    if (text === undefined) continue;
    for (const epoch of epochsIn(text, spec.name)) elections.noteEpoch(Number(epoch));
    const found = unusableEpochIn(text, spec.name);
    const told = found === null ? null : sentence(place.id, found);
    // Each failover takes the next: that is no news.
    if (told !== null && !troubles.has(about)) events.add('epoch-unusable', place.id, told);
    troubles.note(about, told);
  }
}

function sentence(sentinel: string, epoch: string): string {
  return (
    `${sentinel} is in epoch ${epoch}, which no number of elections comes to: somebody wrote that into a sentinel.conf, or told a Sentinel so. ` +
    'No agent can be elected, so a Sentinel is asked to replace a lost primary. holdfast down and holdfast up, of all hosts, begin with epochs of their own'
  );
}
