import { defineError } from '../base/errors.ts';

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
export const afterCutOver =
  'Its change was made: holdfast migrate finish ends it, holdfast migrate cutover --undo takes it back.';
export const runsFirst = 'Only one that runs can be cut over: holdfast migrate resume goes on.';
