import { defineError } from '../base/errors.ts';

export const RigFailed = defineError('RIG_FAILED', 1);
