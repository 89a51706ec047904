import type { Host, Spec } from '../spec/spec.ts';
import type { TargetInput } from './target.ts';

/** Where things are on a server that holdfast was installed on; docs/running/servers.md puts them there. */
export const program = '/usr/local/bin/holdfast';

export function installedSpec({ name }: Spec): string {
  return `/etc/holdfast/${name}.yaml`;
}

export function installedState({ name }: Spec): string {
  return `/var/lib/holdfast/${name}`;
}

/** The arguments that all verbs have in common on a server. */
export function commonArguments(spec: Spec): string[] {
  return [installedSpec(spec), '--state-dir', installedState(spec)];
}

/** The hosts to render for, each with the prefix of its files: a folder a host, none on a laptop. */
export function hostsOf({ spec, host }: TargetInput): { host: Host; prefix: string }[] {
  return spec.hosts
    .filter(({ id }) => host === null || id === host)
    .map((each) => ({ host: each, prefix: spec.laptop ? '' : `${each.id}/` }));
}
