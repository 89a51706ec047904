/** What nearly every verb begins with: the spec, and the state directory and agent that belong to it. */
import path from 'node:path';
import { AgentClient } from '../agent/api/agent-client.ts';
import { checkSocketFolder } from '../agent/api/socket-folder.ts';
import { UnknownHost } from '../agent/errors.ts';
import { type StatePaths, stateDirOf, statePaths } from '../agent/state/paths.ts';
import { checkStateOwner } from '../agent/state/state-owner.ts';
import { loadSpec } from '../spec/load.ts';
import type { Spec } from '../spec/spec.ts';

export interface TargetOptions {
  stateDir?: string;
}

export interface Target {
  file: string;
  spec: Spec;
  paths: StatePaths;
  agent: AgentClient;
}

export async function openTarget(file: string, options: TargetOptions): Promise<Target> {
  const spec = await loadSpec(file);
  const paths = statePaths(stateDirOf(spec.name, options.stateDir));
  await checkStateOwner(paths, spec.name);
  checkSocketFolder(paths.agentSocket, paths.root);
  return { file: path.resolve(file), spec, paths, agent: new AgentClient(paths) };
}

/** The host whose share is meant. @throws UNKNOWN_HOST when it must be said, or is not in the spec. */
export function chooseHost(spec: Spec, wanted: string | undefined): string {
  const ids = spec.hosts.map(({ id }) => id);
  if (wanted === undefined && ids.length === 1) return ids[0] as string;
  if (wanted === undefined) {
    throw UnknownHost('the spec has several hosts, and which one this is must be said', {
      hint: `Add --host with one of ${ids.join(', ')}.`,
    });
  }
  if (ids.includes(wanted)) return wanted;
  throw UnknownHost(`the spec has no host '${wanted}'`, { hint: `It has ${ids.join(', ')}.` });
}
