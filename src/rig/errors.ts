import { defineError } from '../base/errors.ts';

export const RigFailed = defineError('RIG_FAILED', 1);
export const RigUnfit = defineError('RIG_UNFIT', 1);
