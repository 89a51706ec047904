import { defineError } from '../base/errors.ts';

export const FixFailed = defineError('FIX_FAILED', 1);
export const NothingToUndo = defineError('NOTHING_TO_UNDO', 1);
export const JournalUnfit = defineError('DOCTOR_JOURNAL_UNFIT', 1);
