/** What both ways to run an agent have in common. It loads nothing of the agent: a command that only waits for one is quick. */
import { spawn } from 'node:child_process';
import type { Status } from '../agent/api/status-answer.ts';
import { describeDuration } from '../base/duration.ts';
import type { ErrorJson } from '../base/error-wire.ts';
import { apiUrl } from '../spec/api-address.ts';
import type { Spec } from '../spec/spec.ts';
import type { Output } from './output.ts';
import type { Target } from './target.ts';

export interface RunOptions {
  host: string;
  readyWithinMs: number;
  /** What is restored once it is up; null for nothing. */
  restore: string | null;
}

/** What a detached agent tells the command that started it. */
export type Message = { step: string } | { ready: Status; notReady: string | null } | { failed: ErrorJson };

export const detachedMark = 'HOLDFAST_DETACHED';

export function announce(
  output: Output,
  spec: Spec,
  host: string,
  tookMs: number,
  notReady: string | null,
): void {
  const { bold, green, yellow } = output.colors;
  const gate = spec.gates.find((each) => each.host === host);
  if (notReady === null) {
    output.line(`${green('✓')} ${bold(spec.name)} takes writes after ${describeDuration(tookMs)}`);
  } else {
    output.note(`${yellow('warning:')} ${spec.name} runs, but takes no writes yet: ${notReady}`);
    output.note('It goes on trying; holdfast status shows what is missing.');
  }
  if (gate) {
    const { tls } = spec.security;
    const client = `redis-cli -h ${gate.address} -p ${gate.port}${tls ? ` --tls --cacert ${tls.ca}` : ''}`;
    output.line(`  read-write port  ${bold(`${gate.address}:${gate.port}`)}   ${client}`);
    if (gate.replicaPort) output.line(`  read-only port   ${bold(`${gate.address}:${gate.replicaPort}`)}`);
  }
  const own = spec.hosts.find(({ id }) => id === host);
  if (own) output.line(`  API              ${bold(`${apiUrl(spec, own)}/status`)}`);
}

/**
 * In a process of its own: what it reads must not keep an agent from seeing a failure.
 * @param output null: the command's own words are enough.
 */
export async function restoreOnceUp(
  target: Target,
  backup: string,
  output: Output | null,
): Promise<{ status: number; json: unknown }> {
  const asJson = output?.json === true;
  const args = [
    'restore',
    backup,
    target.file,
    '--state-dir',
    target.paths.root,
    ...(asJson ? ['--json'] : []),
  ];
  const child = spawn(process.execPath, [process.argv[1] as string, ...args], {
    stdio: ['ignore', asJson ? 'pipe' : 'inherit', 'inherit'],
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const status = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (code) => resolve(code ?? 1));
  });
  return { status, json: text === '' ? null : JSON.parse(text) };
}
