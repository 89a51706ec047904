import { defineError } from '../base/errors.ts';

export const UnknownTarget = defineError('UNKNOWN_TARGET', 2);
export const BadTargetOption = defineError('BAD_TARGET_OPTION', 2);
export const TargetRefused = defineError('TARGET_REFUSED', 2);
export const BadGateFile = defineError('BAD_GATE_FILE', 2);
