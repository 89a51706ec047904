/** What an operation would do, and why it may not be done: from what is seen now. Looked at again when it is done. Pure. */
import type { ApiOperation, ApiPlan } from '../../api/jobs.ts';
import { drillScenarios } from '../../api/scenarios.ts';
import type { ApiMember, ApiView } from '../../api/view.ts';
import { describeSize } from '../../base/size.ts';
import { OperationRefused, PlanChanged } from '../errors.ts';
import { mayBeGivenUp } from './given-up.ts';
import { backups, type KnownStore } from './plan-backups.ts';
import { type Draft, keysIn, namesOf, type Refusal, underWay } from './plan-draft.ts';
import { failover } from './plan-failover.ts';

/** @param store null when the spec names none. */
export function planOf(operation: ApiOperation, view: ApiView, store: KnownStore | null): ApiPlan {
  const { refusal, will, warnings = [] } = draftOf(operation, view, store);
  return {
    allowed: refusal === undefined,
    why: refusal?.why ?? null,
    hint: refusal?.hint ?? null,
    will,
    warnings,
    cancellable: mayBeGivenUp(operation.kind),
    basis: basisOf(operation, view),
  };
}

/**
 * Refuses what may not be done, or would be something else than what was approved.
 * @param basis of the plan that was approved, if there was one
 * @throws OPERATION_REFUSED, PLAN_CHANGED
 */
export function demandAsApproved(plan: ApiPlan, basis: string | undefined): void {
  if (!plan.allowed) {
    throw OperationRefused(
      plan.why ?? 'it may not be done now',
      plan.hint === null ? {} : { hint: plan.hint },
    );
  }
  if (basis === undefined || basis === plan.basis) return;
  throw PlanChanged(`this would be something else than what was approved: ${plan.basis}`, {
    hint: 'Nothing was done. Look at the plan of now, and approve that.',
  });
}

/** What is different when the same operation would do something else: for whoever approved what it would have done before. */
function basisOf(operation: ApiOperation, view: ApiView): string {
  const named = view.primary === null ? 'there is no primary' : `${view.primary} is primary`;
  switch (operation.kind) {
    case 'switchover':
    case 'failover':
      return named;
    case 'restart': {
      const { process: id } = operation;
      if (id === undefined) return named;
      return id === view.primary ? named : `${id} is not primary`;
    }
    case 'pause':
    case 'resume':
      return `automatic actions are ${view.paused ? 'paused' : 'not paused'}`;
    case 'restore':
      return keysIn(view) > 0 ? 'the deployment holds keys' : 'the deployment holds no keys';
    case 'backup':
    case 'verify':
    case 'doctor':
    case 'drill':
      return 'nothing that changes';
  }
}

function draftOf(operation: ApiOperation, view: ApiView, store: KnownStore | null): Draft {
  switch (operation.kind) {
    case 'switchover':
      return switchover(view, operation.to);
    case 'failover':
      return failover(view, operation.to);
    case 'restart':
      return restart(view, operation.process, operation.acceptDataLoss === true);
    case 'pause':
    case 'resume':
      return pausing(view, operation.kind === 'pause');
    case 'backup':
    case 'verify':
    case 'restore':
      return backups(view, operation, store);
    case 'doctor':
      return {
        will: ['Every check looks at this host and the deployment. Nothing is changed.'],
      };
    case 'drill':
      return drill(operation.scenario);
  }
}

/** Why a replica can't become primary now; undefined when it can. */
function whyUnfit(member: ApiMember): string | undefined {
  if (member.role !== 'replica') return `${member.id} is no replica`;
  if (member.state !== 'up') return `${member.id} is ${member.state}`;
  if (!member.linkUp) return `${member.id} has lost its link to the primary`;
  return member.eligible === false
    ? `${member.id} is not eligible: it is not in sync, or its priority is 0`
    : undefined;
}

/** As primary it would take no writes, and started again it would not come up: topology/store-trouble.ts. */
function noRoom({ troubleCode, trouble }: ApiMember): string | undefined {
  return troubleCode === 'disk-full' ? (trouble ?? undefined) : undefined;
}

function noSuch(view: ApiView, id: string): Refusal | undefined {
  const all = [...view.members, ...view.sentinels, ...view.gates].map((each) => each.id);
  if (all.includes(id)) return undefined;
  return { why: `there is no process ${id.slice(0, 60)}`, hint: `There are ${all.join(', ')}.` };
}

