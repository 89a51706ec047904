/** `holdfast rotate secret` for a spec whose hosts are reached by ssh: look, say, ask, do. */
import { ApplyLock } from '../fleet/act/apply-lock.ts';
import type { RotationStep } from '../fleet/plan/rotation.ts';
import { rotateSecret, surveyRotation } from '../fleet/rotate-secret.ts';
import { SshConnections } from '../fleet/ssh/connections.ts';
import { gatherAll } from '../fleet/survey.ts';
import { defaultUserMode } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { confirm } from './confirm.ts';
import { specElsewhere } from './elsewhere.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';

export interface RotateOptions {
  yes?: boolean;
  finish?: boolean;
}

export async function rotateOnHosts(output: Output, file: string, options: RotateOptions): Promise<number> {
  const spec = await specElsewhere(file, {});
  if (spec === null) {
    throw BadOption(
      'rotate changes passwords on hosts that are reached by ssh, and the spec is for this machine',
      {
        hint: 'Passwords of security.users: holdfast rotate users.',
      },
    );
  }
  const connections = new SshConnections(spec);
  const lock = new ApplyLock(spec);
  const report = (line: string) => output.note(`  ${output.colors.dim(line)}`);
  try {
    await lock.take(
      spec.hosts.map((host) => connections.host(host)),
      report,
    );
    connections.need(lock);
    const rotation = surveyRotation(spec, await gatherAll(spec, connections));
    const { now, later } = stepsNow(spec, rotation.plan.steps, options.finish === true);
    for (const line of sentencesOf(spec, now)) output.line(line);
    if (!(await confirm(output, 'Change the passwords?', options.yes === true))) return 1;
    await rotateSecret(spec, connections, rotation, now, report);
    output.line(`${output.colors.green('✓')} ${output.colors.bold(spec.name)} has new passwords.`);
    if (later.length > 0)
      output.line(`The old one of clients is valid too, until: holdfast rotate secret ${file} --finish`);
    output.data({ name: spec.name, done: now, left: later });
    return 0;
  } finally {
    lock.release();
    await connections.close();
  }
}

/** Clients with a password that is derived have to get the new one before the old one goes. @throws BAD_OPTION */
export function stepsNow(
  spec: Spec,
  steps: readonly RotationStep[],
  finish: boolean,
): { now: readonly RotationStep[]; later: readonly RotationStep[] } {
  if (!isClients(spec)) {
    return { now: steps, later: [] };
  }
  if (!finish) return { now: steps.filter((step) => step !== 'drop'), later: ['drop'] };
  if (steps.includes('accept')) {
    throw BadOption('--finish: no change of the secret is under way, or not on all hosts', {
      hint: 'holdfast rotate secret begins it, and goes on where it stopped.',
    });
  }
  return { now: steps, later: [] };
}

function isClients(spec: Spec): boolean {
  return defaultUserMode(spec) === 'password' && spec.security.users.length === 0;
}

function sentencesOf(spec: Spec, steps: readonly RotationStep[]): string[] {
  const of = isClients(spec)
    ? 'holdfast’s own users, Sentinels, API tokens and clients'
    : 'holdfast’s own users, Sentinels and API tokens';
  const sentences: Record<RotationStep, string> = {
    accept: `New passwords of ${of} become valid beside the old ones, on one host after the other.`,
    use: 'Then the new ones are used everywhere. Browsers log in to the dashboard again.',
    drop: 'Then the old ones are valid no more.',
  };
  return [
    ...steps.map((step) => sentences[step]),
    ...(steps.some((step) => step !== 'use')
      ? ['The primary moves once in each step that changes who is valid: writes wait meanwhile.']
      : []),
  ];
}
