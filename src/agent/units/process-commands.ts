/** How each process is started. Passwords are in files that only their owner reads, never in arguments. */
import { readFileIfThere, writeFileAtomic } from '../../base/atomic-file.ts';
import type { ProcessCommand } from '../../process/spawn-held.ts';
import type { Member } from '../../spec/spec.ts';
import type { Deployment, LiveGate, Setting } from '../deployment.ts';
import { loadWhatCounts } from '../persistence/load-what-counts.ts';
import type { UnitPaths } from '../state/paths.ts';

/**
 * Only whom to follow may stand on the command line. To start as primary, the line that says whom it followed last must
 * be gone from its redis.conf: a `--replicaof no one` after it leaves redis-server (7.0.15) in the state "to be
 * connected", to no host but with the old port, and a second later it copies whatever listens there over its own data.
 * @param primary whom it follows; null to start as primary.
 * @param priority its replica-priority, whatever its redis.conf says.
 */
export async function memberCommand(
  { redisServer, spec }: Setting,
  paths: UnitPaths,
  primary: Member | null,
  priority: number,
): Promise<ProcessCommand> {
  if (primary === null || spec.mirror !== null) await forgetPrimary(paths.config);
  await loadWhatCounts(paths);
  const follow =
    primary && spec.mirror === null ? ['--replicaof', primary.address, String(primary.port)] : [];
  const eligible = ['--replica-priority', String(priority)];
  return {
    program: redisServer,
    args: [paths.config, ...follow, ...eligible],
    cwd: paths.folder,
    logFile: paths.log,
  };
}

async function forgetPrimary(redisConf: string): Promise<void> {
  const text = await readFileIfThere(redisConf);
  const kept = text?.split('\n').filter((line) => !/^\s*(replicaof|slaveof)\s/i.test(line));
  const changed = kept?.join('\n');
  if (changed !== undefined && changed !== text) await writeFileAtomic(redisConf, changed);
}

/** Writes the gate's configuration anew: unlike Redis's it is not state. */
export async function gateCommand(deployment: Deployment, id: string): Promise<ProcessCommand> {
  const gate = deployment.gates.find(({ place }) => place.id === id) as LiveGate;
  await gate.adapter.configure();
  return gate.adapter.command();
}
