import { systemClock } from '../base/clock.ts';
import { currentTls } from '../redis/tls.ts';
import type { Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import type { Setting } from './deployment.ts';
import { runIdMarks } from './election/run-ids.ts';
import { EventLog } from './state/event-log.ts';
import type { StatePaths } from './state/paths.ts';

/** What a host runs, for who works on it while no agent does: it stands for no election, and starts nothing. */
export async function offlineSetting(
  spec: Spec,
  host: string,
  paths: StatePaths,
  secrets: Secrets,
  engine: Pick<Setting, 'redisServer' | 'aclSelectors'> = { redisServer: '', aclSelectors: true },
): Promise<Setting> {
  return {
    ...{ spec, host, paths, ...engine, specFile: '', haproxy: null, clock: systemClock },
    secrets,
    events: new EventLog(paths.events, systemClock),
    runIdMarks: runIdMarks(host, '', undefined),
    tls: await currentTls(spec.security.tls),
  };
}
