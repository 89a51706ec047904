/** What the hosts have of a deployment: the specs that were brought there, and how ssh reaches each host of them. */
import { errorCode, errorText } from '../base/errors.ts';
import { installedSpec } from '../render/installed.ts';
import { parseSpec } from '../spec/parse.ts';
import type { Host, Spec } from '../spec/spec.ts';
import type { ApplyLock } from './act/apply-lock.ts';
import { HostUnreachable } from './errors.ts';
import type { HostFacts } from './facts/host-facts.ts';
import { hostsFile, readHostsFile } from './plan/wanted.ts';
import type { SshConnections } from './ssh/connections.ts';

/** Each spec that can be read on one host or more, once. */
export interface Placement {
  /** As they are there: ids that are taken. */
  whole: Spec[];
  /** Without the hosts that are gone for good. */
  living: Spec[];
}

/** @param forget hosts that are gone for good: nothing is asked of them, and nothing counted on */
export function placementIn(facts: readonly HostFacts[], spec: Spec, forget: readonly string[]): Placement {
  const textsOf = (file: string) => facts.map(({ files }) => files.get(file)?.text ?? '');
  const targets = new Map(textsOf(hostsFile(spec)).flatMap((text) => [...readHostsFile(text)]));
  // Mostly all have the same.
  const specs = [...new Set(textsOf(installedSpec(spec)))];
  const whole = specs.flatMap((text) => {
    const found = specIn(text, installedSpec(spec));
    return found === null || found.name !== spec.name ? [] : [found];
  });
  return { whole, living: whole.map((each) => known(each, targets, forget)) };
}

/** Null for what somebody made unreadable: it is written anew. */
function specIn(text: string, file: string): Spec | null {
  if (text === '') return null;
  try {
    return parseSpec(text, file);
  } catch {
    return null;
  }
}

/** Without hosts that no apply brought there, and those that are forgotten. */
function known(spec: Spec, targets: ReadonlyMap<string, string>, forget: readonly string[]): Spec {
  const hosts = spec.hosts
    .filter(({ id }) => targets.has(id) && !forget.includes(id))
    .map((host) => ({ ...host, ssh: targets.get(host.id) ?? null }));
  const isThere = ({ host }: { host: string }) => hosts.some(({ id }) => id === host);
  return {
    ...spec,
    hosts,
    members: spec.members.filter(isThere),
    sentinels: spec.sentinels.filter(isThere),
    gates: spec.gates.filter(isThere),
  };
}

/**
 * Before anything is changed: a host that is to go has to be stopped first, and so is locked, too.
 * @param lock null for a look @throws HOST_UNREACHABLE, APPLY_UNDER_WAY
 */
export async function refuseUnreachable(
  connections: SshConnections,
  leaving: readonly Host[],
  lock: ApplyLock | null,
  report: (line: string) => void,
): Promise<void> {
  for (const host of leaving) {
    const there = connections.host(host);
    const reach =
      lock === null ? there.run('true', { as: 'root', doing: 'reaching it' }) : lock.take([there], report);
    await Promise.resolve(reach).catch((cause) => {
      if (errorCode(cause) === 'APPLY_UNDER_WAY') throw cause;
      throw HostUnreachable(`host ${host.id} is to go, and can't be stopped: ${errorText(cause)}`, {
        hint: `When it is gone for good: holdfast apply --forget ${host.id}. It must never come back as it is.`,
        cause,
      });
    });
  }
}
