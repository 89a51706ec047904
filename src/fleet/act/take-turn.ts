/** Changes what runs: one turn of the plan, which ends when the deployment is healthy again. */
import { errorCode, errorText, HoldfastError } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { shown } from '../../base/shown.ts';
import { installedSpec, installedState, program } from '../../render/installed.ts';
import type { Spec } from '../../spec/spec.ts';
import { answeringHost, holdfastThere, primaryThere } from '../answering-host.ts';
import { HostUnhealthy, RemoteFailed } from '../errors.ts';
import type { SettingChange, Turn, TurnStep } from '../plan/steps.ts';
import { unitName } from '../plan/wanted.ts';
import { shellLine } from '../shell.ts';
import type { SshConnections, SshHost } from '../ssh/connections.ts';
import { receiveScript } from './receive-file.ts';

const startMs = 120_000;
const restartMs = 15 * 60_000;
const healthyMs = 120_000;

export interface TurnContext {
  spec: Spec;
  host(id: string): SshHost;
  hasSystemd(id: string): boolean;
  report(line: string): void;
}

/** @throws HOST_UNHEALTHY when it does not become healthy; REMOTE_FAILED and what ssh says */
export async function takeTurn(context: TurnContext, { hosts, steps }: Turn): Promise<void> {
  await Promise.all(hosts.map((id) => takeSteps(context, id, steps)));
  await Promise.all(hosts.map((id) => untilHealthy(context, id)));
  context.report(`${hosts.join(', ')}: healthy`);
}

/** A primary that the spec does not have any more goes to a member that it has, before anything is stopped. */
export async function moveAway(
  { spec, report }: TurnContext,
  connections: SshConnections,
  primary: string,
): Promise<void> {
  const host = await answeringHost(spec, connections);
  const command = holdfastThere(spec, ['switchover'], ['--json']);
  const options = { as: 'holdfast', doing: 'moving the primary', timeoutMs: startMs } as const;
  const { status, stdout, stderr } = await host.ask(command, options);
  if (status !== 0)
    throw RemoteFailed(`moving the primary away from ${primary} failed: ${said(stdout, stderr)}`);
  report(`the primary moved away from ${primary}`);
}

/** On hosts whose turn was before, the users are as they are to be. Members of one host only: there is nobody else. */
async function handOver({ spec, host, report }: TurnContext, id: string): Promise<void> {
  const there = host(id);
  const primary = await primaryThere(spec, there);
  const isHere = spec.members.some((member) => member.id === primary && member.host === id);
  const to = spec.members.find((member) => member.host !== id)?.id;
  if (!isHere || to === undefined) return;
  const command = holdfastThere(spec, ['switchover'], ['--to', to, '--json']);
  const options = { as: 'holdfast', doing: 'moving the primary', timeoutMs: startMs } as const;
  const { status, stdout, stderr } = await there.ask(command, options);
  if (status !== 0) throw RemoteFailed(`moving the primary from ${id} failed: ${said(stdout, stderr)}`);
  report(`${id}: the primary moved to ${to}`);
}

/** What needs a restart, noted on the hosts whose agents run. @throws REMOTE_FAILED and what ssh says */
export async function noteAllRestarts({ spec, host }: TurnContext, turns: readonly Turn[]): Promise<void> {
  for (const { hosts, steps } of turns) {
    const processes = steps.flatMap((step) => (step.kind === 'restart' ? step.processes : []));
    if (processes.length === 0) continue;
    await Promise.all(hosts.map((id) => noteRestarts(spec, host(id), processes)));
  }
}

