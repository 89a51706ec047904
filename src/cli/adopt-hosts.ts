/**
 * `holdfast adopt` for a spec whose hosts are reached by ssh: holdfast is installed there, which looks at what runs; one plan
 * of all of it is shown; and what was agreed to is done in an order in which nobody is locked out of anything
 * (fleet/adopt-there.ts).
 */
import type { AdoptionPlan } from '../agent/adopt/plan.ts';
import { AdoptRefused } from '../agent/errors.ts';
import { ApplyLock } from '../fleet/act/apply-lock.ts';
import { lookThere, refuseOtherUser, type TakenThere, takeOverThere } from '../fleet/adopt-there.ts';
import { bundleContents } from '../fleet/bundle/contents.ts';
import { prepareAll } from '../fleet/carry-out.ts';
import type { HostFacts } from '../fleet/facts/host-facts.ts';
import { isEmpty, type Plan } from '../fleet/plan/steps.ts';
import { specTextThere } from '../fleet/plan/wanted.ts';
import { SshConnections } from '../fleet/ssh/connections.ts';
import { gatherAll, type Survey, surveyFleet } from '../fleet/survey.ts';
import { installedSpec } from '../render/installed.ts';
import type { Spec } from '../spec/spec.ts';
import { planLines, refusalLine, refusedFor } from './adopt-lines.ts';
import { type AdoptOptions, accessFrom } from './adopt-options.ts';
import { fromHere, refuseUnfit } from './apply-hosts.ts';
import { broughtBy } from './brought.ts';
import { confirm } from './confirm.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';
import { printPlan } from './print-plan.ts';

export async function adoptOnHosts(
  output: Output,
  spec: Spec,
  file: string,
  options: AdoptOptions,
): Promise<number> {
  refuseBefore(spec, options);
  const access = accessFrom(options);
  const contents = bundleContents();
  const here = { ...fromHere(spec, contents), brought: broughtBy(spec) };
  const connections = new SshConnections(spec);
  const lock = options.dryRun ? null : new ApplyLock(spec);
  const report = (line: string) => output.note(`  ${output.colors.dim(line)}`);
  try {
    await lock?.take(
      spec.hosts.map((host) => connections.host(host)),
      report,
    );
    if (lock !== null) connections.need(lock);
    const facts = await gatherAll(spec, connections);
    if (facts.every(({ agent }) => agent !== null)) return tellAdopted(output, spec, file);
    refuseOtherSpec(spec, facts);
    const survey = await surveyFleet(spec, connections, here, facts);
    refuseOtherUser(spec, survey.facts);
    const fleet = { spec, connections, survey, report, access, keepersOff: options.supervisorOff === true };
    if (!(await prepare(output, { ...fleet, contents }, options))) return options.dryRun ? 0 : 1;
    return await lookAskDo(output, fleet, file, options);
  } finally {
    lock?.release();
    await connections.close();
  }
}

/** What needs no look at a host. */
function refuseBefore({ security, mirror }: Spec, { usersOnly, start, wait }: AdoptOptions): void {
  const given = { '--users-only': usersOnly, '--no-start': !start, '--wait': wait !== undefined };
  const [option] = Object.entries(given).find(([, is]) => is) ?? [];
  if (option !== undefined) {
    throw BadOption(`${option} is for one host, and the spec reaches its hosts by ssh`, {
      hint: 'Leave it out: users come first on all hosts, and agents last. Or say it with --host, on each host.',
    });
  }
  if (security.authority !== null) {
    throw AdoptRefused(
      'the spec has security.tls: auto, and what runs has certificates of another authority, or none',
      {
        hint: 'Name the files that the servers have (cert, key and ca), or leave TLS out, as it is.',
      },
    );
  }
  if (mirror !== null) {
    throw AdoptRefused('the spec has topology: mirror, and adopt takes over replicas and their primary', {
      hint: 'Start the deployment beside it, on other ports, and move the data in: holdfast migrate.',
    });
  }
}

/** What agents that run are to have comes in apply's order: hosts that leave, certificates, one process after the other. */
function tellAdopted(output: Output, spec: Spec, file: string): number {
  const changes = `holdfast apply ${file} brings a change of the spec there`;
  output.line(`${spec.name} is holdfast's already on every host; holdfast status shows it, and ${changes}.`);
  const hosts = spec.hosts.map(({ id }) => ({ host: id, plan: null, agentRuns: true }));
  output.data({ name: spec.name, prepare: [], hosts, adopted: false });
  return 0;
}

