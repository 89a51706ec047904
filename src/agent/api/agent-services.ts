/** The agent, as the API's handlers know it. */
import type { ApiClients, ApiMemberDetails } from '../../api/details.ts';
import type { ApiBackups, ApiDoctor, ApiDrills, ApiSpec } from '../../api/findings.ts';
import type { ApiJob, ApiOperation, ApiPlan } from '../../api/jobs.ts';
import type { ApiMigrations, ApiMirrors } from '../../api/moves.ts';
import type { ApiHostReport, ApiView } from '../../api/view.ts';
import { errorText } from '../../base/errors.ts';
import type { Callers } from '../access/callers.ts';
import type { Deployment } from '../deployment.ts';
import { backupsIn } from '../details/backups-answer.ts';
import { bySeverity, doctorOfAll, findingsIn } from '../details/doctor-answer.ts';
import { drillsOfAll } from '../details/drills-answer.ts';
import { GateClients } from '../details/gate-clients.ts';
import { MemberDetails } from '../details/member-details.ts';
import type { Moves } from '../details/moves.ts';
import { Remembered } from '../details/remembered.ts';
import { ApiNotFound } from '../errors.ts';
import { AllJobs } from '../jobs/all-jobs.ts';
import { CommandJobs } from '../jobs/command-jobs.ts';
import { demandAsApproved, planOf } from '../jobs/plan.ts';
import type { KnownStore } from '../jobs/plan-backups.ts';
import { runCommand } from '../jobs/run-command.ts';
import type { AllEvents } from '../picture/all-events.ts';
import type { Colleagues } from '../picture/colleagues.ts';
import type { HistoryRange } from '../picture/history.ts';
import type { Picture } from '../picture/picture.ts';
import type { Commands } from './agent-commands.ts';
import { operationCommand } from './operation-command.ts';
import type { Services } from './services.ts';
import type { Status } from './status-answer.ts';

const doctorKeptMs = 60_000;
const backupsKeptMs = 15_000;
/** Whoever names what does not exist can't have the store looked at more often. */
const backupsAnewMs = 2000;
const doctorWithinMs = 30_000;
const drillsWithinMs = 2000;

export interface AgentParts {
  deployment: Deployment;
  commands: Commands;
  picture: Picture;
  colleagues: Colleagues;
  callers: Callers;
  events: AllEvents;
  moves: Moves;
}

export class AgentServices implements Services {
  readonly callers: Callers;
  readonly events: AllEvents;
  readonly jobs: AllJobs;
  readonly #deployment: Deployment;
  readonly #commands: Commands;
  readonly #picture: Picture;
  readonly #colleagues: Colleagues;
  readonly #commandJobs: CommandJobs;
  readonly #moves: Moves;
  readonly #doctor: Remembered<ApiDoctor>;
  readonly #backups: Remembered<ApiBackups>;
  readonly #clients: GateClients;
  readonly #details: MemberDetails;

  constructor({ deployment, commands, picture, colleagues, callers, events, moves }: AgentParts) {
    this.callers = callers;
    this.events = events;
    this.#moves = moves;
    this.#deployment = deployment;
    this.#commands = commands;
    this.#picture = picture;
    this.#colleagues = colleagues;
    this.jobs = new AllJobs(commands.jobs, (path, withinMs) => colleagues.ask(path, withinMs));
    this.#commandJobs = new CommandJobs(deployment, commands.jobs);
    const nowMs = () => deployment.setting.clock.monotonicMs();
    this.#doctor = new Remembered(() => this.#askDoctor(), doctorKeptMs, nowMs);
    this.#backups = new Remembered(() => this.#listBackups(), backupsKeptMs, nowMs);
    this.#clients = new GateClients(deployment, (path, withinMs) => colleagues.ask(path, withinMs));
    this.#details = new MemberDetails(deployment.setting.clock);
  }

  get host(): string {
    return this.#deployment.setting.host;
  }

  view(): ApiView {
    return this.#picture.view();
  }

  status(): Status {
    return this.#picture.status();
  }

  onView(listener: () => void): () => void {
    return this.#picture.onChange(listener);
  }

  report(): ApiHostReport {
    return this.#picture.report();
  }

  history(range: HistoryRange) {
    return this.#picture.history.read(range);
  }

