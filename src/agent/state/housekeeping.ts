import { rotateLog } from '../../process/log-rotation.ts';
import { takeBackOwnPatience } from '../change/patience.ts';
import type { Deployment } from '../deployment.ts';
import { setBackSentinels } from '../units/set-back-sentinels.ts';
import { noteEpochs } from '../units/unusable-epoch.ts';

const everyMs = 60_000;

/** Rotates logs now and then, and takes back what a restore, or somebody by hand, left of the Sentinels' settings. @returns what ends it. */
export function housekeeping(deployment: Deployment): () => void {
  const { units, events, setting } = deployment;
  void noteEpochs(deployment);
  const timer = setInterval(() => {
    const logs = [...units.map(({ paths }) => paths.log), setting.paths.agentLog];
    void Promise.allSettled([
      ...logs.map((log) => rotateLog(log)),
      events.rotate(),
      takeBackOwnPatience(deployment),
      setBackSentinels(deployment),
      noteEpochs(deployment),
    ]);
  }, everyMs);
  return () => clearInterval(timer);
}
