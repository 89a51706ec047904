import { defineError } from '../base/errors.ts';

export const SourceUnknown = defineError('INIT_SOURCE_UNKNOWN', 2);
export const SourceUnreadable = defineError('INIT_SOURCE_UNREADABLE', 1);
export const SpecThere = defineError('INIT_SPEC_THERE', 2);
