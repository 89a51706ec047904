/** The doctor's checks of a host, before anything of holdfast is there: they look at the texts that the facts brought. */
import { runChecks } from '../../doctor/check.ts';
import type { HostFacts as DoctorFacts } from '../../doctor/host/host-facts.ts';
import { hostChecks } from '../../doctor/host-checks.ts';
import { installedState } from '../../render/installed.ts';
import type { Spec } from '../../spec/spec.ts';
import type { HostFacts } from '../facts/host-facts.ts';

export interface HostFinding {
  host: string;
  id: string;
  found: string;
  fix: string | undefined;
  /** It stands in the way: data or service would be lost, and apply does not change it itself. */
  blocks: boolean;
}

export function checkHost(spec: Spec, facts: HostFacts, nowMs: number): HostFinding[] {
  const results = runChecks(hostChecks, doctorFacts(spec, facts, nowMs));
  return results
    .filter(({ severity }) => severity === 'critical' || severity === 'warning')
    .map(({ id, found, fix, severity, repair }) => {
      // What the doctor can fix, the files that apply writes fix too. What runs already is not made better by waiting.
      const blocks = severity === 'critical' && repair === undefined && facts.agent === null;
      return { host: facts.host, id, found, fix, blocks };
    });
}

function doctorFacts(spec: Spec, facts: HostFacts, nowMs: number): DoctorFacts {
  const { machineFiles, commands } = facts;
  const processes = new Map(commands.map((name, index) => [String(index + 1), name]));
  return {
    spec,
    host: facts.host,
    stateDir: installedState(spec),
    clockSteps: null,
    nowMs,
    freeDiskBytes: facts.freeStateBytes,
    read: (file) => {
      const [, pid] = /^\/proc\/(\d+)\/comm$/.exec(file) ?? [];
      return (pid === undefined ? machineFiles.get(file) : processes.get(pid))?.trim();
    },
    list: (folder) => (folder === '/proc' ? [...processes.keys()] : []),
  };
}
