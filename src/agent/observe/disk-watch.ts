/**
 * Notices that a member of this host writes where nobody looks for it, and that it can't go on because its disk is full. Redis
 * itself only logs it: a replica tries its synchronisation again and again, which looks as if it were under way.
 */
import { statfs } from 'node:fs/promises';
import { describeSize } from '../../base/size.ts';
import { noRoomIn } from '../../process/server-log.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { holdsData, lostFolderOf } from './lost-folder.ts';

const everyMs = 2000;
/** With less than this nothing can be written, whatever the log says. */
const nothingLeftBytes = 64 * 1024;
/** A complaint in the log counts while there is not much more room than then. */
const scarceBytes = 64 * 2 ** 20;
/** One that can't synchronise for want of room tries again, and says so again, at least so often. */
const repeatedWithinMs = 30_000;
const logLines = 200;

export function watchDisks(deployment: Deployment): () => void {
  const timer = setInterval(() => {
    for (const member of deployment.members) void look(deployment, member).catch(() => {});
  }, everyMs);
  return () => clearInterval(timer);
}

/** Of one that answers: it has read its configuration then. */
async function noteLostFolder({ events, troubles, members }: Deployment, member: LiveMember): Promise<void> {
  const { unit, place, watch } = member;
  const where = watch.seen.reachable ? await lostFolderOf(member) : null;
  const hasCopy = members.some((other) => other !== member && holdsData(other));
  const wayOut = hasCopy
    ? `Move it back, or holdfast restart ${place.id} has it copy everything anew`
    : 'Nobody else has its data: move it back before it ends, or, if it was deleted, holdfast backup now keeps what is in memory';
  const text =
    where === null || unit === null
      ? null
      : `${place.id} writes its data to ${where}, and its next start looks for it in ${unit.paths.dataDir}: the folder was moved or deleted. ${wayOut}`;
  if (troubles.note(`data folder of ${place.id}`, text) && text !== null)
    events.add('data-missing', place.id, text);
}

async function look(deployment: Deployment, member: LiveMember): Promise<void> {
  if (!member.unit) return;
  await noteLostFolder(deployment, member);
  await noteRoom(deployment, member);
}

/** Whether its disk is full by now; its unit says so from then on. */
export async function noteRoom(
  { events }: Pick<Deployment, 'events'>,
  { unit, place, watch }: Pick<LiveMember, 'unit' | 'place' | 'watch'>,
): Promise<void> {
  if (!unit) return;
  const { bavail, bsize } = await statfs(unit.paths.dataDir);
  const free = bavail * bsize;
  const { role, linkUp, vitals } = watch.seen;
  // Of what it ends of, or what fails of a save, it says so once; a replica without a link again and again.
  const hasFailed = !unit.process.running || vitals?.saveOk === false || vitals?.aofOk === false;
  const struggles = hasFailed || (role === 'replica' && !linkUp);
  const complaint =
    struggles && free < scarceBytes
      ? noRoomIn(lastLogLines(unit.paths.log, logLines), hasFailed ? 0 : Date.now() - repeatedWithinMs)
      : null;
  const isFull = free < nothingLeftBytes || complaint !== null;
  const why = complaint === null ? '' : `; its log says: ${complaint}`;
  const text = `the disk of ${place.id} is full: ${describeSize(free)} free in ${unit.paths.dataDir}${why}`;
  if (unit.noteNoRoom(isFull ? text : null)) events.add('disk-full', place.id, text);
}
