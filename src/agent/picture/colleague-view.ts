/** What the agents of other hosts told, put into this agent's view. Pure. */
import type { ApiGate, ApiHost, ApiHostReport, ApiMember, ApiSentinel, ApiView } from '../../api/view.ts';
import { problemOf } from '../api/status-answer.ts';
import { clientsOf, jobsText } from './own-view.ts';

/** What is known of a colleague. */
export interface Colleague {
  /** It is never asked, because its API listens on loopback only. */
  unasked: boolean;
  /** What it said last; null when it never did, or too long ago to be worth showing. */
  report: ApiHostReport | null;
  /** How old that is, in ms, when it does not answer; null when it does. */
  ageMs: number | null;
  /** Why it does not answer; null when it does. */
  missing: string | null;
}

/** @param colleagues by host. */
export function withColleagues(own: ApiView, colleagues: ReadonlyMap<string, Colleague>): ApiView {
  const gates = own.gates.map((gate) => gateFrom(gate, colleagues.get(gate.host)));
  const members = own.members.map((member) => memberFrom(member, colleagues.get(member.host)));
  const sentinels = own.sentinels.map((sentinel) => sentinelFrom(sentinel, colleagues.get(sentinel.host)));
  const told = [...colleagues.values()].flatMap(({ report }) => (report === null ? [] : [report]));
  const beside = problemsBeside(own, colleagues);
  const reworded = new Map(
    [...pairs(own.members, members), ...pairs(own.sentinels, sentinels), ...pairs(own.gates, gates)].flatMap(
      ([seen, now]) => (isWell(now) ? [] : [[sentenceOf(seen), sentenceOf(now)] as const]),
    ),
  );
  return {
    ...own,
    state: own.state === 'healthy' && beside.length > 0 ? 'degraded' : own.state,
    problems: [...own.problems.map((each) => reworded.get(each) ?? each), ...beside],
    jobs: [own.jobs, ...told.map((each) => jobsText([[each.host.id, each.jobs]]))].join(),
    gates,
    clients: clientsOf(gates),
    members,
    sentinels,
    hosts: own.hosts.map((host) => hostFrom(host, colleagues.get(host.id))),
    drift: [...own.drift, ...told.flatMap(({ drift }) => drift)],
    moves: {
      // Every agent knows those of the spec.
      mirrors: own.moves.mirrors,
      migrations: own.moves.migrations + sum(told, ({ moves }) => moves.migrations),
      unwell: own.moves.unwell + sum(told, ({ moves }) => moves.unwell),
      troubles: [...own.moves.troubles, ...answering(colleagues).flatMap(({ moves }) => moves.troubles)],
    },
  };
}

/**
 * What makes the deployment degraded and this host's processes don't show: data on its way that does not come, what only
 * agents of other hosts see, and agents that say nothing.
 */
export function problemsBeside(
  own: Pick<ApiView, 'problems' | 'members' | 'moves'>,
  colleagues: ReadonlyMap<string, Colleague>,
): string[] {
  const silent = [...colleagues].flatMap(([host, { missing, unasked }]) =>
    missing === null || unasked ? [] : [`the agent of ${host} does not answer: ${missing}`],
  );
  const knows = new Set(own.members.flatMap(({ id, trouble }) => (trouble === null ? [] : [id])));
  const heard = answering(colleagues).flatMap(({ members, troubles, moves }) => [
    ...members.flatMap(({ id, trouble, refusal }) =>
      // What this agent sees too, it says by itself.
      trouble === null || refusal !== null || knows.has(id) ? [] : [trouble],
    ),
    ...troubles,
    ...moves.troubles,
  ]);
  const all = [...own.moves.troubles, ...heard, ...silent];
  return [...new Set(all)].filter((each) => !own.problems.includes(each));
}

function answering(colleagues: ReadonlyMap<string, Colleague>): ApiHostReport[] {
  return [...colleagues.values()].flatMap(({ report, missing }) =>
    missing === null && report !== null ? [report] : [],
  );
}

type Place = Pick<ApiGate, 'id' | 'reason'> & { state: string; refusal?: string | null };

function pairs<P extends Place>(own: readonly P[], merged: readonly P[]): (readonly [P, P])[] {
  return own.map((each, index) => [each, merged[index] as P] as const);
}

/** That its own agent finds it well does not help who can't reach it from here. */
function isWell({ state }: Place): boolean {
  return state === 'up' || state === 'open';
}

function sentenceOf({ id, state, reason, refusal }: Place): string {
  return refusal ?? problemOf(id, state, reason);
}

function sum(told: readonly ApiHostReport[], of: (report: ApiHostReport) => number): number {
  return told.reduce((total, report) => total + of(report), 0);
}

/** Where its process stands, only its own agent knows; how it answers, this one saw by itself. */
function memberFrom(own: ApiMember, colleague: Colleague | undefined): ApiMember {
  const told = colleague?.report?.members.find(({ id }) => id === own.id);
  if (told === undefined) return own;
  const { pid, restarts, refusal, refusalCode } = told;
  const { trouble, troubleCode } = told.trouble === null ? own : told;
  const isSilent = own.state === 'down' || own.state === 'unreachable';
  const { state, reason, stateForMs } = isSilent && colleague?.missing === null ? told : own;
  return {
    ...own,
    ...{ state, reason, stateForMs },
    pid: colleague?.missing === null ? pid : null,
    restarts,
    refusal,
    refusalCode,
    trouble,
    troubleCode,
  };
}

function sentinelFrom(own: ApiSentinel, colleague: Colleague | undefined): ApiSentinel {
  const told = colleague?.missing === null && colleague.report?.sentinels.find(({ id }) => id === own.id);
  if (!told) return own;
  const { state, reason, stateForMs } = own.state === 'unreachable' ? told : own;
  return { ...own, state, reason, stateForMs, pid: told.pid };
}

/** Whether it is open, this agent saw by itself; all else only the agent of its host can see. */
function gateFrom(own: ApiGate, colleague: Colleague | undefined): ApiGate {
  const told = colleague?.report?.gates.find(({ id }) => id === own.id);
  if (told === undefined || colleague === undefined) return own;
  if (colleague.missing === null) return { ...told, ageMs: null };
  const { state, reason, stateForMs } = own;
  return { ...told, state, reason, stateForMs, ageMs: colleague.ageMs, pid: null };
}

function hostFrom(own: ApiHost, colleague: Colleague | undefined): ApiHost {
  if (colleague === undefined) return own;
  const { report, ageMs, missing } = colleague;
  const { id, address } = own;
  if (report === null) return { ...own, missing };
  return { ...report.host, id, address, agent: missing === null ? 'up' : 'missing', missing, ageMs };
}

/** The part of a view that only the agent of this host can see. */
export function reportOf(
  { host, seq, hosts, members, sentinels, gates, drift, moves }: ApiView,
  { jobs, troubles }: Pick<ApiHostReport, 'jobs' | 'troubles'>,
): ApiHostReport {
  return {
    host: hosts.find(({ id }) => id === host) as ApiHost,
    seq,
    jobs,
    members: members.filter((member) => member.host === host),
    sentinels: sentinels.filter((sentinel) => sentinel.host === host),
    gates: gates.filter((gate) => gate.host === host),
    drift,
    troubles,
    moves,
  };
}
