import { defineError } from '../base/errors.ts';

export const BadOption = defineError('BAD_OPTION', 2);
