import { defineError, errorText } from '../base/errors.ts';

export const MigrateRefused = defineError('MIGRATE_REFUSED', 1);
export const MigrationThere = defineError('MIGRATION_THERE', 2);
export const MigrationNone = defineError('MIGRATION_NONE', 2);
export const MigrationNotRunning = defineError('MIGRATION_NOT_RUNNING', 1);
export const MigrationRuns = defineError('MIGRATION_RUNS', 1);
export const MigrationUnreadable = defineError('MIGRATION_UNREADABLE', 1);
export const MigrationPreflight = defineError('MIGRATION_PREFLIGHT', 3);
export const CutOverNotNow = defineError('CUT_OVER_NOT_NOW', 1);

/** What a hint says of gates that do not answer. */
export const goneForGood =
  'A gate that is gone for good is left out by holdfast migrate resume --without-gate SOCKET.';

/** What a hint says to a cut-over of one that has had its own, and of one that does not run. */
const afterCutOver =
  'Its change was made: holdfast migrate finish ends it, holdfast migrate cutover --undo takes it back.';
const runsFirst = 'Only one that runs can be cut over: holdfast migrate resume goes on.';

/** Of one whose process ended while it was given up. */
export function givenUpBefore(): Error {
  return MigrateRefused('this migration was being given up when its process ended', {
    hint: 'Writers go on at the old side, or will in a moment: holdfast migrate abort brings it to its end.',
  });
}

/** Of a pause behind the cut-over. */
export function nothingToPause(): Error {
  return MigrateRefused('this migration is cut over: nothing is read from its sources that could be paused', {
    hint: afterCutOver,
  });
}

/** What is asked of a process that takes up what another one left. */
export function notTakenUp(): Error {
  return MigrationNotRunning('the process that takes up this migration has not done so', {
    hint: 'What keeps it from that, it says itself, or holdfast migrate status. Try again when it runs.',
  });
}

/** Of a cut-over whose gate has had one. */
export function gateMovedBefore(): Error {
  return CutOverNotNow('a gate has moved its clients to the new side already', {
    hint: 'Name those that stand before the old servers.',
  });
}

/** Of a cut-over of one that does not run, or has had its own. @param phase which it is in */
export function noCutOver(phase: string): Error {
  return CutOverNotNow(`this migration is ${phase}`, {
    hint: phase === 'cut-over' ? afterCutOver : runsFirst,
  });
}

/** Of a target that may lack what was drained into it. @throws CUT_OVER_NOT_NOW */
export function notConfirmed(cause: unknown): never {
  throw CutOverNotNow(`the cut-over was given up: ${errorText(cause)}`, {
    hint: 'Writers go on at the old side, and nothing has changed. Try again when holdfast migrate status shows it followed.',
    cause,
  });
}
