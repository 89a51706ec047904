/** Changes the secret of a deployment that runs, and with it every password that is derived from it: see plan/rotation.ts. */
import { installedState } from '../render/installed.ts';
import { newSecret, secretFilesBeside } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { receiveScript } from './act/receive-file.ts';
import { type TurnContext, takeTurn } from './act/take-turn.ts';
import { primaryThere } from './answering-host.ts';
import { FleetRefused } from './errors.ts';
import type { HostFacts } from './facts/host-facts.ts';
import { planRotation, type RotationPlan, type RotationStep } from './plan/rotation.ts';
import type { TurnStep } from './plan/steps.ts';
import type { SshConnections, SshHost } from './ssh/connections.ts';

export interface Rotation {
  plan: RotationPlan;
  facts: readonly HostFacts[];
}

/** @throws FLEET_REFUSED, where agents do not run, or the hosts have what no change of the secret leaves */
export function surveyRotation(spec: Spec, facts: readonly HostFacts[]): Rotation {
  if (spec.security.secret !== null) {
    throw FleetRefused('the spec names the secret: security.secret', {
      hint: 'Take it out of the spec: the hosts have it, and apply uses what they have. Then holdfast rotate secret.',
    });
  }
  const silent = facts.find(({ agent }) => agent === null);
  if (silent !== undefined) {
    throw FleetRefused(`no agent runs on host ${silent.host}: it would be left with the old passwords`, {
      hint: 'holdfast apply starts it.',
    });
  }
  return { plan: planRotation(facts), facts };
}

/** @param steps of the plan, those that are to be done now @throws HOST_UNHEALTHY, REMOTE_FAILED and what ssh says */
export async function rotateSecret(
  spec: Spec,
  connections: SshConnections,
  { plan, facts }: Rotation,
  steps: readonly RotationStep[],
  report: (line: string) => void,
): Promise<void> {
  const host = (id: string) =>
    connections.host(spec.hosts.find((each) => each.id === id) ?? { id, ssh: null });
  const hasSystemd = (id: string) => facts.some((each) => each.host === id && each.systemd);
  const context: TurnContext = { spec, host, hasSystemd, report };
  const coming = steps.includes('accept') ? await comingSecret(spec, plan, host) : '';
  for (const step of steps) {
    report(sentences[step]);
    for (const id of await primaryLast(spec, host)) {
      await host(id).run(scriptOf(spec, step, coming), {
        as: 'root',
        doing: 'changing its secret',
        input: step === 'accept' ? `${coming}\n` : '',
      });
      await takeTurn(context, { hosts: [id], steps: turnSteps(spec, id, step) });
      if (step === 'drop') await forget(spec, host(id));
    }
  }
}

const sentences: Record<RotationStep, string> = {
  accept: 'the new passwords become valid beside the old ones',
  use: 'the new passwords are used',
  drop: 'the old passwords become invalid',
};

/** The agent reads what is there when it starts; then it brings its servers to it. */
function turnSteps({ gate, gates }: Spec, id: string, step: RotationStep): TurnStep[] {
  const deaf = step === 'use' && gate.kind === 'haproxy' ? gates.filter(({ host }) => host === id) : [];
  return [
    { kind: 'reload', from: null, places: [] },
    // Who is valid is not changed where clients write.
    ...(step === 'use' ? [] : [{ kind: 'hand-over' } as const]),
    { kind: 'settings', changes: null },
    ...(deaf.length === 0 ? [] : [{ kind: 'restart' as const, processes: deaf.map((each) => each.id) }]),
  ];
}

/** So that it moves once in a step. */
async function primaryLast(spec: Spec, host: (id: string) => SshHost): Promise<string[]> {
  const ids = spec.hosts.map(({ id }) => id);
  const primary = await primaryThere(spec, host(ids[0] ?? ''));
  const last = spec.members.find(({ id }) => id === primary)?.host;
  return [...ids.filter((id) => id !== last), ...(last === undefined ? [] : [last])];
}

/** That of a host that has it, or a new one. */
async function comingSecret(
  spec: Spec,
  { holder }: RotationPlan,
  host: (id: string) => SshHost,
): Promise<string> {
  if (holder === null) return newSecret();
  const script = `cat ${secretFilesBeside(`${installedState(spec)}/secret`).coming}`;
  return (await host(holder).run(script, { as: 'root', doing: 'reading the coming secret' })).trim();
}

/** Done again, each changes nothing more. The secret itself is never rewritten: a new one takes its name. */
function scriptOf(spec: Spec, step: RotationStep, text: string): string {
  const folder = installedState(spec);
  const { coming, former } = secretFilesBeside(`${folder}/secret`);
  if (step === 'accept') {
    const owner = `${spec.runAs}:${spec.runAs}`;
    return receiveScript({ path: coming, text: `${text}\n`, mode: '600', owner });
  }
  if (step === 'drop') return `if [ -e ${former} ]; then mv -f ${former} ${folder}/secret-gone; fi`;
  return `set -e
if [ -e ${coming} ]; then
  cp -p ${folder}/secret ${former}.new
  sync ${former}.new
  mv -f ${former}.new ${former}
  mv -f ${coming} ${folder}/secret
fi`;
}

async function forget(spec: Spec, host: SshHost): Promise<void> {
  const script = `rm -f ${installedState(spec)}/secret-gone`;
  await host.run(script, { as: 'root', doing: 'removing the old secret' });
}
