/** What `adopt` is tried on: the spec that `init` writes of servers that run, and the commands about it. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { parseDocument } from 'yaml';
import type { AdoptionPlan } from '../../src/agent/adopt/plan.ts';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { waitFor } from '../../src/base/retry.ts';
import { holdfast } from './deployment.ts';
import { tempFolder } from './redis-processes.ts';

export interface AdoptAnswer {
  plan: AdoptionPlan | null;
  adopted: boolean;
  status: Status | null;
  changes: { where: string; what: string }[];
}

export interface AdoptPlace {
  file: string;
  stateDir: string;
  port: number;
  where: string[];
}

/** The spec of what runs, as `init` writes it, with Sentinels, gates and agent behind the servers: nine ports from this one. */
export async function specOfWhatRuns(
  port: number,
  from: string,
  options: string[] = [],
): Promise<AdoptPlace> {
  const folder = tempFolder();
  const file = path.join(folder, 'holdfast.yaml');
  const made = await holdfast(['init', file, '--from', from, ...options]);
  expect(made.status, made.stderr).toBe(0);
  const spec = parseDocument(readFileSync(file, 'utf8'));
  spec.setIn(['sentinel', 'port'], port + 3);
  spec.set('gate', spec.createNode({ port: port + 6, replicaPort: port + 7 }));
  spec.setIn(['agent', 'port'], port + 8);
  writeFileSync(file, spec.toString());
  const stateDir = path.join(folder, 's');
  return { file, stateDir, port, where: [file, '--state-dir', stateDir] };
}

export function adoptWords({ where }: AdoptPlace, options: string[] = []): string[] {
  return ['adopt', ...where, '--supervisor-off', ...options];
}

/** It must succeed. */
export async function adopt(place: AdoptPlace, options: string[] = []): Promise<AdoptAnswer> {
  const { status, stdout, stderr } = await holdfast([...adoptWords(place, options), '--json']);
  expect(status, stdout + stderr).toBe(0);
  return JSON.parse(stdout) as AdoptAnswer;
}

export function untilStatus(
  { where }: AdoptPlace,
  what: string,
  test: (status: Status) => boolean,
): Promise<Status> {
  const look = async () => {
    const status = JSON.parse((await holdfast(['status', ...where, '--json'])).stdout) as Status;
    return test(status) ? status : undefined;
  };
  return waitFor(look, { what, withinMs: 60_000, everyMs: 100 });
}

/** What the next `apply` would change: nothing, where everything is as the spec has it. */
export async function changesLeft({ where }: AdoptPlace): Promise<unknown[]> {
  const { stdout } = await holdfast(['apply', ...where, '--dry-run', '--json']);
  return (JSON.parse(stdout) as { changes: unknown[] }).changes;
}
