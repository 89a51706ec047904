import { rotateLog } from '../../process/log-rotation.ts';
import { takeBackOwnPatience } from '../change/patience.ts';
import type { Deployment } from '../deployment.ts';

const everyMs = 60_000;

/** Rotates logs now and then, and takes back what a restore left. @returns what ends it. */
export function housekeeping(deployment: Deployment): () => void {
  const { units, events, setting } = deployment;
  const timer = setInterval(() => {
    const logs = [...units.map(({ paths }) => paths.log), setting.paths.agentLog];
    void Promise.allSettled([
      ...logs.map((log) => rotateLog(log)),
      events.rotate(),
      takeBackOwnPatience(deployment),
    ]);
  }, everyMs);
  return () => clearInterval(timer);
}
