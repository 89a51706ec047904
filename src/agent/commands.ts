/** How each process is started. Passwords are in files that only their owner reads, never in arguments. */
import type { ProcessCommand } from '../process/supervised-process.ts';
import type { Member } from '../spec/spec.ts';
import type { Deployment, LiveGate, Setting } from './deployment.ts';
import type { PartPaths } from './paths.ts';

/** @param primary whom it follows; null to start as primary; undefined for what its redis.conf says. */
export function memberCommand(
  { redisServer }: Setting,
  paths: PartPaths,
  primary: Member | null | undefined,
): ProcessCommand {
  const follow = primary === null ? ['no', 'one'] : primary ? [primary.address, String(primary.port)] : [];
  return {
    program: redisServer,
    args: [paths.config, ...(follow.length > 0 ? ['--replicaof', ...follow] : [])],
    cwd: paths.folder,
    logFile: paths.log,
  };
}

export function sentinelCommand({ redisServer }: Setting, paths: PartPaths): ProcessCommand {
  return { program: redisServer, args: [paths.config, '--sentinel'], cwd: paths.folder, logFile: paths.log };
}

/** Writes the gate's configuration anew: unlike Redis's it is not state. */
export async function gateCommand(deployment: Deployment, id: string): Promise<ProcessCommand> {
  const gate = deployment.gates.find(({ place }) => place.id === id) as LiveGate;
  await gate.adapter.configure();
  return gate.adapter.command();
}
