/** The doctor's checks of a host, before anything of holdfast is there: they look at the texts that the facts brought. */
import { runChecks } from '../../doctor/check.ts';
import type { Fix } from '../../doctor/fix.ts';
import type { HostFacts as DoctorFacts } from '../../doctor/host/host-facts.ts';
import { hostChecks } from '../../doctor/host-checks.ts';
import { installedState } from '../../render/installed.ts';
import type { Spec } from '../../spec/spec.ts';
import type { HostFacts } from '../facts/host-facts.ts';
import type { PrepareStep } from '../plan/steps.ts';
import { sysctlFile } from '../plan/wanted.ts';

export interface HostFinding {
  host: string;
  id: string;
  found: string;
  fix: string | undefined;
  /** It stands in the way: data or service would be lost, and apply does not change it itself. */
  blocks: boolean;
}

/** @param steps what is to be done there: what they mend is not told */
export function checkHost(
  spec: Spec,
  facts: HostFacts,
  steps: readonly PrepareStep[],
  nowMs: number,
): HostFinding[] {
  const results = runChecks(hostChecks, doctorFacts(spec, facts, nowMs));
  return results
    .filter(({ severity }) => severity === 'critical' || severity === 'warning')
    .filter(({ repair }) => repair === undefined || !isMendedBy(steps, repair))
    .map(({ id, found, fix, severity, repair }) => {
      // What the doctor can fix, the files that apply writes fix too. What runs already is not made better by waiting.
      const blocks = severity === 'critical' && repair === undefined && facts.agent === null;
      return { host: facts.host, id, found, fix, blocks };
    });
}

/** They write its file, and have it hold: kernel settings only where those are the machine's own. */
function isMendedBy(steps: readonly PrepareStep[], { files }: Fix): boolean {
  const loads = steps.some(({ kind }) => kind === 'kernel');
  const writes = (file: string) => steps.some((step) => step.kind === 'file' && step.file.path === file);
  return files.some(({ file }) => writes(file) && (file !== sysctlFile || loads));
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