/** @throws ADOPT_REFUSED where an agent runs already, with another spec */
function refuseOtherSpec(spec: Spec, facts: readonly HostFacts[]): void {
  const wanted = specTextThere(spec);
  const other = facts.find(
    ({ agent, files }) => agent !== null && files.get(installedSpec(spec))?.text !== wanted,
  );
  if (other === undefined) return;
  throw AdoptRefused(`the agent of host ${other.host} runs with another spec of ${spec.name}`, {
    hint: 'Nothing was changed. Take over the rest with the spec that is there; holdfast apply changes it afterwards.',
  });
}

/** @returns whether holdfast is on all hosts, as it has to be for a look at what runs there */
async function prepare(
  output: Output,
  preparing: Parameters<typeof prepareAll>[0],
  { dryRun, yes }: AdoptOptions,
): Promise<boolean> {
  const { plan, findings } = preparing.survey;
  const own: Plan = { ...plan, turns: [], addresses: [], notices: [] };
  printPlan(output, own, findings, false);
  if (isEmpty(own)) return true;
  const answer = () =>
    output.data({ name: preparing.spec.name, prepare: ofSteps(own), hosts: [], adopted: false });
  if (dryRun) {
    output.line(
      'Nothing that runs is touched by this. Then holdfast looks there at what runs, and asks again.',
    );
    answer();
    return false;
  }
  refuseUnfit(findings);
  if (!(await confirm(output, 'Install this? Nothing that runs is touched by it.', yes === true))) {
    answer();
    return false;
  }
  await prepareAll(preparing);
  return true;
}

function ofSteps({ prepare: all }: Plan) {
  return all.map(({ host, steps }) => ({ host, steps: steps.map(({ kind }) => kind) }));
}

async function lookAskDo(
  output: Output,
  fleet: Parameters<typeof takeOverThere>[0] & { survey: Survey },
  file: string,
  { dryRun, yes }: AdoptOptions,
): Promise<number> {
  const { spec } = fleet;
  const hosts = await lookThere<AdoptionPlan>(fleet);
  print(output, hosts);
  const plans = hosts.flatMap(({ plan }) => plan ?? []);
  const refusals = distinct(plans.flatMap((plan) => plan.refusals));
  for (const refusal of refusals) output.note(refusalLine(output, refusal));
  const answer = (adopted: boolean) => output.data({ name: spec.name, prepare: [], hosts, adopted });
  if (dryRun) {
    answer(false);
    return refusals.length > 0 ? 3 : 0;
  }
  if (refusals.length > 0) {
    const hint = `Nothing that runs was changed. holdfast adopt ${file} --dry-run looks again.`;
    throw refusedFor(refusals, output.json, hint);
  }
  const taken = plans.flatMap(({ takes }) => takes.map(({ id }) => id));
  if (hosts.every(({ agentRuns }) => agentRuns)) return tellAdopted(output, spec, file);
  const question = taken.length === 0 ? 'Start the agents?' : `Take over ${taken.join(', ')}?`;
  if (!(await confirm(output, question, yes === true))) {
    answer(false);
    return 1;
  }
  await takeOverThere(fleet, hosts);
  output.line(`${output.colors.green('✓')} ${output.colors.bold(spec.name)} is healthy: what ran runs on.`);
  output.line(
    'When it suits: holdfast restart --rolling, for what only a start brings. No client at the gate notices.',
  );
  answer(true);
  return 0;
}

function print(output: Output, hosts: readonly TakenThere<AdoptionPlan>[]): void {
  const { bold, yellow } = output.colors;
  for (const { host, plan, agentRuns } of hosts) {
    output.line(bold(`host ${host}`));
    const lines = plan === null ? [stands(agentRuns)] : planLines({ ...plan, others: [] });
    for (const line of lines) output.line(`  ${line}`);
    for (const warning of plan?.warnings ?? []) output.note(`${yellow('warning:')} ${warning}`);
  }
}

function stands(agentRuns: boolean): string {
  return agentRuns ? "is holdfast's already" : 'was taken over before; the agent is started';
}

/** What is wrong with a server is seen from every host. */
function distinct(refusals: AdoptionPlan['refusals']): AdoptionPlan['refusals'] {
  const same = (one: AdoptionPlan['refusals'][number]) => (other: AdoptionPlan['refusals'][number]) =>
    one.where === other.where && one.what === other.what;
  return refusals.filter((each, index) => refusals.findIndex(same(each)) === index);
}
