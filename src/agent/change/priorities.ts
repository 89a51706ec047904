/**
 * Makes one replica the one that Sentinel will pick: the others get replica-priority 0, which means "never promote",
 * for as long as the switchover lasts. Sentinels learn priorities from their INFO, every 10 s.
 */
import { waitFor } from '../../base/retry.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import type { ChangeContext } from './change-context.ts';

const learnWithinMs = 15_000;

/** The priority that a replica has when nothing speaks against it. */
export function usualPriority(spec: Spec): string {
  return String(spec.redis.config['replica-priority']?.[0] ?? 100);
}

export async function preferTarget(
  { deployment, report, operation }: ChangeContext,
  target: LiveMember,
): Promise<void> {
  const others = deployment.members.filter(
    (member) => member !== target && member.watch.seen.reachable && member.watch.seen.role === 'replica',
  );
  if (others.length === 0) return;
  await Promise.all(others.map(({ watch }) => watch.client.setConfig('replica-priority', '0')));
  report(`waiting until the Sentinels know that ${target.place.id} is preferred (up to 10 s)`);
  await waitFor(() => allKnow(deployment, others), {
    what: 'the Sentinels to learn the new replica priorities',
    withinMs: learnWithinMs,
    everyMs: 100,
    signal: operation.signal,
  });
}

async function allKnow(deployment: Deployment, others: LiveMember[]): Promise<boolean> {
  const reachable = deployment.sentinels.filter(({ watch }) => watch.seen.reachable);
  const known = await Promise.all(
    reachable.map(async ({ watch }) => {
      const replicas = await watch.client.replicas();
      const lowered = replicas
        .filter(({ priority }) => priority === 0)
        .map((each) => deployment.memberAt(each));
      return others.every((other) => lowered.includes(other));
    }),
  );
  return known.every(Boolean);
}

/** Puts the priorities back; also what an agent does that finds them changed by one that died in between. */
export async function restorePriorities(deployment: Deployment): Promise<void> {
  const wanted = usualPriority(deployment.spec);
  await Promise.allSettled(
    deployment.members.map(async ({ watch }) => {
      const { 'replica-priority': found } = await watch.client.getConfig('replica-priority');
      if (found !== undefined && found !== wanted) await watch.client.setConfig('replica-priority', wanted);
    }),
  );
}
