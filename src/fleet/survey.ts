/** What is on all hosts, and what has to be done there. It changes nothing. */
import { installedSpec, installedState } from '../render/installed.ts';
import { newSecret } from '../spec/secrets.ts';
import type { Host, Spec } from '../spec/spec.ts';
import { checkHost, type HostFinding } from './act/check-hosts.ts';
import { holdfastThere, primaryIn, primaryThere } from './answering-host.ts';
import { FleetRefused, RemoteFailed } from './errors.ts';
import { factsScript } from './facts/facts-script.ts';
import { type HostFacts, parseFacts } from './facts/host-facts.ts';
import { refuseOtherMachines } from './plan/machines.ts';
import { type Found, planFleet, sha256 } from './plan/plan.ts';
import {
  refuseMoves,
  refuseOtherAuthority,
  refuseOtherOwner,
  refuseUnfit,
  secretHolder,
} from './plan/refuse.ts';
import { planRollback, rollbackBuild } from './plan/rollback.ts';
import type { Plan, SettingChange } from './plan/steps.ts';
import { addressFiles } from './plan/virtual-address.ts';
import { type Brought, plainPaths, secretsFolder, specTextThere, wantedFiles } from './plan/wanted.ts';
import type { SshConnections, SshHost } from './ssh/connections.ts';
import { isDiskFull } from './ssh/ssh-failure.ts';

export interface Survey {
  plan: Plan;
  facts: readonly HostFacts[];
  findings: readonly HostFinding[];
  /** The deployment's own: the spec's, that of a host, or a new one. */
  secret: string;
  /** The id of the primary, as far as an agent told; it may be none of the spec's. */
  primary: string | null;
}

export interface FromHere {
  brought: Brought;
  build: string;
  /** The secret that the spec names; null for none. */
  secret: string | null;
  /** As `uname` says it of this machine. */
  machine: string;
  nowMs: number;
}

/** @param facts of all hosts of the spec. @throws FLEET_REFUSED, REMOTE_FAILED and what ssh says */
export async function surveyFleet(
  spec: Spec,
  connections: SshConnections,
  here: FromHere,
  facts: readonly HostFacts[],
): Promise<Survey> {
  refuseOtherMachines(spec, facts);
  refuseUnfit(facts, here.build, here.machine);
  refuseOtherOwner(spec, facts);
  refuseOtherAuthority(spec, facts, here.brought.isNewAuthority);
  const { secret, digest } = await findSecret(spec, connections, facts, here.secret);
  const running = facts.filter(({ agent, hasUser, hasCommand }) => agent !== null && hasUser && hasCommand);
  const told = await allOf(
    running.map(({ host }) => askAgent(spec, connectionsHost(connections, spec, host))),
  );
  const found: Found[] = facts.map((each) => {
    const wanted = { build: here.build, files: wantedFiles(spec, each, here.brought) };
    return { facts: each, wanted, changes: told.find(({ host }) => host === each.host)?.changes ?? null };
  });
  refuseMoves(
    spec,
    told.flatMap(({ changes }) => changes ?? []),
  );
  const primary = told.find((each) => each.primary !== null)?.primary ?? null;
  const primaryHost = spec.members.find(({ id }) => id === primary)?.host ?? null;
  const plan = planFleet({ spec, found, primaryHost, secretDigest: digest });
  return {
    plan,
    facts,
    findings: facts.flatMap((each) => {
      const steps = plan.prepare.find(({ host }) => host === each.host)?.steps ?? [];
      return checkHost(spec, each, steps, here.nowMs);
    }),
    secret,
    primary,
  };
}

/** The same for a step back to the build before. @throws FLEET_REFUSED, REMOTE_FAILED and what ssh says */
export async function surveyRollback(
  spec: Spec,
  connections: SshConnections,
  facts: readonly HostFacts[],
): Promise<Survey> {
  const hosts = spec.hosts.map((host) => connections.host(host));
  const build = rollbackBuild(facts);
  const primaries = await Promise.all(hosts.map((host) => primaryThere(spec, host)));
  const primary = primaries.find((each) => each !== null) ?? null;
  const primaryHost = spec.members.find(({ id }) => id === primary)?.host ?? null;
  return { plan: planRollback(facts, build, primaryHost), facts, findings: [], secret: '', primary };
}

