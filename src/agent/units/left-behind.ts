import { existsSync } from 'node:fs';
import { errorCode, errorText } from '../../base/errors.ts';
import { OutputOwners } from '../../process/output-owners.ts';
import { loadSecrets, placeholderSecrets, type Secrets } from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import { assemble } from '../assemble.ts';
import { bringDown } from '../change/bring-down.ts';
import { refuseStopWithoutRoom } from '../change/can-save.ts';
import type { Report } from '../change/change-context.ts';
import { noteRoom } from '../observe/disk-watch.ts';
import { Observer } from '../observe/observer.ts';
import { offlineSetting } from '../offline-setting.ts';
import type { StatePaths } from '../state/paths.ts';
import { takeLock } from '../state/state-lock.ts';

/**
 * Stops what an agent that is gone has left running on this host, in the same order as it would have.
 * @returns how many processes there were.
 */
export async function stopLeftBehind(
  spec: Spec,
  host: string,
  paths: StatePaths,
  report: Report,
): Promise<number> {
  if (!existsSync(paths.root)) return 0;
  const release = await takeLock(paths.agentRecord);
  try {
    const deployment = await assemble(
      await offlineSetting(spec, host, paths, await secretsOrNone(spec, paths, report)),
    );
    const owners = new OutputOwners();
    let count = 0;
    for (const unit of deployment.units) if (await unit.adopt(owners)) count += 1;
    if (count === 0) return 0;
    const observer = new Observer(deployment);
    await observer.lookAtAll();
    await refuseStopWithoutRoom(deployment.members, (member) => noteRoom(deployment, member));
    await bringDown(deployment, report);
    observer.stop();
    return count;
  } finally {
    await release();
  }
}

/** Without passwords nobody can be logged in to; a signal has a server save what it is told to save, as SHUTDOWN does. */
async function secretsOrNone(spec: Spec, paths: StatePaths, report: Report): Promise<Secrets> {
  try {
    return await loadSecrets(spec, paths.secret);
  } catch (error) {
    if (errorCode(error) !== 'SECRET_UNAVAILABLE') throw error;
    report(`warning: ${errorText(error)}: what runs is stopped by signals`);
    return placeholderSecrets(spec);
  }
}
