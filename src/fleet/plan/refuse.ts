/** What stands in the way of a plan as a whole: found before anything is changed on any host. */
import type { Spec } from '../../spec/spec.ts';
import { FleetRefused } from '../errors.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import { nowhere, type SettingChange } from './steps.ts';
import { tlsFilesThere } from './wanted.ts';

const neededPrograms = ['useradd', 'runuser', 'flock', 'timeout', 'tar', 'gzip', 'sha256sum'];
/** Unpacked, and packed beside it for a moment. */
const installBytes = 500 * 2 ** 20;

/** @param here as `uname -s` and `uname -m` say it of this machine, whose Node.js the hosts get. @throws FLEET_REFUSED */
export function refuseUnfit(facts: readonly HostFacts[], build: string, here: string): void {
  for (const { host, machine, programs, current, freeInstallBytes } of facts) {
    if (current !== build && machine !== here) {
      throw FleetRefused(
        `host ${host} is ${machine}, and this machine is ${here}: the Node.js of one is none for the other`,
        {
          hint: `Run holdfast apply on a machine that is ${machine}: one of the hosts will do.`,
        },
      );
    }
    const missing = neededPrograms.filter((name) => !programs.has(name));
    if (missing.length > 0) {
      throw FleetRefused(`host ${host} lacks ${missing.join(', ')}`, {
        hint: 'They are in the packages util-linux, coreutils, passwd (shadow-utils), tar and gzip.',
      });
    }
    if (current !== build && freeInstallBytes < installBytes) {
      throw FleetRefused(
        `host ${host} has ${Math.floor(freeInstallBytes / 2 ** 20)} MiB free for /opt; holdfast needs 500`,
        {
          hint: 'Make room there, then apply again.',
        },
      );
    }
  }
}

/** What runs, and its files, would be another user's. @throws FLEET_REFUSED */
export function refuseOtherOwner({ runAs }: Spec, facts: readonly HostFacts[]): void {
  const other = facts.find(({ stateOwner }) => stateOwner !== null && ![runAs, 'root'].includes(stateOwner));
  if (other === undefined) return;
  throw FleetRefused(
    `everything on host ${other.host} runs as ${other.stateOwner}, and the spec says runAs: ${runAs}`,
    {
      hint: 'All deployments of a host run as one user, who is not changed while they run: say that one.',
    },
  );
}

/** Every host must have the same secret, or none yet. @returns a host that has it. @throws FLEET_REFUSED */
export function secretHolder(facts: readonly HostFacts[]): string | null {
  const holders = facts.filter(({ secretDigest }) => secretDigest !== null);
  if (facts.some(({ comingDigest }) => comingDigest !== null)) {
    throw FleetRefused('the secret of this deployment is being changed, and is not the same on all hosts', {
      hint: 'holdfast rotate secret goes on where it stopped. Then apply.',
    });
  }
  if (new Set(holders.map(({ secretDigest }) => secretDigest)).size > 1) {
    throw FleetRefused(`hosts ${holders.map(({ host }) => host).join(', ')} have different secrets`, {
      hint: 'Passwords are derived from it, so they are of different deployments, or one was made anew. Name the right one in the spec: security: { secret: { file: … } }.',
    });
  }
  return holders[0]?.host ?? null;
}

/**
 * Hosts that know each other by an authority whose key is elsewhere would not know those with a certificate of a new one.
 * @param isNew it was made now. @throws FLEET_REFUSED
 */
export function refuseOtherAuthority(spec: Spec, facts: readonly HostFacts[], isNew: boolean): void {
  const ca = tlsFilesThere(spec)?.ca ?? '';
  const holder = facts.find(({ files }) => files.has(ca));
  if (!isNew || holder === undefined) return;
  throw FleetRefused(
    `host ${holder.host} has a certificate of the deployment’s authority, and the authority’s key is not in ${spec.security.authority}`,
    {
      hint: 'Bring that folder from the machine on which the spec was applied before. If it is lost: holdfast down, remove the certificates on the hosts, then apply.',
    },
  );
}

/** Whose address and port an agent takes when it is started anew. */
const agentApi = 'the API';

/** @throws FLEET_REFUSED when a process would have to move without another one in its place. */
export function refuseMoves({ name }: Spec, changes: readonly SettingChange[]): void {
  const isMove = ({ where, what, from, to, takes }: SettingChange) =>
    takes === 'down-and-up' && what === 'place' && from !== nowhere && to !== nowhere && where !== agentApi;
  const moved = new Map(
    changes.filter(isMove).map(({ where, from, to }) => [where, `${where} (${from} → ${to})`]),
  );
  if (moved.size === 0) return;
  throw FleetRefused(
    `${name} runs, and its spec changes what can’t be changed meanwhile: ${[...moved.values()].join(', ')}`,
    {
      hint: 'Ports, addresses and the topology of what runs can’t be changed by apply; hosts can come and go. Stop it on every host (holdfast down), then apply.',
    },
  );
}