function connectionsHost(connections: SshConnections, spec: Spec, id: string): SshHost {
  return connections.host(spec.hosts.find((host) => host.id === id) ?? { id, ssh: null });
}

/** All, or the first failure in the spec's order, once each has said something. */
async function allOf<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** What is on these hosts: by one command each. @throws REMOTE_FAILED and what ssh says */
export function gatherAll(
  spec: Spec,
  connections: SshConnections,
  hosts: readonly Host[] = spec.hosts,
): Promise<HostFacts[]> {
  const asked = {
    stateDir: installedState(spec),
    runAs: spec.runAs,
    secretsFolder: secretsFolder(spec),
    keepalived: addressFiles(spec),
    files: plainPaths(spec),
  };
  const gather = async (place: Host): Promise<HostFacts> => {
    const ports = [...spec.members, ...spec.sentinels].flatMap((each) =>
      each.host === place.id ? [each.port] : [],
    );
    const script = factsScript({ ...asked, ports, address: place.address });
    const told = await connections.host(place).run(script, { as: 'root', doing: 'looking at it' });
    return parseFacts(place.id, told);
  };
  return allOf(hosts.map(gather));
}

async function findSecret(
  spec: Spec,
  connections: SshConnections,
  facts: readonly HostFacts[],
  named: string | null,
): Promise<{ secret: string; digest: string | null }> {
  const holder = secretHolder(facts);
  const digest = facts.find(({ host }) => host === holder)?.secretDigest ?? null;
  if (named !== null) {
    if (digest !== null && digest !== sha256(`${named}\n`)) {
      throw FleetRefused(`security.secret in the spec is another secret than the one on host ${holder}`, {
        hint: 'Every password is derived from it, so it can’t change while the deployment runs. Take it out of the spec: apply uses what the hosts have.',
      });
    }
    return { secret: named, digest };
  }
  const runner = facts.find(({ agent }) => agent !== null);
  if (holder === null && runner !== undefined) {
    throw FleetRefused(
      `host ${runner.host} runs an agent, and no host has the secret of ${spec.name} any more`,
      {
        hint: `Another one would lock the agents out of their servers. Put it back from a copy: ${installedState(spec)}/secret.`,
      },
    );
  }
  if (holder === null) return { secret: newSecret(), digest: null };
  const read = `cat ${installedState(spec)}/secret`;
  const text = await connectionsHost(connections, spec, holder).run(read, {
    as: 'root',
    doing: 'reading the secret',
  });
  return { secret: text.trim(), digest };
}

interface Told {
  host: string;
  changes: SettingChange[] | null;
  primary: string | null;
}

/** Between two answers of one command. */
export const answersApart = '---';

/** What the agent there would change for the new spec, which lies there for that moment, and who is primary. */
async function askAgent(spec: Spec, host: SshHost): Promise<Told> {
  const command = (verb: string, ...options: string[]) =>
    holdfastThere(spec, [verb], [...options, '--json']).replace('exec ', '');
  const file = '"$file"';
  const script = `umask 077
file=$(mktemp /var/lib/holdfast/.plan-XXXXXX.yaml) || exit 1
trap 'rm -f "$file"' EXIT
cat > "$file" || exit 1
${command('apply', '--dry-run').replace(installedSpec(spec), file)}
told=$?
echo '${answersApart}'
${command('status')} 2>/dev/null
exit $told`;
  const options = { as: 'holdfast', doing: 'asking its agent what would change' } as const;
  const { status, stdout, stderr } = await host.ask(script, { ...options, input: specTextThere(spec) });
  // An agent that can't tell yet is told later; a host on which nothing can be written is not gone on with.
  if (status !== 0 && isDiskFull(stderr)) throw host.failure(options.doing, { status, stderr });
  const [ofApply = '', ofStatus = ''] = stdout.split(`${answersApart}\n`);
  const changes = status === 0 ? readChanges(host, ofApply) : null;
  return { host: host.id, changes, primary: primaryIn(ofStatus) };
}

function readChanges(host: SshHost, stdout: string): SettingChange[] {
  try {
    const { changes } = JSON.parse(stdout) as { changes: SettingChange[] };
    return changes.map(({ where, what, from, to, takes }) => ({ where, what, from, to, takes }));
  } catch (cause) {
    throw RemoteFailed(`host ${host.id} answered something else than its changes`, { cause });
  }
}