  audit(kind: 'asked' | 'login', text: string): void {
    this.#deployment.events.add(kind, this.#deployment.spec.name, text);
  }

  async plan(operation: ApiOperation): Promise<ApiPlan> {
    const store = await this.#storeFor(operation);
    return planOf(operation, this.view(), store);
  }

  /** It is looked at only for who names what should lie there, and anew when that is not known. */
  async #storeFor(operation: ApiOperation): Promise<KnownStore | null> {
    if (this.#deployment.spec.backup === null) return null;
    if (operation.kind !== 'verify' && operation.kind !== 'restore') return { holds: null };
    try {
      const known = await this.#backups.get();
      const isKnown = known.backups.some(({ id }) => id === operation.backup);
      return { holds: isKnown ? known : await this.#backups.get(backupsAnewMs) };
    } catch (error) {
      return { holds: null, unread: errorText(error) };
    }
  }

  /** What was allowed when it was looked at may not be any more: it is looked at again here, and by what carries it out. */
  async begin(operation: ApiOperation, by: string, basis?: string): Promise<ApiJob> {
    demandAsApproved(await this.plan(operation), basis);
    switch (operation.kind) {
      case 'backup':
      case 'verify':
      case 'restore':
      case 'doctor':
      case 'drill':
        return this.#commandJobs.begin(operation, by, () => {
          this.#backups.forget();
          this.#doctor.forget();
        });
      default:
        return this.#commands.begin(operationCommand(operation), by, operation);
    }
  }

  async member(id: string): Promise<ApiMemberDetails> {
    const { members } = this.#deployment;
    const member = members.find(({ place }) => place.id === id);
    if (member === undefined) {
      throw ApiNotFound(`there is no member ${id.slice(0, 60)}`, {
        hint: `There are ${members.map(({ place }) => place.id).join(', ')}.`,
      });
    }
    return this.#details.of(member);
  }

  clients(onlyHere: boolean): Promise<ApiClients> {
    return this.#clients.all(onlyHere);
  }

  async doctor(onlyHere: boolean): Promise<ApiDoctor> {
    const own = this.#doctor.get();
    if (onlyHere) return own;
    const told = this.#colleagues.ask('/api/doctor?only=here', doctorWithinMs);
    return doctorOfAll(...(await Promise.all([own, told])));
  }

  async #askDoctor(): Promise<ApiDoctor> {
    const { specFile, host, clock } = this.#deployment.setting;
    const args = this.#commandJobs.commandLine('doctor', specFile, '--host', host, '--all');
    const { result } = await runCommand(args, () => {}, this.#deployment.operations.life);
    const at = new Date(clock.wallMs()).toISOString();
    return { at, findings: bySeverity(findingsIn(result, host)), missing: [] };
  }

  backups(): Promise<ApiBackups> {
    return this.#backups.get();
  }

  async #listBackups(): Promise<ApiBackups> {
    const { specFile } = this.#deployment.setting;
    const { backup } = this.#deployment.spec;
    if (backup === null) return { store: null, schedule: null, backups: [], broken: [] };
    const said: string[] = [];
    const args = this.#commandJobs.commandLine('backup', 'list', specFile);
    const { result } = await runCommand(args, (line) => said.push(line), this.#deployment.operations.life);
    return backupsIn(result, said, backup);
  }

  mirrors(onlyHere: boolean): Promise<ApiMirrors> {
    return this.#moves.mirrors(onlyHere);
  }

  migrations(onlyHere: boolean): Promise<ApiMigrations> {
    return this.#moves.migrations(onlyHere);
  }

  spec(): ApiSpec {
    const { hosts, drift } = this.view();
    const missing = hosts.flatMap(({ id, missing: why }) => (why === null ? [] : [{ host: id, why }]));
    return { spec: { ...this.#deployment.spec }, drift, missing };
  }

  async drills(onlyHere: boolean): Promise<ApiDrills> {
    const own = this.#commandJobs.drills.list();
    if (onlyHere) return own;
    return drillsOfAll(own, await this.#colleagues.ask('/api/drills?only=here', drillsWithinMs));
  }

  drillPage(id: string): Promise<string> {
    return this.#commandJobs.drills.page(id);
  }
}
