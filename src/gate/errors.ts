import { defineError, errorCode, errorText, type HoldfastError } from '../base/errors.ts';

export const BadGateConfig = defineError('GATE_CONFIG', 2);
export const GateListenFailed = defineError('GATE_LISTEN', 1);
export const GateControlFailed = defineError('GATE_CONTROL', 1);
export const GateWorkersFailed = defineError('GATE_WORKERS', 1);

export function cannotListen(host: string, port: number, cause: unknown): HoldfastError {
  const isTaken = errorCode(cause) === 'EADDRINUSE';
  return GateListenFailed(`cannot listen on ${host}:${port}: ${errorText(cause)}`, {
    cause,
    ...(isTaken ? { hint: 'Another program has that port; `ss -ltnp` shows which.' } : {}),
  });
}
