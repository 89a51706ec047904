/**
 * Takes over what runs on hosts that are reached by ssh: the holdfast of each host does its part, and here is the order.
 *
 * 1. On every host servers and Sentinels let holdfast's users in, and have it in their own files: whoever logs in as one of
 *    them later is turned away by nobody, also by one that is started again in between.
 * 2. On one host after the other the rest, the primary's last. Until agents run nothing acts by itself.
 * 3. The agents of all hosts start at once, as for a new deployment; then settings that wait for replicas.
 *
 * It stops at the first host that fails, and a second run goes on: every step is the same when it is done again.
 */
import { errorFromJson } from '../base/error-wire.ts';
import { errorText, HoldfastError } from '../base/errors.ts';
import { dataDropIn } from '../render/data-drop-in.ts';
import { installedState } from '../render/installed.ts';
import type { Spec } from '../spec/spec.ts';
import { takeTurn } from './act/take-turn.ts';
import { holdfastThere } from './answering-host.ts';
import { contextOf } from './carry-out.ts';
import { FleetRefused, RemoteFailed } from './errors.ts';
import type { HostFacts } from './facts/host-facts.ts';
import { shellWord } from './shell.ts';
import type { SshConnections } from './ssh/connections.ts';
import type { Survey } from './survey.ts';

/** What a host says of its part, in the words of the agent's own plan. */
export interface PartThere {
  primary: string | null;
  others: readonly string[];
  takes: readonly { id: string; folder: string | null }[];
}

export interface TakenThere<Part = PartThere> {
  host: string;
  /** Null when nothing is left to take over there. */
  plan: Part | null;
  agentRuns: boolean;
}

export interface Adopting {
  spec: Spec;
  connections: SshConnections;
  survey: Pick<Survey, 'facts'>;
  /** Who may do everything at the servers, and at the Sentinels. */
  access: { servers: unknown; sentinels: unknown };
  keepersOff: boolean;
  report(line: string): void;
}

/**
 * Nothing is installed for another user than the one whose servers run.
 * @throws FLEET_REFUSED where what runs belongs to another one than everything is to run as
 */
export function refuseOtherUser({ runAs, members, sentinels }: Spec, facts: readonly HostFacts[]): void {
  for (const { host, listeners, agent } of facts) {
    if (agent !== null) continue;
    for (const { id, port } of [...members, ...sentinels].filter((place) => place.host === host)) {
      const user = listeners.get(String(port));
      if (user === undefined || user === runAs) continue;
      throw FleetRefused(`${id} on host ${host} runs as ${user}, and the spec says runAs: ${runAs}`, {
        hint: `Files and processes are one user's: say runAs: ${user} in the spec. Everything of it on the hosts runs as that user then.`,
      });
    }
  }
}

/** What is left to take over on each host. @throws REMOTE_FAILED with what it says, and what ssh says */
export async function lookThere<Part extends PartThere>(adopting: Adopting): Promise<TakenThere<Part>[]> {
  const asked = adopting.spec.hosts.map(async ({ id }): Promise<TakenThere<Part>> => {
    const { plan, status } = await adoptThere<Part>(adopting, id, 'looking at what runs there', [
      '--dry-run',
    ]);
    return { host: id, plan, agentRuns: status !== null };
  });
  await Promise.allSettled(asked);
  return Promise.all(asked);
}

/** @param hosts as they were looked at, without anything that speaks against it */
export async function takeOverThere(adopting: Adopting, hosts: readonly TakenThere[]): Promise<void> {
  const { spec, connections, survey, report } = adopting;
  const context = contextOf({ spec, connections, survey, report });
  const left = primaryLast(spec, hosts).filter(({ plan }) => plan !== null);
  for (const { host } of left) {
    await adoptThere(adopting, host, "letting holdfast's users in", ['--yes', '--users-only']);
    report(`${host}: servers and Sentinels let holdfast's users in`);
  }
  for (const { host, plan } of left) {
    if (context.hasSystemd(host)) await openDataFolders(adopting, host, plan as PartThere);
    await adoptThere(adopting, host, 'taking over what runs there', ['--yes']);
    report(`${host}: what runs there was taken over`);
  }
  const starting = hosts.filter(({ agentRuns }) => !agentRuns).map(({ host }) => host);
  if (starting.length > 0) await takeTurn(context, { hosts: starting, steps: [{ kind: 'start' }] });
  for (const host of starting)
    await takeTurn(context, { hosts: [host], steps: [{ kind: 'settings', changes: null }] });
}

function primaryLast({ members }: Spec, hosts: readonly TakenThere[]): TakenThere[] {
  const primary = hosts.find(({ plan }) => plan?.primary)?.plan?.primary;
  const last = members.find(({ id }) => id === primary)?.host;
  return [...hosts.filter(({ host }) => host !== last), ...hosts.filter(({ host }) => host === last)];
}

interface AnswerThere<Part> {
  plan: Part | null;
  status: unknown;
}

async function adoptThere<Part>(
  { spec, connections, access, keepersOff }: Adopting,
  id: string,
  doing: string,
  options: readonly string[],
): Promise<AnswerThere<Part>> {
  const host = connections.host(spec.hosts.find((each) => each.id === id) ?? { id, ssh: null });
  const all = ['--host', id, '--no-start', '--access-stdin', '--json', ...options];
  if (keepersOff) all.push('--supervisor-off');
  const command = holdfastThere(spec, ['adopt'], all);
  const { stdout, stderr } = await host.ask(command, {
    as: 'holdfast',
    doing,
    input: JSON.stringify(access),
  });
  let answer: AnswerThere<Part> | { error: unknown };
  try {
    answer = JSON.parse(stdout) as typeof answer;
  } catch (cause) {
    throw RemoteFailed(`host ${id}: ${doing} failed: ${stderr.trim().slice(-600)}`, { cause });
  }
  if (!('error' in answer)) return answer;
  const error = errorFromJson(answer.error);
  const hint = error instanceof HoldfastError ? error.hint : undefined;
  throw RemoteFailed(`host ${id}: ${errorText(error)}`, {
    hint: `${hint ?? ''} What was done elsewhere is as it is to be: holdfast adopt again goes on.`.trim(),
    cause: error,
  });
}

async function openDataFolders({ spec, connections }: Adopting, id: string, plan: PartThere): Promise<void> {
  const folders = plan.takes.map(({ folder }) => folder);
  const dropIn = dataDropIn(spec, folders, installedState(spec));
  if (dropIn === null) return;
  const host = connections.host(spec.hosts.find((each) => each.id === id) ?? { id, ssh: null });
  const [folder, file] = [dropIn.folder, dropIn.file].map(shellWord);
  const script = `umask 022; mkdir -p ${folder} && cat > ${file} && systemctl daemon-reload`;
  const doing = 'letting the agent write to the data folders';
  await host.run(script, { as: 'root', doing, input: dropIn.text });
}
