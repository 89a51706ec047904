/**
 * What has to be done on each host, and in which order. Pure: from the spec, what is wanted on each host, what was found
 * there, and what the agents that run say would change. The rules:
 *
 * - What is prepared (packages, files) touches nothing that runs, so it is done on all hosts at once.
 * - A deployment of which nothing runs is started on all hosts at once: the Sentinels need each other.
 * - Otherwise one host at a time, each healthy before the next. Hosts whose agent does not run come first, because that
 *   makes the deployment healthier; the primary's host comes last, so that the primary moves once at most.
 * - A host to which something comes, or from which something goes, is before the others, which expect it or forget it.
 * - Whatever is as it should be is left alone.
 */
import { createHash } from 'node:crypto';
import { installedSpec } from '../../render/installed.ts';
import type { Spec } from '../../spec/spec.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import { diffLines } from './diff-lines.ts';
import { missingPackages } from './packages.ts';
import {
  nowhere,
  type Plan,
  type PrepareStep,
  type SettingChange,
  type Turn,
  type TurnStep,
} from './steps.ts';
import { addressFiles, addressSteps } from './virtual-address.ts';
import {
  passwordFilesThere,
  secretsFolder,
  sysctlFile,
  tlsFilesThere,
  type Wanted,
  type WantedFile,
} from './wanted.ts';

export interface Found {
  facts: HostFacts;
  wanted: Wanted;
  /** What the agent there would change; null when none runs or it could not tell yet. */
  changes: readonly SettingChange[] | null;
}

export interface PlanInput {
  spec: Spec;
  found: readonly Found[];
  /** The host of the primary, as far as an agent told. */
  primaryHost: string | null;
  /** SHA-256 of the secret's file; null when it is made now. */
  secretDigest: string | null;
}

export function planFleet({ spec, found, primaryHost, secretDigest }: PlanInput): Plan {
  const prepare = found.map((each) => {
    return { host: each.facts.host, steps: prepareSteps(spec, each, secretDigest) };
  });
  const specChanged = (host: string) =>
    prepare.some((each) => each.host === host && each.steps.some((step) => isOfSpec(step, spec)));
  const certificateChanged = (host: string) =>
    prepare.some((each) => each.host === host && each.steps.some((step) => isOtherCertificate(step, spec)));
  const usersChanged = (host: string) =>
    prepare.some((each) => each.host === host && each.steps.some((step) => isOtherPassword(step, spec)));
  const steps = new Map(
    found.map((each) => {
      const { host } = each.facts;
      const marks = { specChanged: specChanged(host), certificateChanged: certificateChanged(host) };
      const mustHandOver = host === primaryHost && usersChanged(host);
      return [host, turnSteps(spec, each, { ...marks, mustHandOver, isPrimary: host === primaryHost })];
    }),
  );
  const turns = turnsOf(steps, primaryHost);
  const { conf } = addressFiles(spec);
  const addresses = addressSteps(
    found.map(({ facts, wanted }) => {
      const text = wanted.files.find(({ path }) => path === conf)?.text;
      const { host, keepalivedDigest: told, holdsKeepalived: isHeld } = facts;
      return { host, wanted: text === undefined ? null : sha256(text), told, isHeld };
    }),
  );
  return { prepare, turns, addresses, notices: noticesOf(spec, turns, primaryHost) };
}

/** Files that the agent reads: another text means something only once it has read it. */
function isOfSpec(step: PrepareStep, spec: Spec): boolean {
  if (step.kind !== 'file') return false;
  return step.file.path === installedSpec(spec) || step.file.path.startsWith(`${secretsFolder(spec)}/`);
}

/** Members, gates and agents take it up by themselves. */
function isOtherCertificate(step: PrepareStep, spec: Spec): boolean {
  const { cert, key, ca } = tlsFilesThere(spec) ?? {};
  return step.kind === 'file' && step.change === 'text' && [cert, key, ca].includes(step.file.path);
}

/** The agent there can't tell yet that it is another: it has the one before in its files until they are written. */
function isOtherPassword(step: PrepareStep, spec: Spec): boolean {
  const files = passwordFilesThere(spec);
  if (step.kind === 'file') return step.change !== 'rights' && files.includes(step.file.path);
  return step.kind === 'remove' && step.paths.some((path) => files.includes(path));
}

function prepareSteps(spec: Spec, { facts, wanted }: Found, secretDigest: string | null): PrepareStep[] {
  const steps: PrepareStep[] = [];
  const packages = missingPackages(spec, facts);
  if (packages !== null) steps.push({ kind: 'packages', ...packages });
  if (!facts.hasUser) steps.push({ kind: 'user', name: spec.runAs });
  if (facts.current !== wanted.build || !facts.hasCommand)
    steps.push({ kind: 'holdfast', build: wanted.build, from: facts.current });
  if (facts.secretDigest === null || facts.secretDigest !== secretDigest) steps.push({ kind: 'secret' });
  const files = wanted.files.flatMap((file) => fileStep(file, facts));
  steps.push(...files);
  const stale = facts.secretFiles.filter((path) => !wanted.files.some((file) => file.path === path));
  if (stale.length > 0) steps.push({ kind: 'remove', paths: stale });
  if (facts.kernelWritable && files.some(({ file }) => file.path === sysctlFile))
    steps.push({ kind: 'kernel' });
  return steps;
}

