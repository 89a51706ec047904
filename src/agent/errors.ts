import { defineError } from '../base/errors.ts';

export const AlreadyRuns = defineError('ALREADY_RUNS', 1);
export const NotRunning = defineError('NOT_RUNNING', 1);
export const PortTaken = defineError('PORT_TAKEN', 1);
export const ProgramMissing = defineError('PROGRAM_MISSING', 1);
export const ServerTooOld = defineError('SERVER_TOO_OLD', 1);
export const StateDirUnusable = defineError('STATE_DIR_UNUSABLE', 1);
export const DiskFull = defineError('DISK_FULL', 1);
export const UnknownHost = defineError('UNKNOWN_HOST', 2);
export const UnknownPart = defineError('UNKNOWN_PART', 2);
export const StartFailed = defineError('START_FAILED', 1);
export const OperationUnderWay = defineError('OPERATION_UNDER_WAY', 1);
export const SwitchoverRefused = defineError('SWITCHOVER_REFUSED', 1);
export const SwitchoverFailed = defineError('SWITCHOVER_FAILED', 1);
export const FailoverRefused = defineError('FAILOVER_REFUSED', 1);
export const ApiTokenNeeded = defineError('API_TOKEN_NEEDED', 1);
export const ApplyRefused = defineError('APPLY_REFUSED', 1);
