/** What a failover would do, and why it may not be done: change/failover.ts looks at all of it again. Pure. */
import type { ApiMember, ApiView } from '../../api/view.ts';
import { type Draft, namesOf, type Refusal, underWay } from './plan-draft.ts';

/** A primary that is lost leaves everyone without a link. */
const answers: ReadonlySet<string> = new Set(['up', 'disconnected']);

/** @param to who is to be primary; undefined: the one that has most */
export function failover(view: ApiView, to: string | undefined): Draft {
  const fit = view.members.filter((member) => member.id !== view.primary && whyUnfit(member) === undefined);
  return {
    refusal: underWay(view) ?? (to === undefined ? whyNobody(view, fit) : whyNot(view, to)),
    ...(to !== undefined && to === view.primary ? alone(to) : replaced(view, to ?? `One of ${namesOf(fit)}`)),
  };
}

function replaced({ primary, sentinels }: ApiView, heir: string): Pick<Draft, 'will' | 'warnings'> {
  return {
    will: [
      ...(sentinels.length > 0 ? ['The Sentinels are asked for their votes.'] : []),
      `${heir} becomes primary at once; ${primary ?? 'the old primary'} follows it.`,
    ],
    warnings: [
      'Writes that no replica has yet are lost. While the primary answers, a switchover loses none.',
      ...(sentinels.length > 0
        ? []
        : [
            `Nobody votes: you answer for it that ${primary ?? 'the old primary'} leads no more, as when its host is lost.`,
          ]),
    ],
  };
}

function alone(lead: string): Pick<Draft, 'will' | 'warnings'> {
  return {
    will: [`${lead} leads on alone: writes wait for no other member before it has copied everything again.`],
    warnings: [`What is acknowledged until then ${lead} alone has.`],
  };
}

/** Why a replica can't take over; undefined when it can. */
function whyUnfit({ id, role, state, eligible }: ApiMember): string | undefined {
  if (!answers.has(state)) return `${id} is ${state}`;
  if (role !== 'replica') return `${id} is no replica`;
  return eligible === false ? `${id} is not eligible: it is not in sync, or its priority is 0` : undefined;
}

function whyNobody({ primary, sentinels }: ApiView, fit: readonly ApiMember[]): Refusal | undefined {
  if (primary === null && sentinels.length === 0)
    return { why: 'no member says who leads', hint: 'Say which one is to lead.' };
  if (fit.length > 0) return undefined;
  return { why: 'no replica is fit to be primary', hint: 'Look why they are not in sync.' };
}

function whyNot({ members, primary, sentinels }: ApiView, to: string): Refusal | undefined {
  const member = members.find(({ id }) => id === to);
  const hint = `There are ${namesOf(members)}.`;
  if (member === undefined) return { why: `there is no member ${to.slice(0, 60)}`, hint };
  if (sentinels.length > 0 && to === primary)
    return { why: `${to} is the primary already`, hint: 'Name a replica.' };
  // Where nobody votes a person may choose one that leads, or that nobody would.
  const why =
    sentinels.length > 0
      ? whyUnfit(member)
      : answers.has(member.state)
        ? undefined
        : `${to} is ${member.state}`;
  return why === undefined ? undefined : { why, hint };
}
