import { defineError } from '../base/errors.ts';

/** The source can't give what follows our place any more, and the data can't be told from what others put there. */
export const StreamPlaceLost = defineError('STREAM_PLACE_LOST', 1);
/** The target's position went away while it was written: somebody removed it, or the target is another one now. */
export const StreamPlaceGone = defineError('STREAM_PLACE_GONE', 1);
/** The source emptied or exchanged whole databases, which is carried by a new copy of what is ours. */
export const StreamNeedsCopy = defineError('STREAM_NEEDS_COPY', 1);
/** Something in the stream that can't be applied elsewhere as it is meant. */
export const StreamCantCarry = defineError('STREAM_CANT_CARRY', 1);
/** The target refused a command that the source had executed. */
export const StreamDiverged = defineError('STREAM_DIVERGED', 1);
/** A key of the source is there already, of somebody else. */
export const StreamConflict = defineError('STREAM_CONFLICT', 1);
/** The position in the target is not ours to go on from. */
export const StreamPositionUnreadable = defineError('STREAM_POSITION_UNREADABLE', 1);
/** The position moved under our hands: another process, or an earlier connection of ours. Read it again. */
export const StreamPositionMoved = defineError('STREAM_POSITION_MOVED', 1);
/** A member was told in a later epoch who leads. */
export const MemberToldLater = defineError('MEMBER_TOLD_LATER', 1);
/** The target takes nothing for now: no memory, no primary, loading. */
export const StreamTargetRefuses = defineError('STREAM_TARGET_REFUSES', 1);
/** The source loads its data, or has lost its own primary. */
export const StreamSourceNotReady = defineError('STREAM_SOURCE_NOT_READY', 1);
