/**
 * Brings what runs on this host to what the spec says now. The difference is taken from the servers themselves, not
 * from what the spec said before. What a server takes at run time is set and written to its file; what it does not
 * is written to its file and waits for a restart; what moves a process needs `down` and `up`. Given up, it ends between
 * two processes; applied again, it does the rest. A process that died meanwhile is asked again; what does not answer even so keeps the
 * others from nothing, and is told in the end, as what is down.
 */
import { loadSpec } from '../../spec/load.ts';
import { loadSecrets } from '../../spec/secrets.ts';
import type { Spec } from '../../spec/spec.ts';
import type { Deployment, LiveMember, Setting } from '../deployment.ts';
import { ApplyIncomplete, ApplyRefused } from '../errors.ts';
import { readChangeMark } from '../persistence/change-mark.ts';
import { changeMembers } from '../persistence/change-members.ts';
import { runningKind } from '../persistence/change-persistence.ts';
import { checkEngineReads } from '../persistence/engine-reads.ts';
import { describeChange, kindOf } from '../persistence/plan.ts';
import { findRedisServer, hasAclSelectors } from '../server-program.ts';
import { applySettings, type SettingChange } from '../settings/apply-settings.ts';
import { ExpectedSettings } from '../settings/expected-settings.ts';
import { runsAsTaken } from '../state/taken-over.ts';
import { applyToSentinel } from './apply-to-sentinel.ts';
import { askAgain } from './ask-again.ts';
import type { ChangeContext } from './change-context.ts';
import { applySentinelPasswords } from './sentinel-passwords.ts';
import type { Change } from './spec-change.ts';
import { changesRefused, changesTold } from './spec-differences.ts';

/** A process that died is started again by then, on a busy machine too. */
const answersWithinMs = 10_000;

export interface ApplyResult {
  changes: Change[];
  applied: boolean;
}

export async function applySpec(
  { deployment, report, operation }: ChangeContext,
  file: string,
  dryRun: boolean,
): Promise<ApplyResult> {
  const spec = await loadSpec(file);
  const { setting } = deployment;
  const { signal } = operation;
  if (spec.name !== deployment.spec.name) {
    throw ApplyRefused(`${file} describes ${spec.name}, and this agent runs ${deployment.spec.name}`, {
      hint: 'A deployment keeps its name; another name is another deployment.',
    });
  }
  const gatesHere = deployment.gates.flatMap(({ place, unit }) => (unit === null ? [] : [place.id]));
  const moved = changesRefused(deployment.spec, spec, gatesHere);
  if (moved.length > 0 && !dryRun) {
    throw ApplyRefused(`what runs, or where, has changed (${moved.map(({ where }) => where).join(', ')})`, {
      hint: 'holdfast down, then holdfast up with the new spec. holdfast apply --dry-run shows every change.',
    });
  }
  const secrets = await loadSecrets(spec, setting.paths.secret);
  const { program, version } = await findRedisServer(spec.redis);
  const here = deployment.members.flatMap(({ place, unit }) =>
    unit ? [{ id: place.id, paths: unit.paths }] : [],
  );
  await checkEngineReads(here, version);
  const aclSelectors = hasAclSelectors(version);
  const next = { ...setting, spec, specFile: file, secrets, redisServer: program, aclSelectors };
  const askPersistence = () => persistenceChanges(deployment, spec);
  // Asked once more, whoever is silent is named.
  const persistence =
    (await askAgain(askPersistence, { withinMs: answersWithinMs, signal })) ?? (await askPersistence());
  const taken = persistence.find(({ member }) => member.unit !== null && runsAsTaken(member.unit.paths));
  if (taken !== undefined) {
    const { id } = taken.member.place;
    throw ApplyRefused(
      `${id} was taken over while it ran, and its persistence can't be changed before it was started again`,
      {
        hint: 'Restart it first, which no client notices: holdfast restart --rolling',
      },
    );
  }
  const changes = [
    ...moved,
    ...programChanges(deployment, program),
    ...persistence.map(({ change }) => change),
  ];
  const { found, silent, down } = await changeServers(deployment, next, { signal, dryRun });
  changes.push(...found);
  changes.push(...changesTold(deployment.spec, spec, gatesHere));
  if (!dryRun) {
    deployment.changeSetting(next);
    for (const { where, what, to, takes } of changes)
      report(`${where}: ${what} is ${to}${takes === 'now' ? '' : `, after a ${takes}`}`);
    const toChange = persistence.map(({ member }) => member);
    await changeMembers(deployment, toChange, operation, report);
    deployment.events.add('applied', spec.name, `the spec was applied: ${changes.length} changes`);
    if (silent.length + down.length > 0) throw incomplete(silent, down);
  }
  return { changes, applied: !dryRun };
}