function switchover(view: ApiView, to: string | undefined): Draft {
  const candidate = view.members.find(({ id }) => id === to);
  const fit = view.members.filter((member) => (whyUnfit(member) ?? noRoom(member)) === undefined);
  const target = to ?? 'The replica that is furthest';
  return {
    refusal:
      underWay(view) ??
      (to === undefined ? undefined : noSuch(view, to)) ??
      whyNoSwitchover(view, to, candidate, fit),
    will: [
      'Writes wait at the gates, and every client stays connected.',
      `${target} gets everything that ${view.primary ?? 'the primary'} has, and becomes primary.`,
      `${view.sentinels.length > 0 ? 'The Sentinels name it' : 'All members hear of it'}, and the writes that waited go there.`,
    ],
    warnings: behind(candidate === undefined ? fit : [candidate]),
  };
}

function whyNoSwitchover(
  view: ApiView,
  to: string | undefined,
  candidate: ApiMember | undefined,
  fit: readonly ApiMember[],
): Refusal | undefined {
  if (view.primary === null || view.state === 'down') {
    return { why: 'there is no primary to move from', hint: 'A failover makes another one primary.' };
  }
  if (to === view.primary) return { why: `${to} is the primary already`, hint: 'Name a replica.' };
  const unfit =
    to === undefined
      ? undefined
      : candidate === undefined
        ? `${to} is no member`
        : (whyUnfit(candidate) ?? noRoom(candidate));
  if (unfit !== undefined) return { why: unfit, hint: `Fit are: ${namesOf(fit)}.` };
  return fit.length > 0
    ? undefined
    : {
        why: 'no replica is fit to be primary',
        hint: 'Look why they are not in sync, or whether their disks are full.',
      };
}

function behind(members: readonly ApiMember[]): string[] {
  return members
    .filter(({ lagBytes }) => (lagBytes ?? 0) > 2 ** 20)
    .map(
      ({ id, lagBytes }) => `${id} is ${describeSize(lagBytes ?? 0)} behind: writes wait until it has them.`,
    );
}

function restart(view: ApiView, id: string | undefined, acceptDataLoss: boolean): Draft {
  const process = [...view.members, ...view.sentinels, ...view.gates].find((each) => each.id === id);
  const elsewhere =
    process !== undefined && process.host !== view.host
      ? { why: `${process.id} runs on ${process.host}`, hint: 'Ask the agent of that host.' }
      : undefined;
  const refused = view.members.find((member) => member.id === id && losesData(member));
  const guarded =
    refused === undefined || acceptDataLoss
      ? undefined
      : {
          why: refused.refusal ?? `${refused.id} was refused`,
          hint: 'Put its data back, or have another take over by a failover. If it is to start as it is, accept that data is lost.',
        };
  const full = view.members.find(
    (member) =>
      (id === undefined ? member.host === view.host : member.id === id) &&
      member.pid !== null &&
      noRoom(member),
  );
  const noRestart = full && { why: noRoom(full) ?? '', hint: 'Make room there first.' };
  const isPrimary = id === view.primary;
  const isGate = view.gates.some((gate) => gate.id === id);
  const all = [
    'The replicas of this host are restarted, one after the other; each is in sync before the next.',
    'If the primary is here, a replica takes over before it is restarted.',
  ];
  const one = isPrimary
    ? `A replica takes over as in a switchover; then ${id} is restarted and follows it.`
    : `${id} is stopped, started again, and waited for.`;
  return {
    refusal:
      underWay(view) ??
      (id === undefined ? undefined : noSuch(view, id)) ??
      elsewhere ??
      guarded ??
      noRestart,
    will: id === undefined ? all : [one],
    warnings: [
      ...(isGate ? [`Clients of ${id} are disconnected and have to come again.`] : []),
      ...(acceptDataLoss ? ['It starts with the data that it has, though that is old or gone.'] : []),
    ],
  };
}

/** The guard of the data keeps it from starting, and somebody may overrule that. */
function losesData({ refusalCode }: ApiMember): boolean {
  return refusalCode?.startsWith('would-') === true;
}

function pausing({ paused, sentinels }: ApiView, wanted: boolean): Draft {
  const already = {
    why: `automatic actions ${wanted ? 'are paused already' : 'are not paused'}`,
    hint: 'Nothing is to do.',
  };
  return {
    refusal: paused === wanted ? already : undefined,
    will: [
      wanted
        ? `The agent restarts nothing and stands for no election until it is resumed.${sentinels.length > 0 ? ' The Sentinels still fail over by themselves.' : ''}`
        : 'The agent restarts what dies, and replaces a lost primary.',
    ],
  };
}

function drill(scenario: string): Draft {
  const known = drillScenarios.find(({ name }) => name === scenario);
  const names = drillScenarios.map(({ name }) => name).join(', ');
  return {
    refusal:
      known === undefined ? { why: `there is no drill ${scenario}`, hint: `There are ${names}.` } : undefined,
    will: [
      'A deployment of its own is started on this host, broken under load, and taken away again.',
      known?.about ?? '',
    ],
    warnings: ['It takes memory and processors of this host while it runs.'],
  };
}
