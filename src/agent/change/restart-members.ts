/**
 * Restarts on request: one process, or everything in the safe order. Nothing here counts against the budget. When the
 * change is given up while a process is down, that one is started all the same, unless the agent is about to stop it.
 */
import { hopeless, waitFor } from '../../base/retry.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import { emptyPrimaryOver, harmAsPrimary } from '../../topology/data-guard.ts';
import { storeTroubles } from '../../topology/store-trouble.ts';
import { type MemberView, namedPrimary, nobodyIsNamed, whoNames } from '../../topology/view.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { StartFailed, SwitchoverRefused, UnknownProcess } from '../errors.ts';
import { setEligible } from '../units/eligibility.ts';
import { gateCommand } from '../units/process-commands.ts';
import { sentinelCommand } from '../units/sentinel-command.ts';
import { startMember } from '../units/start-member.ts';
import type { Unit } from '../units/unit.ts';
import { stopGate, stopMember } from './bring-down.ts';
import type { ChangeContext } from './change-context.ts';
import { keepOnlyCopy } from './only-copy.ts';
import { refuseRestartInVain } from './plan-switchover.ts';
import { switchover } from './switchover.ts';

const upAgainMs = 60_000;

/** Replicas first, then a switchover, then the old primary; Sentinels and gates are left alone. */
export async function rollingRestart(context: ChangeContext): Promise<void> {
  const { deployment } = context;
  refuseWithoutRoom(deployment.view().members);
  const primaryId = namedPrimary(deployment.view())?.id;
  const local = deployment.members.filter(({ unit }) => unit !== null);
  // Half of it would be done before the rest is refused.
  const restarted = local.map(({ place }) => place.id);
  await refuseRestartInVain(deployment, restarted);
  for (const member of local.filter(({ place }) => place.id !== primaryId)) {
    await restartMember(context, member);
  }
  const primary = local.find(({ place }) => place.id === primaryId);
  if (!primary) return;
  const isPrimary = namedPrimary(deployment.view())?.id === primaryId;
  if (isPrimary && deployment.members.length > 1) await switchover(context, null);
  await restartMember(context, primary);
}

/**
 * Restarts the process with this id. A primary is first relieved by a switchover.
 * @param acceptDataLoss starts a member that the empty-primary guard refused, as it is.
 */
export async function restartUnit(
  context: ChangeContext,
  id: string,
  acceptDataLoss: boolean,
): Promise<void> {
  const { deployment } = context;
  const unit = deployment.units.find((each) => each.id === id);
  if (!unit) throw unknownUnit(deployment, id);
  unit.forgive();
  const member = deployment.members.find(({ place }) => place.id === id);
  if (!member) return restartPlain(context, unit);
  refuseWithoutRoom(deployment.view().members.filter((each) => each.id === id));
  const isPrimary = namedPrimary(deployment.view())?.id === id;
  if (isPrimary && unit.process.running && deployment.members.length > 1) {
    await switchover(context, null);
  }
  await restartMember(context, member, acceptDataLoss);
}

/** One that runs holds what it has in memory. Started again on a full disk it can't copy what it lacks, or does not start. */
function refuseWithoutRoom(members: readonly MemberView[]): void {
  const trouble = storeTroubles(members.filter(({ process }) => process?.running));
  if (trouble === undefined) return;
  throw SwitchoverRefused(`no restart: ${trouble}`, {
    hint: 'Make room there first: on a full disk it would not come up again. Nothing was restarted.',
  });
}

function unknownUnit(deployment: Deployment, id: string): Error {
  const elsewhere = [...deployment.members, ...deployment.sentinels, ...deployment.gates].find(
    ({ place }) => place.id === id,
  );
  if (elsewhere) {
    return UnknownProcess(
      `${id} runs on host ${elsewhere.place.host}, and this is ${deployment.setting.host}`,
      {
        hint: `Run the command on ${elsewhere.place.host}.`,
      },
    );
  }
  const known = deployment.units.map((unit) => unit.id).join(', ');
  return UnknownProcess(`there is no ${id}`, { hint: `This host runs ${known}.` });
}

