/**
 * A member whose data folder was moved or deleted has its data in memory, and in files that its next start does not find. It is
 * not stopped when nobody else would have that data then, unless a person accepts the loss.
 */
import { DataLossRefused } from '../errors.ts';
import { holdsData, type Keeping, lostFolderOf } from '../observe/lost-folder.ts';

export interface Holder {
  id: string;
  /** Has the deployment's data, in memory at least. */
  holds: boolean;
  /** Its next start finds nothing of that. */
  lost: boolean;
  /** It is to be stopped. */
  stops: boolean;
}

/** Those that have the only copy, and nobody has one when they were stopped; empty when somebody has. */
export function onlyCopies(holders: readonly Holder[]): string[] {
  if (holders.some(({ holds, lost, stops }) => holds && (!stops || !lost))) return [];
  return holders.filter(({ holds }) => holds).map(({ id }) => id);
}

/** @throws DATA_LOSS_REFUSED. @param stops whether this one is to be stopped */
export async function keepOnlyCopy(
  members: readonly Keeping[],
  stops: (member: Keeping) => boolean,
  command: string,
): Promise<void> {
  const holders = members.map(async (member): Promise<Holder> => {
    const lost = (await lostFolderOf(member)) !== null;
    return { id: member.place.id, holds: holdsData(member), lost, stops: stops(member) };
  });
  const only = onlyCopies(await Promise.all(holders));
  if (only.length === 0) return;
  const folders = members.flatMap(({ place, unit }) =>
    only.includes(place.id) && unit !== null ? [unit.paths.dataDir] : [],
  );
  throw DataLossRefused(
    `nothing was stopped: ${only.join(', ')} would begin without data, because the folder was moved or deleted (${folders.join(', ')}), and nobody else has what it holds`,
    {
      hint: `Move the folder back. If it was deleted, holdfast backup now keeps what is in memory. ${command} --accept-data-loss stops it all the same.`,
    },
  );
}
