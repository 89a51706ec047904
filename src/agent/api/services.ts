/** What the API is made of: the handlers know no more of the agent than this. */
import type { ApiClients, ApiMemberDetails } from '../../api/details.ts';
import type { ApiBackups, ApiDoctor, ApiDrills, ApiSpec } from '../../api/findings.ts';
import type { ApiHistory } from '../../api/history.ts';
import type { ApiJob, ApiOperation, ApiPlan } from '../../api/jobs.ts';
import type { ApiMigrations, ApiMirrors } from '../../api/moves.ts';
import type { ApiHostReport, ApiView } from '../../api/view.ts';
import type { Callers } from '../access/callers.ts';
import type { AllJobs } from '../jobs/all-jobs.ts';
import type { AllEvents } from '../picture/all-events.ts';
import type { HistoryRange } from '../picture/history.ts';
import type { Status } from './status-answer.ts';

export interface Services {
  /** The id of this agent's host. */
  readonly host: string;
  readonly callers: Callers;
  readonly jobs: AllJobs;
  readonly events: AllEvents;
  view(): ApiView;
  /** The same as `holdfast status` shows it. */
  status(): Status;
  /** @returns what ends the listening. */
  onView(listener: () => void): () => void;
  report(): ApiHostReport;
  history(range: HistoryRange): ApiHistory;
  /** Writes down what somebody did or tried over the API. */
  audit(kind: 'asked' | 'login', text: string): void;
  plan(operation: ApiOperation): Promise<ApiPlan>;
  /**
   * @param basis of the plan that was approved, if there was one
   * @throws PLAN_CHANGED; OPERATION_UNDER_WAY and the like when it may not begin
   */
  begin(operation: ApiOperation, by: string, basis?: string): Promise<ApiJob>;
  /** @throws API_NOT_FOUND, API_BUSY */
  member(id: string): Promise<ApiMemberDetails>;
  /** @param onlyHere what this agent knows by itself. */
  clients(onlyHere: boolean): Promise<ApiClients>;
  doctor(onlyHere: boolean): Promise<ApiDoctor>;
  backups(): Promise<ApiBackups>;
  /** @param onlyHere what this agent knows by itself. */
  mirrors(onlyHere: boolean): Promise<ApiMirrors>;
  migrations(onlyHere: boolean): Promise<ApiMigrations>;
  spec(): ApiSpec;
  drills(onlyHere: boolean): Promise<ApiDrills>;
  /** HTML. @throws API_NOT_FOUND */
  drillPage(id: string): Promise<string>;
}