function fileStep(file: WantedFile, { files }: HostFacts): Extract<PrepareStep, { kind: 'file' }>[] {
  const there = files.get(file.path);
  if (there === undefined) return [{ kind: 'file', file, change: 'new', diff: [] }];
  const same = file.secret ? there.digest === sha256(file.text) : there.text === file.text;
  if (!same) {
    const diff = file.secret ? [] : diffLines(there.text ?? '', file.text);
    return [{ kind: 'file', file, change: 'text', diff }];
  }
  if (there.mode === file.mode && there.owner === file.owner) return [];
  return [{ kind: 'file', file, change: 'rights', diff: [] }];
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface HostMarks {
  specChanged: boolean;
  certificateChanged: boolean;
  isPrimary: boolean;
  /** Passwords of its users change where clients write. */
  mustHandOver: boolean;
}

function turnSteps(
  { gate, gates, sentinels }: Spec,
  { facts, wanted, changes }: Found,
  { specChanged, certificateChanged, isPrimary, mustHandOver }: HostMarks,
): TurnStep[] {
  const { agent, host } = facts;
  if (agent === null) return [{ kind: 'start' }];
  const steps: TurnStep[] = [];
  // An agent learns of other places when it starts.
  const places = (changes ?? []).filter(({ takes }) => takes === 'down-and-up');
  const others = changes?.filter(({ takes }) => takes !== 'down-and-up') ?? null;
  if (agent.build !== wanted.build || places.length > 0)
    steps.push({ kind: 'reload', from: agent.build, places });
  if (mustHandOver || (isPrimary && others?.some(({ what }) => what.startsWith('user ')) === true))
    steps.push({ kind: 'hand-over' });
  // One that could not tell is asked again in its turn, and is healthy before the next.
  if (specChanged || others === null || others.length > 0) steps.push({ kind: 'settings', changes: others });
  // HAProxy reads its servers when it starts; and one kind of gate gives way to the other.
  const isDeaf = gate.kind === 'haproxy' ? places.length > 0 : places.some(({ what }) => what === 'kind');
  const deaf = isDeaf ? gates.filter((each) => each.host === host) : [];
  const restarts = [
    ...facts.restarts,
    ...(others ?? []).filter(({ takes }) => takes === 'restart').map(({ where }) => where),
    ...deaf.map(({ id }) => id),
    // A Sentinel reads its certificate when it starts, and there is no command that has it read another.
    ...(certificateChanged ? sentinels.filter((each) => each.host === host).map(({ id }) => id) : []),
  ];
  if (restarts.length > 0) steps.push({ kind: 'restart', processes: [...new Set(restarts)] });
  return steps;
}

/** One host after the other; all at once when nothing runs anywhere. */
export function turnsOf(steps: ReadonlyMap<string, TurnStep[]>, primaryHost: string | null): Turn[] {
  const hosts = [...steps.keys()].filter((host) => (steps.get(host) ?? []).length > 0);
  const starts = (host: string) => steps.get(host)?.[0]?.kind === 'start';
  if (hosts.length === steps.size && hosts.every(starts)) return [{ hosts, steps: [{ kind: 'start' }] }];
  const rank = (host: string) =>
    starts(host) ? 0 : changesPlaces(steps.get(host) ?? [], host) ? 1 : host === primaryHost ? 3 : 2;
  const inOrder = hosts.toSorted((one, other) => rank(one) - rank(other));
  return inOrder.map((host) => ({ hosts: [host], steps: steps.get(host) ?? [] }));
}

/**
 * Something comes to the host: no other is healthy before it is there. Or something goes: before the others forget it. No
 * process moves by itself, so that the primary's host may come first.
 */
function changesPlaces(steps: readonly TurnStep[], host: string): boolean {
  const places = steps.flatMap((step) => (step.kind === 'reload' ? step.places : []));
  const isHere = (place: string) => place.startsWith(`${host} `);
  return places.some(({ from, to }) => (to === nowhere && isHere(from)) || (from === nowhere && isHere(to)));
}

function noticesOf(spec: Spec, turns: readonly Turn[], primaryHost: string | null): string[] {
  const restarts = turns.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'restart' ? step.processes : [])),
  );
  const gates = spec.gates.filter(({ id }) => restarts.includes(id));
  const members = spec.members.filter(({ id }) => restarts.includes(id));
  const moves = members.some(({ host }) => host === primaryHost);
  const handsOver = turns.some(({ steps }) => steps.some(({ kind }) => kind === 'hand-over'));
  return [
    ...(moves
      ? ['The primary moves to another member before its server restarts: writes wait meanwhile.']
      : []),
    ...(handsOver && !moves
      ? ['The primary moves to another member before its users change: writes wait meanwhile.']
      : []),
    ...gates.map(({ id }) => `${id} restarts: its clients are cut off and connect again.`),
    ...(members.length > 0 && !moves
      ? ['Replicas restart: nothing but reads from them moves elsewhere.']
      : []),
  ];
}
