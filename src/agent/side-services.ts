/**
 * What an agent does beside keeping everything up: its API, backups, mirrors, changes of persistence, the look at what members
 * run with. Loaded after the first look at everybody (run-agent.ts): to load it takes longer than to replace a lost primary.
 */
import type { Spec } from '../spec/spec.ts';
import { Commands } from './api/agent-commands.ts';
import { type OpenApi, startApi } from './api/start-api.ts';
import { BackupSchedule } from './backups/backup-schedule.ts';
import type { Report } from './change/change-context.ts';
import type { Deployment } from './deployment.ts';
import { MirrorKeeper } from './mirrors/mirror-keeper.ts';
import type { Observer } from './observe/observer.ts';
import { ChangeKeeper, settleChanges } from './persistence/change-members.ts';
import { DriftWatch } from './settings/drift-watch.ts';

export class SideServices {
  readonly api: Commands;
  readonly #deployment: Deployment;
  readonly #backups: BackupSchedule;
  readonly #mirrors: MirrorKeeper;
  readonly #changes: ChangeKeeper;
  readonly #drift: DriftWatch;
  readonly #open: OpenApi;

  private constructor(deployment: Deployment, { api, backups, mirrors, drift }: Served, open: OpenApi) {
    this.#deployment = deployment;
    this.api = api;
    this.#backups = backups;
    this.#mirrors = mirrors;
    this.#drift = drift;
    this.#changes = new ChangeKeeper(deployment);
    this.#open = open;
  }

  /** Opens the API; what goes on by itself is for `start`. @param down stops everything. @throws what listening throws */
  static async open(
    deployment: Deployment,
    observer: Observer,
    down: (report: Report) => Promise<void>,
  ): Promise<SideServices> {
    const backups = new BackupSchedule(deployment);
    const mirrors = new MirrorKeeper(deployment);
    const drift = new DriftWatch(deployment);
    const api = new Commands(deployment, observer, backups, drift, mirrors, down);
    return new SideServices(deployment, { api, backups, mirrors, drift }, await startApi(deployment, api));
  }

  async start(): Promise<void> {
    this.#backups.start();
    await this.#mirrors.start();
  }

  /** Once the deployment takes writes: goes on with changes of persistence that were cut off. */
  async settle(report: Report, signal: AbortSignal): Promise<void> {
    // On several hosts a member may come up much later, when the others do.
    await settleChanges(this.#deployment, report, settleWithinMs(this.#deployment.spec), signal);
  }

  /** Once it is told whether the deployment takes writes. */
  keepLooking(): void {
    this.#changes.start();
    this.#drift.start();
  }

  /** Ends backups and mirrors, which need what is stopped next. */
  async stopJobs(): Promise<void> {
    await this.#backups.stop();
    await this.#mirrors.stop();
  }

  async stop(): Promise<void> {
    await this.stopJobs();
    this.#changes.stop();
    await this.#drift.stop();
  }

  closeApi(): Promise<void> {
    return this.#open.stop();
  }
}

interface Served {
  api: Commands;
  backups: BackupSchedule;
  mirrors: MirrorKeeper;
  drift: DriftWatch;
}

/** On one host everything is up by then: only the changes themselves take time. */
function settleWithinMs({ hosts }: Spec): number {
  return hosts.length === 1 ? Number.POSITIVE_INFINITY : 15_000;
}
