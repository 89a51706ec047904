import { defineError } from '../base/errors.ts';

export const ProcessFailedToStart = defineError('PROCESS_FAILED_TO_START', 1);
export const ProcessWouldNotStop = defineError('PROCESS_WOULD_NOT_STOP', 1);
