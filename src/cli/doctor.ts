import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { AgentClient } from '../agent/api/agent-client.ts';
import { clockStepKind } from '../agent/observe/clock-watch.ts';
import { describeDrift } from '../agent/settings/drift-watch.ts';
import { readEvents } from '../agent/state/event-log.ts';
import { type StatePaths, stateDirOf, statePaths } from '../agent/state/paths.ts';
import { checkStateOwner } from '../agent/state/state-owner.ts';
import { readFileIfThere } from '../base/atomic-file.ts';
import { errorText } from '../base/errors.ts';
import { shownIn } from '../base/shown.ts';
import { type Result, runChecks, type Severity } from '../doctor/check.ts';
import { readDeployment } from '../doctor/deployment/facts.ts';
import { deploymentChecks } from '../doctor/deployment-checks.ts';
import { applyFixes, describeFix, describeUndo, type Fix, undoFixes } from '../doctor/fix.ts';
import { type ClockStep, readHost } from '../doctor/host/host-facts.ts';
import { hostChecks } from '../doctor/host-checks.ts';
import { loadSpec } from '../spec/load.ts';
import { loadSecrets, type Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { confirm } from './confirm.ts';
import { lookIntoStore } from './doctor-backups.ts';
import type { Output } from './output.ts';
import { chooseHost } from './target.ts';
import { hostHere } from './this-host.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface DoctorOptions extends CommonOptions {
  host?: string;
  stateDir?: string;
  fix?: boolean;
  undo?: boolean;
  yes?: boolean;
  all?: boolean;
  root: string;
}

/** `holdfast doctor`: what people otherwise learn from an outage. Exit status 3 when anything is critical. */
export function doctorVerb(): Command {
  return verb('doctor', 'check this host and the deployment', [
    ['holdfast doctor', 'what is wrong, why it matters and what to do'],
    ['holdfast doctor --fix', 'fix what can be fixed, after showing it'],
    ['holdfast doctor --undo', 'put back what --fix has changed'],
  ])
    .argument(...specArgument)
    .option('--host <id>', 'which host of the spec this is; found by its address otherwise')
    .option('--all', 'show what is in order, too')
    .option('--fix', 'fix what can be fixed')
    .option('--undo', 'put back what --fix has changed, and check nothing')
    .option('-y, --yes', "don't ask")
    .option('--root <dir>', 'look at the machine whose files are in this folder', '/')
    .addOption(stateDirOption())
    .action(action<DoctorOptions>(doctor, 'every-host'));
}

async function doctor(output: Output, [file = '']: string[], options: DoctorOptions): Promise<number> {
  if (options.undo) return undo(output, options);
  const spec = await loadSpec(file);
  const host = await whichHost(output, spec, options);
  const paths = statePaths(stateDirOf(spec.name, options.stateDir));
  await checkStateOwner(paths, spec.name);
  const steps = await clockStepsSeen(paths);
  const look = () => runChecks(hostChecks, readHost(spec, host, paths.root, options.root, steps));
  let results = [...look(), ...(await checkDeployment(spec, paths, host, output))];
  if (options.fix && (await fix(output, results, options))) {
    results = [...look(), ...results.filter(({ id }) => !hostChecks.some((check) => check.id === id))];
  }
  print(output, results, options.all === true);
  return results.some(({ severity }) => severity === 'critical') ? 3 : 0;
}

/** With `--root` the machine is a folder, which has no address. */
async function whichHost(output: Output, spec: Spec, { host, root }: DoctorOptions): Promise<string | null> {
  if (root !== '/') return host === undefined ? null : chooseHost(spec, host);
  const here = await hostHere(spec, host);
  if (here === null) {
    output.note(
      `This machine has no address of a host of ${spec.name}: it was checked as the fullest of them (--host says which).`,
    );
  }
  return here;
}

/** What agents of this host have noticed; null when none has run here. */
async function clockStepsSeen({ events }: StatePaths): Promise<ClockStep[] | null> {
  if (!existsSync(events)) return null;
  return [...readEvents(`${events}.1`), ...readEvents(events)]
    .filter(({ kind }) => kind === clockStepKind)
    .map(({ at, text }) => ({ atMs: Date.parse(at), text }));
}

