import { defineError } from '../base/errors.ts';

export const BenchFailed = defineError('BENCH_FAILED', 1);