/** What needs a restart is noted there first, so that an apply that is interrupted is finished by the next one. */
async function takeSteps(context: TurnContext, id: string, steps: readonly TurnStep[]): Promise<void> {
  const host = context.host(id);
  const restarts = new Set(steps.flatMap((step) => (step.kind === 'restart' ? step.processes : [])));
  const note = () => noteRestarts(context.spec, host, [...restarts]);
  if (restarts.size > 0) await note();
  for (const { kind } of steps) {
    if (kind === 'start') await startAgent(context, id);
    if (kind === 'reload') await reloadAgent(context, id);
    if (kind === 'hand-over') await handOver(context, id);
    if (kind !== 'settings') continue;
    const before = restarts.size;
    for (const { where, takes } of await applyThere(context, id))
      if (takes === 'restart') restarts.add(where);
    if (restarts.size > before) await note();
  }
  if (restarts.size > 0) await restartThere(context, id, [...restarts]);
}

async function startAgent(context: TurnContext, id: string): Promise<void> {
  const { spec, report } = context;
  const host = context.host(id);
  const options = { as: 'root', doing: 'starting the agent', timeoutMs: startMs } as const;
  if (context.hasSystemd(id)) {
    await host.run(`systemctl daemon-reload && systemctl enable -q --now ${unitName(spec)}`, options);
  } else {
    const { status, stderr } = await host.ask(startScript(spec, id), options);
    // 3: it runs, and takes no writes yet, which the wait for the others is for.
    if (status !== 0 && status !== 3)
      throw RemoteFailed(`host ${id}: starting the agent failed: ${stderr.trim().slice(-600)}`);
  }
  report(`${id}: started`);
}

function startScript(spec: Spec, id: string): string {
  const up = [program, 'up', installedSpec(spec), '--state-dir', installedState(spec), '--host', id];
  const words = [...up, '--detach', '--wait', '60s'];
  const env = [
    'env',
    '-i',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/var/lib/holdfast',
  ];
  // Each connection of a client is an open file; systemd's unit says so by itself.
  return `cd /
umask 077
ulimit -n 65536 2>/dev/null || true
exec runuser -u ${spec.runAs} -- ${shellLine([...env, ...words])} </dev/null`;
}

/** The agent ends alone, by that signal, and leaves everything running; systemd starts the next one, or we do. */
async function reloadAgent(context: TurnContext, id: string): Promise<void> {
  const { spec, report } = context;
  const host = context.host(id);
  const options = { as: 'root', doing: 'starting the agent anew', timeoutMs: startMs } as const;
  if (context.hasSystemd(id)) {
    await host.run(systemdReload(unitName(spec)), options);
    await untilAnswers(context, id);
  } else {
    const leave = `pid=$(sed -n 's/.*"pid":\\([0-9]*\\).*/\\1/p' ${installedState(spec)}/agent.json)
kill -USR2 "$pid"
for each in $(seq 150); do [ -d "/proc/$pid" ] || exit 0; sleep 0.1; done
echo "the agent (pid $pid) does not end" >&2; exit 1`;
    await host.run(leave, options);
    await startAgent({ ...context, report: () => {} }, id);
  }
  report(`${id}: its agent was started anew`);
}

/** systemd sends the signal and looks no further: what is asked next is asked of the next agent. */
function systemdReload(unit: string): string {
  const pid = `$(systemctl show -p MainPID --value ${unit})`;
  return `set -e
before=${pid}
systemctl daemon-reload
systemctl reload-or-restart ${unit}
for each in $(seq 300); do
  now=${pid}
  [ "$now" = 0 ] || [ "$now" = "$before" ] || exit 0
  sleep 0.1
done
echo "no other agent came after the one before (pid $before)" >&2
exit 1`;
}

async function untilAnswers({ spec, host }: TurnContext, id: string): Promise<void> {
  const command = holdfastThere(spec, ['status'], ['--json']);
  const look = async () => {
    const { stdout } = await host(id).ask(command, { as: 'holdfast', doing: 'asking its agent' });
    return stdout.includes('"members"');
  };
  await waitFor(look, { what: `the agent of host ${id}`, withinMs: startMs, everyMs: 300 });
}

