import { defineError } from '../base/errors.ts';

export const UnknownTarget = defineError('UNKNOWN_TARGET', 2);
