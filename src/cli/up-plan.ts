import { pendingChange } from '../agent/persistence/load-what-counts.ts';
import { describeChange } from '../agent/persistence/plan.ts';
import type { Output } from './output.ts';
import type { Target } from './target.ts';

/** What a start would do with the data that lies here, as far as it is more than loading it. */
export async function showPlan(output: Output, { spec, paths }: Target, host: string): Promise<number> {
  const here = spec.members.filter((member) => member.host === host);
  const changes = await Promise.all(
    here.map(async ({ id }) => {
      const change = await pendingChange(paths.member(id), spec.redis);
      const steps = change === null ? [] : describeChange(change.from, change.to);
      return { member: id, from: change?.from ?? null, to: spec.redis.persistence, steps };
    }),
  );
  for (const { member, from, to, steps } of changes) {
    output.line(
      from === null
        ? `${member} loads what it has`
        : `${member}: its persistence changes from ${from} to ${to}`,
    );
    for (const [index, step] of steps.entries()) output.line(`  ${index + 1}. ${step}`);
  }
  output.line('Nothing was started.');
  output.data({ changes: changes.filter(({ steps }) => steps.length > 0) });
  return 0;
}
