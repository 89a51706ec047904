/** `holdfast apply` for a spec whose hosts are reached by ssh: look, show, ask, do. */
import os from 'node:os';
import { ApplyLock } from '../fleet/act/apply-lock.ts';
import type { HostFinding } from '../fleet/act/check-hosts.ts';
import { bundleContents, type Contents } from '../fleet/bundle/contents.ts';
import { carryOut } from '../fleet/carry-out.ts';
import { FleetRefused, HostUnfit } from '../fleet/errors.ts';
import type { HostFacts } from '../fleet/facts/host-facts.ts';
import { refuseOtherNames } from '../fleet/plan/machines.ts';
import { describeStage, keepIds, leavingHosts, stagesTo } from '../fleet/plan/placement.ts';
import { isEmpty, type Plan } from '../fleet/plan/steps.ts';
import { placementIn, refuseUnreachable } from '../fleet/read-placement.ts';
import { SshConnections } from '../fleet/ssh/connections.ts';
import { type FromHere, gatherAll, surveyFleet, surveyRollback } from '../fleet/survey.ts';
import { readSecret } from '../spec/secrets.ts';
import type { Host, Spec } from '../spec/spec.ts';
import { betweenHooks } from './apply-hooks.ts';
import { broughtBy } from './brought.ts';
import { confirm } from './confirm.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { certificatesOf, keep } from './own-certificates.ts';
import { printPlan } from './print-plan.ts';

interface ApplyHostsOptions {
  dryRun?: boolean;
  yes?: boolean;
  /** Hosts that are gone for good. */
  forget?: string[];
  /** Back to the build of holdfast that was there before. */
  rollback?: boolean;
  /** Makes all certificates of the deployment's own authority anew, not only those that are due. */
  renewCertificates?: boolean;
}

export async function applyToHosts(
  output: Output,
  spec: Spec,
  file: string,
  options: ApplyHostsOptions,
): Promise<number> {
  refuseForgotten(spec, options.forget ?? []);
  const contents = bundleContents();
  const here = fromHere(spec, contents);
  const connections = new SshConnections(spec);
  const hosts = spec.hosts.map((host) => connections.host(host));
  const lock = options.dryRun ? null : new ApplyLock(spec);
  const report = (line: string) => output.note(`  ${output.colors.dim(line)}`);
  try {
    await lock?.take(hosts, report);
    if (lock !== null) connections.need(lock);
    return await lookAskDo({ output, spec, file, options, connections, here, contents, lock, report });
  } finally {
    lock?.release();
    await connections.close();
  }
}

/** What of this machine a survey of the hosts needs, but for files that the spec names. */
export function fromHere({ security: { secret } }: Spec, { build }: Contents): Omit<FromHere, 'brought'> {
  return {
    build,
    secret: secret && readSecret(secret, 'security.secret', process.env),
    machine: `${os.type()} ${os.machine()}`,
    nowMs: Date.now(),
  };
}

interface Apply {
  output: Output;
  spec: Spec;
  file: string;
  options: ApplyHostsOptions;
  connections: SshConnections;
  here: Omit<FromHere, 'brought'>;
  contents: Contents;
  /** Null for a look. */
  lock: ApplyLock | null;
  report(line: string): void;
}

async function lookAskDo(apply: Apply): Promise<number> {
  const { output, spec, file, options, connections, here, contents, lock, report } = apply;
  const known = await gatherAll(spec, connections);
  const found = placementIn(known, spec, options.forget ?? []);
  refuseOtherNames(spec, found.living);
  const stages = stagesOf(keepIds(spec, found.whole), found.living);
  const leaving = stages.flatMap((stage) => stage.leaving);
  await refuseUnreachable(connections, leaving, lock, report);
  if (options.rollback && (stages.length > 1 || leaving.length > 0)) throw hostsDiffer();
  const hosts = hostsOf(stages);
  const certificates = certificatesOf(spec, hosts, options.renewCertificates ? 'all' : 'due');
  const brought = broughtBy(spec, certificates, hosts);
  const look = async (stage: Spec, before: readonly HostFacts[] = []) => {
    const facts = await factsOf(stage, connections, before);
    return options.rollback
      ? surveyRollback(stage, connections, facts)
      : surveyFleet(stage, connections, { ...here, brought }, facts);
  };
  const first = await look((stages[0] as Stage).spec, known);
  const { plan, findings } = first;
  const isNothing = isEmpty(plan) && stages.length === 1 && leaving.length === 0;
  printStages(output, stages);
  printPlan(output, plan, findings, isNothing);
  const places = stages.flatMap(({ changes }) => changes);
  const answer = (applied: boolean) =>
    output.data({ name: spec.name, plan: shownPlan(plan), places, findings, applied });
  if (isNothing || options.dryRun) {
    answer(false);
    return 0;
  }
  refuseUnfit(findings);
  if (!(await confirm(output, 'Apply these changes?', options.yes === true))) {
    answer(false);
    return 1;
  }
  const work = async () => {
    await keep(spec, certificates);
    for (const [index, stage] of stages.entries()) {
      for (const line of stage.changes) report(line);
      const survey = index === 0 ? first : await look(stage.spec);
      await carryOut({ ...stage, connections, survey, contents, report });
    }
  };
  await betweenHooks({ name: spec.name, specFile: file, plan: shownPlan(plan), report }, work);
  const is = options.rollback ? 'runs with the holdfast that it had before' : 'is as the spec says';
  output.line(`${output.colors.green('✓')} ${output.colors.bold(spec.name)} ${is}.`);
  answer(true);
  return 0;
}

