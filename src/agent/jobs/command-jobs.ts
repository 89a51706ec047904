/** The operations that a process of their own carries out: what the command line would be told for each. */
import type { ApiJob, ApiOperation } from '../../api/jobs.ts';
import type { Deployment } from '../deployment.ts';
import { OperationUnderWay } from '../errors.ts';
import { DrillRuns } from './drill-runs.ts';
import { mayBeGivenUp } from './given-up.ts';
import type { Jobs } from './jobs.ts';
import { runCommand } from './run-command.ts';

type Kind = 'backup' | 'verify' | 'restore' | 'doctor' | 'drill';
export type CommandOperation = Extract<ApiOperation, { kind: Kind }>;

export class CommandJobs {
  readonly #deployment: Deployment;
  readonly #jobs: Jobs;
  readonly drills: DrillRuns;

  constructor(deployment: Deployment, jobs: Jobs) {
    this.#deployment = deployment;
    this.#jobs = jobs;
    const { paths, host } = deployment.setting;
    this.drills = new DrillRuns(paths.drills, host);
  }

  /** @param onDone hears of its end, however it was. @throws OPERATION_UNDER_WAY: one of each kind at a time */
  begin(operation: CommandOperation, by: string, onDone: () => void): ApiJob {
    const { kind } = operation;
    const busy = this.#jobs.list().find((job) => job.state === 'running' && job.kind === kind);
    if (busy !== undefined) {
      throw OperationUnderWay(`a ${kind} that ${busy.by} asked for is under way`, {
        hint: 'Wait for it, or give it up.',
      });
    }
    const { events, spec, setting } = this.#deployment;
    events.add('asked', spec.name, `${by} asked for: ${describe(operation)}`);
    const at = new Date(setting.clock.wallMs()).toISOString();
    const request = { kind, request: { ...operation }, by, cancellable: mayBeGivenUp(kind) };
    const { job, done } = this.#jobs.begin(request, async (say, signal, id) => {
      if (operation.kind === 'drill') return this.#drill(operation.scenario, id, at, say, signal);
      return (await runCommand(this.#arguments(operation, id), say, signal)).result;
    });
    // The job tells how it ended.
    done.catch(() => {}).finally(onDone);
    return job;
  }

  #arguments(operation: Exclude<CommandOperation, { kind: 'drill' }>, job: string): string[] {
    const { specFile, host } = this.#deployment.setting;
    switch (operation.kind) {
      case 'backup':
        return this.commandLine('backup', 'now', specFile);
      case 'verify':
        return this.commandLine('backup', 'verify', operation.backup, specFile);
      case 'doctor':
        return this.commandLine('doctor', specFile, '--host', host, '--all');
      case 'restore':
        return this.commandLine(
          ...['restore', operation.backup, specFile, '--yes', '--job', job],
          ...(operation.replace === true ? ['--replace'] : []),
          ...(operation.safetyBackup === false ? ['--no-safety-backup'] : []),
        );
    }
  }

  /** With where the state lies. */
  commandLine(...args: string[]): string[] {
    return [...args, '--state-dir', this.#deployment.setting.paths.root];
  }

  async #drill(scenario: string, id: string, at: string, say: (line: string) => void, signal: AbortSignal) {
    await this.drills.note({ id, scenario, at, kept: null });
    const page = await this.drills.pageFile(id);
    const { unhealthy } = await runCommand(['drill', scenario, '--html', page], say, signal);
    await this.drills.note({ id, scenario, at, kept: !unhealthy });
    return { scenario, kept: !unhealthy, page: `/api/drills/${id}/page` };
  }
}

function describe(operation: CommandOperation): string {
  switch (operation.kind) {
    case 'backup':
      return 'a backup';
    case 'verify':
      return `${operation.backup} to be verified`;
    case 'restore':
      return `a restore of ${operation.backup}`;
    case 'doctor':
      return 'a look by the doctor';
    case 'drill':
      return `the drill ${operation.scenario}`;
  }
}
