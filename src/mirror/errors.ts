import { defineError } from '../base/errors.ts';

export const MirrorLoop = defineError('MIRROR_LOOP', 1);
export const MirrorTargetNotEmpty = defineError('MIRROR_TARGET_NOT_EMPTY', 1);
