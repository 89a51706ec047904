/** Does what a plan says, in its order, and stops at the first host that is not healthy again. */
import type { Host, Spec } from '../spec/spec.ts';
import { leaveHost } from './act/leave-host.ts';
import { prepareHost } from './act/prepare-host.ts';
import { moveAway, noteAllRestarts, type TurnContext, takeTurn } from './act/take-turn.ts';
import { moveAddress } from './act/virtual-address.ts';
import type { Contents } from './bundle/contents.ts';
import { packBundle } from './bundle/pack.ts';
import type { SshConnections } from './ssh/connections.ts';
import type { Survey } from './survey.ts';

export interface CarryOut {
  spec: Spec;
  connections: SshConnections;
  survey: Survey;
  contents: Contents;
  /** Hosts that the spec does not have any more, and that are stopped first. */
  leaving: readonly Host[];
  report(line: string): void;
}

export async function carryOut({
  spec,
  connections,
  survey,
  contents,
  leaving,
  report,
}: CarryOut): Promise<void> {
  const { plan, primary } = survey;
  const context = contextOf({ spec, connections, survey, report });
  // Before their reason is gone: a file that is as it should be tells no next apply who has not read it.
  await noteAllRestarts(context, plan.turns);
  await prepareAll({ spec, connections, survey, contents, report });
  if (primary !== null && !spec.members.some(({ id }) => id === primary))
    await moveAway(context, connections, primary);
  for (const each of leaving) {
    await leaveHost(spec, connections.host(each));
    report(`${each.id}: stopped, and out of the deployment`);
  }
  for (const turn of plan.turns) await takeTurn(context, turn);
  for (const step of plan.addresses) {
    await moveAddress(spec, context.host(step.host), step);
    report(`${step.host}: ${step.does === 'take-up' ? 'may have' : 'can’t have'} the virtual address`);
  }
}

type Preparing = Omit<CarryOut, 'leaving'>;

interface WithFacts extends Omit<Preparing, 'contents' | 'survey'> {
  survey: Pick<Survey, 'facts'>;
}

export function contextOf({ spec, connections, survey, report }: WithFacts): TurnContext {
  return {
    spec,
    host: (id) => connections.host(spec.hosts.find((each) => each.id === id) ?? { id, ssh: null }),
    hasSystemd: (id) => survey.facts.some((each) => each.host === id && each.systemd),
    report,
  };
}

/** What touches nothing that runs, on all hosts at once. */
export async function prepareAll(preparing: Preparing): Promise<void> {
  const { spec, contents, report, survey } = preparing;
  const { plan, secret } = survey;
  const { host } = contextOf(preparing);
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
}