async function restartMember(
  { deployment, observer, report, operation }: ChangeContext,
  member: LiveMember,
  acceptDataLoss = false,
): Promise<void> {
  operation.signal.throwIfAborted();
  const unit = member.unit as Unit;
  const { id } = member.place;
  const { id: named, epoch } = namedPrimary(deployment.view()) ?? {};
  if (named === undefined) {
    throw SwitchoverRefused(`${id} is not restarted: ${nobodyIsNamed(deployment.view())}`);
  }
  if (!unit.process.running) await member.disk?.look();
  const startsAsPrimary = named === id;
  const view = deployment.view().members.find((each) => each.id === id);
  const isDown = startsAsPrimary && !unit.process.running;
  const harm = isDown && view ? harmAsPrimary(deployment.view(), view) : undefined;
  if (harm !== undefined && !acceptDataLoss) {
    throw SwitchoverRefused(
      `${id} is not started: ${whoNames(deployment.view())} it primary, but ${harm.text}`,
      {
        hint: `Restore its data, or run holdfast failover so that another takes over. holdfast restart ${id} --accept-data-loss starts it as it is, and the replicas then copy that.`,
      },
    );
  }
  const empty = view && !unit.process.running ? emptyPrimaryOver(deployment.view(), view) : undefined;
  if (empty && !acceptDataLoss) {
    throw SwitchoverRefused(
      `${id} is not started: the primary ${empty.id} is empty, and following it would wipe what ${id} has on disk`,
      { hint: `holdfast restart ${id} --accept-data-loss does it all the same.` },
    );
  }
  const isStopped = (each: { place: { id: string } }) => each.place.id === id;
  if (!acceptDataLoss) await keepOnlyCopy(deployment.members, isStopped, `holdfast restart ${id}`);
  // With `replicated` one that has just copied everything may lack what was acknowledged meanwhile.
  const hasAll = (replica: string) =>
    deployment.spec.gate.durability === 'async' ||
    deployment.view().members.some((each) => each.id === replica && each.caughtUp);
  await stopMember(deployment, member, report);
  if (operation.ending === 'stop') operation.signal.throwIfAborted();
  const primary = startsAsPrimary ? null : deployment.member(named);
  await startMember(deployment.setting, member, primary, 'start', epoch);
  if (acceptDataLoss) member.memory?.acceptLoss();
  await waitFor(
    async () => {
      if (!unit.process.running) throw hopeless(deathOf(unit));
      await member.watch.look();
      const { reachable, busy, role, linkUp } = member.watch.seen;
      return reachable && !busy && (role === 'primary' ? startsAsPrimary : linkUp && hasAll(id));
    },
    { what: `${id} to be up and in sync`, withinMs: upAgainMs, everyMs: 50, signal: operation.signal },
  );
  // While something planned is under way the loop does not see to it, and the next step may need a replica that can take over.
  if (primary !== null && member.heldBack?.ours) await setEligible(member, true);
  await observer.lookAtAll();
  report(`${id} restarted (pid ${unit.process.pid})`);
  deployment.events.add('restarted', id, `${id} was restarted on request`);
}

function deathOf({ id, paths, damage }: Unit): Error {
  const said = damage ?? lastLogLines(paths.log, 3).join('\n  ');
  const hint =
    damage === null
      ? `Its log has more: ${paths.log}`
      : 'As a replica it puts its files aside by itself and copies everything anew; holdfast status shows it.';
  return StartFailed(`${id} ended as soon as it was started. Its log says: ${said}`, { hint });
}

async function restartPlain(
  { deployment, observer, report, operation }: ChangeContext,
  unit: Unit,
): Promise<void> {
  const isSentinel = deployment.sentinels.some((each) => each.unit === unit);
  if (isSentinel) await unit.stop(10_000);
  else await stopGate(unit, deployment.spec.gate, report);
  if (operation.ending === 'stop') operation.signal.throwIfAborted();
  const command = isSentinel
    ? await sentinelCommand(deployment, unit)
    : await gateCommand(deployment, unit.id);
  await unit.start(command);
  const isUp = async () => {
    await observer.lookAtAll();
    const { sentinels, gates } = deployment.view();
    const sentinel = sentinels.find(({ id }) => id === unit.id);
    return sentinel
      ? sentinel.reachable || sentinel.watchesNothing
      : gates.find(({ id }) => id === unit.id)?.state !== 'down';
  };
  const what = `${unit.id} to answer`;
  await waitFor(isUp, { what, withinMs: upAgainMs, everyMs: 50, signal: operation.signal });
  report(`${unit.id} restarted (pid ${unit.process.pid})`);
  deployment.events.add('restarted', unit.id, `${unit.id} was restarted on request`);
}
