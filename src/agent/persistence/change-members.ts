/**
 * Changes of persistence of this host's members: one after the other, replicas first, so that at most one at a time is
 * between two kinds of files. A change whose mark is there and that nobody carries out is taken up again, by the next
 * agent too.
 */
import { errorCode, errorText } from '../../base/errors.ts';
import { pause } from '../../base/retry.ts';
import { namedPrimary } from '../../topology/view.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import type { Operation } from '../operations.ts';
import { readChangeMark } from './change-mark.ts';
import { changePersistence } from './change-persistence.ts';

type Report = (line: string) => void;

const lookEveryMs = 2000;
/** A change that failed, for want of room for instance, is not tried again sooner. */
const againAfterMs = 30_000;

/**
 * @throws PERSISTENCE_CHANGE_FAILED, with what was changed before it changed; OPERATION_ABORTED.
 */
export async function changeMembers(
  deployment: Deployment,
  members: readonly LiveMember[],
  operation: Operation,
  report: Report,
): Promise<void> {
  const primary = namedPrimary(deployment.view())?.id;
  const replicasFirst = members.toSorted(
    (a, b) => Number(a.place.id === primary) - Number(b.place.id === primary),
  );
  const disturbed = () => {
    operation.signal.throwIfAborted();
    return disturbance(deployment);
  };
  for (const member of replicasFirst) {
    const what = `persistence of ${member.place.id}`;
    try {
      await changePersistence({ setting: deployment.setting, member, report, disturbed });
    } catch (error) {
      if (errorCode(error) === 'PERSISTENCE_CHANGE_FAILED') deployment.troubles.note(what, errorText(error));
      throw error;
    }
    deployment.troubles.note(what, null);
  }
}

/** Members of this host whose change waits to be carried out, and that can be asked. */
export async function membersToChange(deployment: Deployment): Promise<LiveMember[]> {
  const waiting: LiveMember[] = [];
  for (const member of deployment.members) {
    const { unit, watch } = member;
    const { reachable, busy, role, linkUp } = watch.seen;
    const isUp = unit?.process.running && reachable && !busy && (role === 'primary' || linkUp);
    if (unit && isUp && (await readChangeMark(unit.paths)) !== null) waiting.push(member);
  }
  return waiting;
}

/** Something that the agent has to see to first: while a change is under way it does nothing else. */
function disturbance(deployment: Deployment): string | undefined {
  const dead = deployment.units.find((unit) => unit.wanted && !unit.process.running);
  if (dead) return `${dead.id} died`;
  return deployment.selection === null ? undefined : 'a failover is under way';
}

/** Goes on with changes that were cut off, for as long as the agent lives. */
export class ChangeKeeper {
  readonly #deployment: Deployment;
  #timer: NodeJS.Timeout | undefined;
  #working = false;
  #notBeforeMs = 0;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const { operations, pause } = this.#deployment;
    if (this.#working || pause.paused || operations.current !== null) return;
    if (performance.now() < this.#notBeforeMs) return;
    this.#working = true;
    try {
      await carryOn(this.#deployment, () => {});
    } catch (error) {
      this.#notBeforeMs = performance.now() + againAfterMs;
      this.#tell(error);
    } finally {
      this.#working = false;
    }
  }

  #tell(error: unknown): void {
    const { events, spec } = this.#deployment;
    if (['OPERATION_ABORTED', 'OPERATION_UNDER_WAY'].includes(errorCode(error) ?? '')) return;
    events.add('persistence-change-failed', spec.name, errorText(error));
  }
}

/** Carries out every change of this host's members that waits and can be carried out now. */
async function carryOn(deployment: Deployment, report: Report): Promise<void> {
  const members = await membersToChange(deployment);
  if (members.length === 0 || disturbance(deployment) !== undefined) return;
  await deployment.operations.run('persistence', {}, (operation) =>
    changeMembers(deployment, members, operation, report),
  );
}

/** For a start: what it began with old files is changed before it is over, as far as members of this host are up. */
export async function settleChanges(
  deployment: Deployment,
  report: Report,
  withinMs: number,
  signal: AbortSignal,
): Promise<void> {
  const giveUpMs = performance.now() + withinMs;
  while (!signal.aborted && performance.now() < giveUpMs) {
    const waiting = await membersWithMarks(deployment);
    if (waiting.length === 0) return;
    try {
      await carryOn(deployment, report);
    } catch (error) {
      if (signal.aborted) return;
      report(`warning: ${errorText(error)}`);
      if (errorCode(error) === 'PERSISTENCE_CHANGE_FAILED') return;
    }
    await pause(lookEveryMs / 10, signal).catch(() => {});
  }
}

async function membersWithMarks({ members }: Deployment): Promise<LiveMember[]> {
  const marked: LiveMember[] = [];
  for (const member of members) {
    if (member.unit && (await readChangeMark(member.unit.paths)) !== null) marked.push(member);
  }
  return marked;
}
