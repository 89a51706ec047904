/** Which host's agent answers: the first that does is asked, whatever the others are doing. */
import { errorCode, errorText } from '../base/errors.ts';
import { installedSpec, installedState, program } from '../render/installed.ts';
import type { Spec } from '../spec/spec.ts';
import { NoAgentAnswers, RemoteFailed } from './errors.ts';
import { shellLine } from './shell.ts';
import type { SshConnections, SshHost } from './ssh/connections.ts';

const answersWithinMs = 20_000;
/** What a shell says of a program that is not there. */
const notFound = 127;

/** A command line of holdfast on a host that `apply` has set up, with the deployment's spec and state there. */
export function holdfastThere(spec: Spec, verb: readonly string[], options: readonly string[] = []): string {
  const all = [program, ...verb, installedSpec(spec), '--state-dir', installedState(spec), ...options];
  return `cd / && exec ${shellLine(all)}`;
}

/** @throws NO_AGENT_ANSWERS with what each host said; what ssh says of one when it says the same of all. */
export async function answeringHost(spec: Spec, connections: SshConnections): Promise<SshHost> {
  const hosts = spec.hosts.map((host) => connections.host(host));
  // One that is gone would be waited for until ssh gives it up.
  const found = new AbortController();
  try {
    return await Promise.any(hosts.map((host) => answers(spec, host, found.signal)));
  } catch (error) {
    const all: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const codes = new Set(all.map(errorCode));
    // Its own hint says more.
    if (codes.size === 1 && !codes.has('REMOTE_FAILED')) throw all[0];
    throw NoAgentAnswers(`no agent of ${spec.name} answers: ${all.map(errorText).join('; ')}`, {
      hint: 'holdfast apply sets the hosts up and starts what does not run.',
    });
  } finally {
    found.abort();
  }
}

async function answers(spec: Spec, host: SshHost, signal: AbortSignal): Promise<SshHost> {
  const { status, stderr } = await host.ask(holdfastThere(spec, ['status'], ['--json']), {
    as: 'holdfast',
    doing: 'asking its agent',
    timeoutMs: answersWithinMs,
    signal,
  });
  // 3: it answers, and says that something is wrong.
  if (status === 0 || status === 3) return host;
  const why = status === notFound ? 'holdfast is not installed there' : stderr.trim() || 'no agent runs';
  throw RemoteFailed(`host ${host.id}: ${why.split('\n')[0]}`);
}

/** The id of the primary, as its agent has it; null when it can't tell. */
export async function primaryThere(spec: Spec, host: SshHost): Promise<string | null> {
  const command = holdfastThere(spec, ['status'], ['--json']);
  return primaryIn((await host.ask(command, { as: 'holdfast', doing: 'its status' })).stdout);
}

/** The same in what `holdfast status --json` printed. */
export function primaryIn(stdout: string): string | null {
  try {
    const { primary } = JSON.parse(stdout) as { primary?: unknown };
    return typeof primary === 'string' ? primary : null;
  } catch {
    return null;
  }
}
