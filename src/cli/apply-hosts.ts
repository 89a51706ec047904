/** `holdfast apply` for a spec whose hosts are reached by ssh: look, show, ask, do. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { shownValue } from '../agent/settings/shown-value.ts';
import { takeLocks } from '../fleet/act/apply-lock.ts';
import type { HostFinding } from '../fleet/act/check-hosts.ts';
import { bundleContents } from '../fleet/bundle/contents.ts';
import { carryOut } from '../fleet/carry-out.ts';
import { HostUnfit } from '../fleet/errors.ts';
import { describeStep, isEmpty, type Plan, type TurnStep } from '../fleet/plan/steps.ts';
import type { Brought } from '../fleet/plan/wanted.ts';
import { SshConnections } from '../fleet/ssh/connections.ts';
import { type FromHere, surveyFleet } from '../fleet/survey.ts';
import { readSecret } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { confirm } from './confirm.ts';
import type { Output } from './output.ts';

interface ApplyHostsOptions {
  dryRun?: boolean;
  yes?: boolean;
}

export async function applyToHosts(output: Output, spec: Spec, options: ApplyHostsOptions): Promise<number> {
  const contents = bundleContents();
  const here: FromHere = {
    build: contents.build,
    brought: broughtBy(spec),
    secret: spec.security.secret && readSecret(spec.security.secret, 'security.secret', process.env),
    machine: `${os.type()} ${os.machine()}`,
    nowMs: Date.now(),
  };
  const connections = new SshConnections();
  const hosts = spec.hosts.map((host) => connections.host(host));
  let release = () => {};
  try {
    if (!options.dryRun) release = await takeLocks(spec, hosts);
    const survey = await surveyFleet(spec, connections, here);
    const { plan, findings } = survey;
    print(output, plan, findings);
    const answer = (applied: boolean) =>
      output.data({ name: spec.name, plan: shownPlan(plan), findings, applied });
    if (isEmpty(plan) || options.dryRun) {
      answer(false);
      return 0;
    }
    refuseUnfit(findings);
    if (!(await confirm(output, 'Apply these changes?', options.yes === true))) {
      answer(false);
      return 1;
    }
    await carryOut(spec, connections, survey, contents, (line) =>
      output.note(`  ${output.colors.dim(line)}`),
    );
    output.line(`${output.colors.green('✓')} ${output.colors.bold(spec.name)} is as the spec says.`);
    answer(true);
    return 0;
  } finally {
    release();
    connections.close();
  }
}

/** What the spec names of this machine: files, and variables of the environment. */
function broughtBy({ security }: Spec): Brought {
  const users = security.users.map(({ name, password }) => [
    name,
    readSecret(password, `security.users.${name}.password`, process.env),
  ]);
  const text = (file: string) => readFileSync(file, 'utf8');
  const { tls } = security;
  return {
    users: Object.fromEntries(users),
    tls: tls && { cert: text(tls.cert), key: text(tls.key), ca: text(tls.ca) },
  };
}

function print(output: Output, plan: Plan, findings: readonly HostFinding[]): void {
  const { bold, yellow, red } = output.colors;
  for (const { found, fix, blocks } of distinct(findings)) {
    const word = blocks ? red('critical:') : yellow('warning:');
    const on = findings
      .filter((each) => each.found === found && each.blocks === blocks)
      .map(({ host }) => host);
    output.note(`${word} ${on.join(', ')}: ${found}${fix === undefined ? '' : `. ${fix}`}`);
  }
  if (isEmpty(plan)) {
    output.line('Nothing to do: every host is as the spec says.');
    return;
  }
  for (const { host, steps } of plan.prepare) {
    if (steps.length === 0) continue;
    output.line(bold(`host ${host}`));
    for (const line of steps.flatMap(describeStep)) output.line(`  ${line}`);
  }
  for (const [index, { hosts, steps }] of plan.turns.entries()) {
    const order = plan.turns.length > 1 ? `${index + 1}. ` : '';
    output.line(bold(`${order}${hosts.length > 1 ? 'hosts' : 'then host'} ${hosts.join(', ')}`));
    for (const line of steps.map(forPeople).flatMap(describeStep)) output.line(`  ${line}`);
  }
  for (const notice of plan.notices) output.line(notice);
}

function forPeople(step: TurnStep): TurnStep {
  if (step.kind !== 'settings' || step.changes === null) return step;
  const changes = step.changes.map((change) => ({
    ...change,
    from: shownValue(change.what, change.from),
    to: shownValue(change.what, change.to),
  }));
  return { ...step, changes };
}

/** What several hosts have is said once. */
function distinct(findings: readonly HostFinding[]): HostFinding[] {
  const same = (one: HostFinding) => (other: HostFinding) =>
    one.found === other.found && one.blocks === other.blocks;
  return findings.filter((each, index) => findings.findIndex(same(each)) === index);
}

/** @throws HOST_UNFIT */
function refuseUnfit(findings: readonly HostFinding[]): void {
  const blocking = findings.filter(({ blocks }) => blocks);
  if (blocking.length === 0) return;
  const all = blocking.map(({ host, found }) => `host ${host}: ${found}`).join('; ');
  throw HostUnfit(`not fit for what the spec places there: ${all}`, {
    hint: `${blocking.flatMap(({ fix }) => fix ?? []).join('. ')}. Nothing was changed.`,
  });
}

/** Without what is secret. */
function shownPlan({ prepare, turns, notices }: Plan): unknown {
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
  return { prepare: shown, turns, notices };
}