/** Of the hosts of the spec, in its order. @param known what was asked for already */
async function factsOf(
  spec: Spec,
  connections: SshConnections,
  known: readonly HostFacts[],
): Promise<HostFacts[]> {
  const missing = spec.hosts.filter(({ id }) => !known.some(({ host }) => host === id));
  const facts = [...known, ...(await gatherAll(spec, connections, missing))];
  return spec.hosts.flatMap(({ id }) => facts.filter(({ host }) => host === id));
}

/** A spec to bring about on the way to the one that is wanted. */
interface Stage {
  spec: Spec;
  leaving: Host[];
  /** Which processes join and go, for people. */
  changes: string[];
}

function stagesOf(target: Spec, found: readonly Spec[]): Stage[] {
  return stagesTo(target, found).map((spec, index, all) => {
    const before = index === 0 ? found : [all[index - 1] as Spec];
    const leaving = before.flatMap((each) => leavingHosts(each, spec));
    const changes = [...new Set(before.flatMap((each) => describeStage(each, spec)))];
    return {
      spec,
      leaving: leaving.filter(({ id }, at) => leaving.findIndex((each) => each.id === id) === at),
      changes,
    };
  });
}

/** Those too that go on the way. */
function hostsOf(stages: readonly Stage[]): Host[] {
  return [
    ...new Map(stages.flatMap(({ spec }) => spec.hosts.map((host) => [host.id, host] as const))).values(),
  ];
}

function hostsDiffer(): Error {
  return FleetRefused('the spec has other hosts than the deployment: --rollback changes holdfast only', {
    hint: 'Put the spec back as it was, or apply it first.',
  });
}

function refuseForgotten(spec: Spec, forget: readonly string[]): void {
  const kept = forget.find((id) => spec.hosts.some((host) => host.id === id));
  if (kept === undefined) return;
  throw BadOption(`--forget ${kept}: the spec still has this host`, {
    hint: 'Take it out of the spec first.',
  });
}

function printStages(output: Output, stages: readonly Stage[]): void {
  const all = stages.flatMap(({ changes }) => changes);
  if (all.length === 0) return;
  output.line(output.colors.bold('what runs where'));
  for (const [index, line] of all.entries()) output.line(`  ${index + 1}. ${line}`);
  if (stages.length > 1)
    output.line('The first of these steps in full; the others follow, each on healthy hosts:');
}

/** @throws HOST_UNFIT */
export function refuseUnfit(findings: readonly HostFinding[]): void {
  const blocking = findings.filter(({ blocks }) => blocks);
  if (blocking.length === 0) return;
  const all = blocking.map(({ host, found }) => `host ${host}: ${found}`).join('; ');
  throw HostUnfit(`not fit for what the spec places there: ${all}`, {
    hint: `${blocking.flatMap(({ fix }) => fix?.replace(/\.?$/, '.') ?? []).join(' ')} Nothing was changed.`,
  });
}

/** Without what is secret. */
function shownPlan({ prepare, turns, addresses, notices }: Plan): unknown {
  const shown = prepare.map(({ host, steps }) => ({
    host,
    steps: steps.map((step) =>
      step.kind === 'file'
        ? {
            kind: step.kind,
            path: step.file.path,
            mode: step.file.mode,
            owner: step.file.owner,
            change: step.change,
            diff: step.diff,
          }
        : step,
    ),
  }));
  return { prepare: shown, turns, addresses, notices };
}
