import { setTimeout as delay } from 'node:timers/promises';
import { usualPriority } from '../../topology/eligibility.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { lossText } from '../state/memory-file.ts';
import { makeWhatIsGone, putOwnDirectivesRight } from './configure.ts';
import { hurryToPrimary } from './hurry-to-primary.ts';
import { memberCommand } from './process-commands.ts';
import { settleRole } from './settle-role.ts';

/**
 * Starts a member's redis-server, in its own folder, at its own address. What its start needs beside data is made anew when it
 * is gone. A replica begins with a priority of 0 and gets its own when it is in sync: before, it has what was on its disk, and
 * nobody is to go back to that. One that an operator never wants promoted keeps its 0.
 * @param role whom it follows; null to start as primary; `as-it-was` for a standalone member that says itself which it is.
 * @param how whether it counts against the budget of restarts. @param epoch by which that one leads, as the Sentinels say
 */
export async function startMember(
  setting: Setting,
  member: LiveMember,
  role: LiveMember | null | 'as-it-was',
  how: 'start' | 'restart',
  epoch?: number,
): Promise<void> {
  const { unit, place, watch, heldBack, disk } = member;
  const primary = role === 'as-it-was' ? null : role;
  const leads = role === null;
  if (unit === null || heldBack === null) throw new TypeError(`${place.id} runs on ${place.host}, not here`);
  await putOwnDirectivesRight(setting, { place, unit });
  const made = await makeWhatIsGone(setting, { place, unit }, primary?.place ?? null);
  if (made !== null) {
    const then =
      primary === null ? 'it starts without data' : `it copies everything from ${primary.place.id}`;
    setting.events.add('data-missing', place.id, `${place.id} lacked ${made}: made anew; ${then}`);
  }
  if (leads) await noteLoss(setting, member, how);
  const byOperator = heldBack.operators;
  if (!leads && !byOperator) await heldBack.claim();
  const priority = !leads || byOperator ? 0 : usualPriority;
  const command = await memberCommand(setting, unit.paths, primary?.place ?? null, priority);
  watch.reset();
  disk?.forget();
  await unit[how](command);
  const { pid } = unit.process;
  const wish = {
    isWanted: () => pid !== null && unit.process.pid === pid,
    pause: (ms: number) => delay(ms, undefined, { ref: false }),
  };
  // Nobody waits for it: what it is waited for shows in the view.
  if (role === 'as-it-was') return;
  if (setting.spec.mirror !== null) void settleRole(watch.connect(), primary?.place ?? null, wish, epoch);
  else if (primary !== null) void hurryToPrimary(watch.connect(), place, wish);
  if (priority > 0) await heldBack.release();
}

/**
 * It is to be primary, and the data that it had is in no file: nobody has it then. A deployment that keeps its data in memory only loses it
 * whenever it is stopped on purpose, and everybody knows that.
 */
async function noteLoss(
  { spec, events }: Setting,
  { place, memory, disk }: LiveMember,
  how: 'start' | 'restart',
): Promise<void> {
  if (memory === null || disk === null || (how === 'start' && spec.redis.persistence === 'none')) return;
  await disk.look();
  if (disk.seen?.hasData !== false) return;
  const lost = memory.noteLoss();
  if (lost !== null && how === 'restart') events.add('data-missing', place.id, lossText(place.id, lost));
}
