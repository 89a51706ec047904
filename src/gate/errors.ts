import { defineError } from '../base/errors.ts';

export const BadGateConfig = defineError('GATE_CONFIG', 2);
export const GateListenFailed = defineError('GATE_LISTEN', 1);
export const GateControlFailed = defineError('GATE_CONTROL', 1);
export const GateWorkersFailed = defineError('GATE_WORKERS', 1);
