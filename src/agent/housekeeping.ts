import { rotateLog } from '../process/log-rotation.ts';
import type { Deployment } from './deployment.ts';

const everyMs = 60_000;

/** Rotates logs now and then. @returns what ends it. */
export function housekeeping({ parts, events, setting }: Deployment): () => void {
  const timer = setInterval(() => {
    const logs = [...parts.map(({ paths }) => paths.log), setting.paths.agentLog];
    void Promise.allSettled([...logs.map((log) => rotateLog(log)), events.rotate()]);
  }, everyMs);
  return () => clearInterval(timer);
}
