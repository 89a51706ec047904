import { defineError } from '../base/errors.ts';

export const DrillFailed = defineError('DRILL_FAILED', 1);
export const NotForLive = defineError('DRILL_NOT_FOR_LIVE', 2);
