/** The agent of what was taken over on this host, and what waits for it. */
import type { AdoptionPlan } from '../agent/adopt/plan.ts';
import type { Status } from '../agent/api/status-answer.ts';
import type { ApplyResult } from '../agent/change/apply-spec.ts';
import { pause } from '../base/retry.ts';
import type { Output } from './output.ts';
import type { Target } from './target.ts';
import { startDetached } from './up-detached.ts';

/** On several hosts no write may be taken before the others are there. */
const severalReadyMs = 1000;

/** Starts it, and brings what waits for replicas (min-replicas-to-write) once they have their copies. */
export async function startTaken(
  output: Output,
  target: Target,
  { plan, host, readyWithinMs }: { plan: AdoptionPlan; host: string; readyWithinMs: number },
): Promise<number> {
  const { name, hosts, redis } = target.spec;
  const others = hosts.filter(({ id }) => id !== host).map(({ id }) => id);
  const isUp = others.length === 0 ? isHealthy : (status: Status) => isUpHere(status, host);
  const until = performance.now() + readyWithinMs;
  const waitMs = others.length === 0 ? readyWithinMs : Math.min(readyWithinMs, severalReadyMs);
  const { notReady } = await startDetached(output, target, { host, readyWithinMs: waitMs });
  let status = await target.agent.status();
  while (!isUp(status) && performance.now() < until) {
    await pause(200);
    status = await target.agent.status();
  }
  const answer = (changes: readonly unknown[]) => output.data({ plan, adopted: true, status, changes });
  if (!isUp(status)) {
    output.note(`${name} is ${status.state}: ${status.problems.join('; ')}`);
    output.note(
      'It goes on by itself; holdfast status shows how far it is. When it is healthy: holdfast apply.',
    );
    answer([]);
    return 3;
  }
  let changes: ApplyResult['changes'] = [];
  if (followers(status) >= redis.minReplicasToWrite) {
    const body = { file: target.file, dryRun: false };
    ({ changes } = (await target.agent.run('apply', body, () => {})) as ApplyResult);
    status = await target.agent.status();
  } else {
    output.note(
      'min-replicas-to-write waits for replicas on the other hosts. When they follow, say here: holdfast apply',
    );
  }
  const taken = plan.takes.length === 0 ? '' : `: ${plan.takes.map(({ id }) => id).join(', ')} ran on`;
  output.line(
    others.length === 0 ? `${name} is healthy${taken}.` : `What ${name} has on host ${host} is up${taken}.`,
  );
  if (others.length > 0 && !isHealthy(status))
    output.line(`The same is to be done on the others, where it was not yet: ${others.join(', ')}.`);
  output.line(
    'When it suits: holdfast restart --rolling, for what only a start brings. No client at the gate notices.',
  );
  answer(changes);
  return notReady === null || others.length > 0 ? 0 : 3;
}

function isHealthy({ state }: Status): boolean {
  return state === 'healthy';
}

/** The others' parts may not be taken over yet. */
function isUpHere({ members, sentinels }: Status, host: string): boolean {
  return [...members, ...sentinels].every((each) => each.host !== host || each.state === 'up');
}

function followers({ members }: Status): number {
  return members.filter(({ role, state, linkUp }) => role === 'replica' && state === 'up' && linkUp).length;
}