/** Who was told, or is to be told, what; who did not answer, and who is down. @throws APPLY_REFUSED */
async function changeServers(
  { members, sentinels }: Deployment,
  next: Setting,
  { signal, dryRun }: { signal: AbortSignal; dryRun: boolean },
): Promise<{ found: Change[]; silent: string[]; down: string[] }> {
  const expected = new ExpectedSettings();
  const found: Change[] = [];
  const silent: string[] = [];
  const down: string[] = [];
  const tell = async (id: string, change: () => Promise<Change[]>, isUp = () => true) => {
    signal.throwIfAborted();
    const changes = await askAgain(change, { withinMs: answersWithinMs, signal });
    found.push(...(changes ?? []));
    if (!isUp()) down.push(id);
    else if (changes === null) silent.push(id);
  };
  for (const member of members) {
    const { unit, place } = member;
    if (!unit) continue;
    const { id } = place;
    const wanted = await expected.of(next, member);
    const told = new Map<string, SettingChange>();
    const change = async () =>
      (await applySettings(next, member, wanted, dryRun, told)).map((each) => ({ where: id, ...each }));
    // One that is down has its settings of before when it is started again.
    await tell(id, change, () => unit.process.running || !unit.wanted);
  }
  for (const { place, unit, watch } of sentinels) {
    if (!unit) continue;
    const { id } = place;
    const there = { id, client: watch.client, file: unit.paths.config, asTaken: runsAsTaken(unit.paths) };
    await tell(id, async () => [
      ...(await applyToSentinel(next.spec, id, watch.client, dryRun)),
      ...(await applySentinelPasswords(next.spec.name, next.secrets, there, dryRun)),
    ]);
  }
  signal.throwIfAborted();
  return { found, silent, down };
}

function incomplete(silent: readonly string[], down: readonly string[]): Error {
  const what = [
    ...(silent.length > 0 ? [`${silent.join(' and ')} did not answer within ${answersWithinMs} ms`] : []),
    ...(down.length > 0 ? [`${down.join(' and ')} ${down.length === 1 ? 'is' : 'are'} down`] : []),
  ];
  return ApplyIncomplete(`${what.join('; ')}; everything else was applied`, {
    hint: 'holdfast status shows why. Apply again when it answers: that does the rest.',
  });
}

/** Members of this host whose data has to be written anew, with what that takes. */
async function persistenceChanges(
  { members }: Deployment,
  { redis }: Spec,
): Promise<{ member: LiveMember; change: Change }[]> {
  const found: { member: LiveMember; change: Change }[] = [];
  for (const member of members) {
    const { unit, place, watch } = member;
    if (!unit?.process.running) continue;
    const mark = await readChangeMark(unit.paths);
    const from = mark?.from ?? (await runningKind(watch.client));
    const to = kindOf(redis.persistence);
    if (from === to && mark === null) continue;
    const [what, takes] = ['persistence', 'now'] as const;
    const change = { where: place.id, what, from, to: redis.persistence, takes };
    found.push({ member, change: { ...change, steps: describeChange(from, to) } });
  }
  return found;
}

/** Each process takes the new program when it is started the next time. */
function programChanges({ members, sentinels, setting }: Deployment, program: string): Change[] {
  if (program === setting.redisServer) return [];
  const here = [...members, ...sentinels].filter(({ unit }) => unit !== null);
  return here.map(({ place }) => ({
    where: place.id,
    what: 'program',
    from: setting.redisServer,
    to: program,
    takes: 'restart',
  }));
}
