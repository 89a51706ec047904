/**
 * Before one host of several is stopped, its primary is moved to another host: otherwise nobody could write until the
 * Sentinels have noticed. Where nobody else can take over, as when the other hosts are down already, it stays.
 */
import { errorText } from '../../base/errors.ts';
import { votesNeeded } from '../../topology/election/election.ts';
import { hasVoters } from '../../topology/own-word.ts';
import { storeTrouble } from '../../topology/store-trouble.ts';
import { namedPrimary } from '../../topology/view.ts';
import type { ChangeContext } from './change-context.ts';
import { switchover } from './switchover.ts';

export async function handOver(context: ChangeContext): Promise<void> {
  const { deployment, observer, report } = context;
  const { members, sentinels } = deployment;
  await observer.lookAtAll();
  const view = deployment.view();
  const named = namedPrimary(view)?.id;
  const primary = view.members.find(({ id }) => id === named);
  if (!primary?.process?.running) return;
  const heirs = view.members.filter(
    (member) =>
      member.process === null &&
      member.reachable &&
      member.linkUp &&
      member.priority > 0 &&
      storeTrouble(member) === undefined,
  );
  // Those that stay must be able to elect: without our Sentinels there would be no majority to name the new one. Where nobody
  // votes this agent says who leads.
  const ids = sentinels.map(({ place }) => place.id);
  const staying = view.sentinels.filter(({ process, reachable }) => process === null && reachable);
  if (heirs.length === 0 || staying.length < votesNeeded({ sentinels: ids, quorum: 0 })) return;
  const othersHere = members.filter(({ unit, place }) => unit !== null && place.id !== named);
  const to = othersHere.length === 0 ? null : (heirs[0]?.id ?? null);
  try {
    const result = await switchover(context, to);
    const text = `handed over from ${result.from} to ${result.to} before stopping; writes waited ${result.heldMs} ms`;
    deployment.events.add('switchover', result.to, text);
  } catch (error) {
    const then = hasVoters(view) ? 'the Sentinels will replace it' : 'nobody replaces it by itself';
    report(`warning: ${named} could not be handed over, ${then}: ${errorText(error)}`);
  }
}