async function checkDeployment(
  spec: Spec,
  paths: StatePaths,
  host: string | null,
  output: Output,
): Promise<Result[]> {
  const secrets = await knownSecrets(spec, paths, output);
  if (secrets === null) return [];
  return runChecks(
    deploymentChecks,
    await readDeployment(spec, secrets, {
      haproxy: await haproxyFiles(spec, paths, host),
      backups: await lookIntoStore(spec),
      drift: await driftSeen(paths),
    }),
  );
}

/** What the agent of this host has seen; null when none runs. */
async function driftSeen(paths: StatePaths): Promise<{ member: string; text: string }[] | null> {
  try {
    const { drift } = await new AgentClient(paths).status();
    return drift.map((each) => ({ member: each.member, text: describeDrift(each) }));
  } catch {
    return null;
  }
}

/** Without the deployment's secret nothing can be asked; the doctor makes none. */
async function knownSecrets(spec: Spec, paths: StatePaths, output: Output): Promise<Secrets | null> {
  if (spec.security.secret === null && !existsSync(paths.secret)) {
    output.note(
      `Only the host was checked: ${spec.name} has no state in ${paths.root} (--state-dir names another).`,
    );
    return null;
  }
  try {
    return await loadSecrets(spec, paths.secret);
  } catch (error) {
    output.note(`Only the host was checked: ${errorText(error)}.`);
    return null;
  }
}

async function haproxyFiles(spec: Spec, paths: StatePaths, host: string | null) {
  if (spec.gate.kind !== 'haproxy') return [];
  const files = [];
  for (const gate of spec.gates.filter((each) => host === null || each.host === host)) {
    const text = await readFileIfThere(paths.gate(gate.id).config);
    if (text !== undefined) files.push({ gate: gate.id, text });
  }
  return files;
}

/** Shows what would be restored and does it. */
async function undo(output: Output, options: DoctorOptions): Promise<number> {
  const lines = await describeUndo(options.root);
  for (const line of lines) output.note(`  ${line}`);
  if (lines.length > 0 && !(await confirm(output, 'Put these back?', options.yes === true))) {
    output.data({ restored: [] });
    return 0;
  }
  const files = await undoFixes(options.root);
  for (const each of files) output.line(`restored ${each}`);
  output.data({ restored: files });
  return 0;
}

/** Shows what would change and does it. @returns whether anything was changed. */
async function fix(output: Output, results: readonly Result[], options: DoctorOptions): Promise<boolean> {
  const fixes = results.flatMap((result) => (result.repair ? [result.repair] : []));
  if (fixes.length === 0) {
    output.note('Nothing that was found can be fixed from here.');
    return false;
  }
  for (const line of changes(fixes)) output.note(line);
  if (!(await confirm(output, 'Make these changes?', options.yes === true))) return false;
  await applyFixes(fixes, options.root);
  output.note('Done. holdfast doctor --undo puts it back.');
  return true;
}

function changes(fixes: readonly Fix[]): string[] {
  return [...new Set(fixes.flatMap(describeFix))].map((line) => `  ${line}`);
}

const order: Severity[] = ['critical', 'warning', 'skipped', 'ok'];

function print(output: Output, results: readonly Result[], all: boolean): void {
  const { colors } = output;
  const paint: Record<Severity, (text: string) => string> = {
    critical: colors.red,
    warning: colors.yellow,
    skipped: colors.dim,
    ok: colors.green,
  };
  const shown = results.filter(({ severity }) => all || severity === 'critical' || severity === 'warning');
  const sorted = shown.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  for (const result of shownIn(sorted)) {
    const subject = result.subject === undefined ? '' : `${result.subject}: `;
    output.line(
      `${paint[result.severity](result.severity.padEnd(8))}  ${colors.bold(result.id)}  ${subject}${result.found}`,
    );
    if (result.fix === undefined) continue;
    output.line(`          why   ${result.why}`);
    output.line(`          fix   ${result.fix}${result.repair ? ' (--fix does it)' : ''}`);
    output.line(colors.dim(`          ${result.link}`));
  }
  const count = (severity: Severity) => results.filter((result) => result.severity === severity).length;
  output.line(
    `${count('critical')} critical, ${count('warning')} warnings, ${count('ok')} in order, ${count('skipped')} could not be looked at`,
  );
  output.data({
    critical: count('critical'),
    warnings: count('warning'),
    results: results.map(({ repair, ...result }) => ({
      ...result,
      scope: hostChecks.some(({ id }) => id === result.id) ? 'host' : 'deployment',
      fixable: repair !== undefined,
    })),
  });
}
