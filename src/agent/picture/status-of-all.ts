/** The status of this agent, with what the agents of other hosts know of theirs: as the view has it. Pure. */
import type { ApiView } from '../../api/view.ts';
import type { RefusalCode } from '../../topology/view.ts';
import type { MemberStatus, Status, TroubleCode } from '../api/status-answer.ts';

/** @param beside those of the view's problems that no process of this host shows. */
export function statusOfAll(own: Status, view: ApiView, beside: readonly string[]): Status {
  const { state, problems } = view;
  return {
    ...own,
    ...{ state, problems, beside },
    members: own.members.map((line): MemberStatus => {
      const told = view.members.find(({ id }) => id === line.id);
      if (told === undefined || told.host === view.host) return line;
      const { refusal, refusalCode, trouble, troubleCode } = told;
      return {
        ...line,
        ...conditionOf(told),
        restarts: told.restarts,
        ...(refusal === null ? {} : { refusal, refusalCode: refusalCode as RefusalCode }),
        ...(trouble === null ? {} : { trouble, troubleCode: troubleCode as TroubleCode }),
      };
    }),
    sentinels: own.sentinels.map((line) => {
      const told = view.sentinels.find(({ id }) => id === line.id);
      return told === undefined ? line : { ...line, ...conditionOf(told) };
    }),
    gates: own.gates.map((line) => {
      const told = view.gates.find(({ id }) => id === line.id);
      if (told === undefined) return line;
      return { ...line, ...conditionOf(told), clients: told.clients ?? line.clients };
    }),
  };
}

function conditionOf<S>({ state, reason, stateForMs }: Condition<S>): Condition<S> {
  return { state, reason, stateForMs };
}

interface Condition<S> {
  state: S;
  reason: string | null;
  stateForMs: number | null;
}
