import { defineError } from '../base/errors.ts';

/** A member's stream that is not called for any more. */
export const MemberFollowsNot = defineError('MIRROR_MEMBER_FOLLOWS_NOT', 1);
export const MirrorLoop = defineError('MIRROR_LOOP', 1);
export const MirrorTargetNotEmpty = defineError('MIRROR_TARGET_NOT_EMPTY', 1);
