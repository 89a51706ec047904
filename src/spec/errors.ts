import { defineError } from '../base/errors.ts';

export const SpecInvalid = defineError('SPEC_INVALID', 2);
export const SpecNotFound = defineError('SPEC_NOT_FOUND', 2);
export const SpecUnreadable = defineError('SPEC_UNREADABLE', 2);
export const SecretUnavailable = defineError('SECRET_UNAVAILABLE', 2);
