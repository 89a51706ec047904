import { defineError } from '../base/errors.ts';

export const BadOption = defineError('BAD_OPTION', 2);
export const StoppedBySignal = defineError('STOPPED_BY_SIGNAL', 1);
