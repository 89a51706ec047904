/** Does what a plan says, in its order, and stops at the first host that is not healthy again. */
import type { Spec } from '../spec/spec.ts';
import { prepareHost } from './act/prepare-host.ts';
import { takeTurn } from './act/take-turn.ts';
import type { Contents } from './bundle/contents.ts';
import { packBundle } from './bundle/pack.ts';
import type { SshConnections } from './ssh/connections.ts';
import type { Survey } from './survey.ts';

export async function carryOut(
  spec: Spec,
  connections: SshConnections,
  { plan, facts, secret }: Survey,
  contents: Contents,
  report: (line: string) => void,
): Promise<void> {
  const host = (id: string) =>
    connections.host(spec.hosts.find((each) => each.id === id) ?? { id, ssh: null });
  const isNeeded = plan.prepare.some(({ steps }) => steps.some(({ kind }) => kind === 'holdfast'));
  if (isNeeded) report('packing holdfast and Node.js for the hosts');
  const packed = isNeeded ? await packBundle(contents) : null;
  try {
    const work = plan.prepare.map(({ host: id, steps }) =>
      prepareHost(host(id), steps, { spec, secret, packed }, report),
    );
    // One that fails does not leave the others in the middle of something.
    await Promise.allSettled(work);
    await Promise.all(work);
  } finally {
    packed?.remove();
  }
  const hasSystemd = (id: string) => facts.some((each) => each.host === id && each.systemd);
  for (const turn of plan.turns) await takeTurn({ spec, host, hasSystemd, report }, turn);
}