async function applyThere(context: TurnContext, id: string): Promise<SettingChange[]> {
  const { spec, report } = context;
  const { status, stdout, stderr } = await context
    .host(id)
    .ask(holdfastThere(spec, ['apply'], ['--yes', '--json']), {
      as: 'holdfast',
      doing: 'bringing the spec to the agent',
      timeoutMs: restartMs,
    });
  if (status !== 0)
    throw RemoteFailed(`host ${id}: bringing the spec to the agent failed: ${said(stdout, stderr)}`);
  const { changes } = JSON.parse(stdout) as { changes: SettingChange[] };
  if (changes.length > 0)
    report(`${id}: took ${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`);
  return changes;
}

async function restartThere(context: TurnContext, id: string, processes: readonly string[]): Promise<void> {
  const { spec, report } = context;
  const host = context.host(id);
  const known = [...spec.members, ...spec.sentinels, ...spec.gates].map((place) => place.id);
  for (const each of processes.filter((name) => known.includes(name))) {
    const command = holdfastThere(spec, ['restart', each], ['--json']);
    const doing = `restarting ${each}`;
    const { status, stdout, stderr } = await host.ask(command, {
      as: 'holdfast',
      doing,
      timeoutMs: restartMs,
    });
    if (status !== 0) throw RemoteFailed(`host ${id}: ${doing} failed: ${said(stdout, stderr)}`);
    report(`${id}: restarted ${each}`);
  }
  await noteRestarts(spec, host, []);
}

/** Kept on the host until they are done. */
async function noteRestarts(spec: Spec, host: SshHost, processes: readonly string[]): Promise<void> {
  const file = `${installedState(spec)}/fleet-restarts`;
  const text = processes.join('\n');
  const script =
    text === '' ? `rm -f ${file}` : receiveScript({ path: file, text, mode: '600', owner: null });
  await host.run(script, { as: 'root', doing: 'noting what is to be restarted', input: text });
}

function said(stdout: string, stderr: string): string {
  try {
    const { error } = JSON.parse(stdout) as { error?: { message: string } };
    if (error) return shown(error.message);
  } catch {
    // It said something else.
  }
  return stderr.trim().slice(-600);
}

interface HealthAnswer {
  state: string;
  problems: string[];
  members: { host: string; state: string }[];
  /** What agents of other hosts say, and how copies elsewhere are: no turn of a host changes it. */
  beside?: string[];
  mirrors: { trouble?: string | null }[];
}

async function untilHealthy({ spec, ...context }: TurnContext, id: string): Promise<void> {
  const host = context.host(id);
  let last = 'its agent does not answer';
  let lost: unknown = null;
  const askHealth = async () => {
    const command = holdfastThere(spec, ['status'], ['--json']);
    const { stdout } = await host.ask(command, {
      as: 'holdfast',
      doing: 'asking its agent',
      timeoutMs: 20_000,
    });
    const { state, problems, beside = [], members, mirrors = [] } = JSON.parse(stdout) as HealthAnswer;
    if (!Array.isArray(members)) return false;
    const isWell =
      state !== 'down' &&
      problems.every((each) => beside.includes(each) || mirrors.some(({ trouble }) => trouble === each));
    last = problems.map((each) => shown(each)).join('; ') || state;
    return isWell && members.every((each) => each.host !== id || each.state === 'up');
  };
  const look = () =>
    askHealth().catch((error: unknown) => {
      const isLost = errorCode(error) === 'APPLY_LOCK_LOST';
      // Waiting does not bring it back.
      if (isLost) lost = error;
      else if (error instanceof HoldfastError) last = errorText(error);
      return isLost;
    });
  await waitFor(look, { what: 'it to be healthy', withinMs: healthyMs, everyMs: 300 }).catch((cause) => {
    throw HostUnhealthy(`host ${id} is not healthy ${healthyMs / 1000} s after its turn: ${last}`, {
      hint: `The hosts after it were left as they are. holdfast status and holdfast events show more; apply again goes on here.`,
      cause,
    });
  });
  if (lost !== null) throw lost;
}
