import { defineError } from '../base/errors.ts';

export const TestbedFailed = defineError('TESTBED_FAILED', 1);
export const TestbedUnfit = defineError('TESTBED_UNFIT', 1);
