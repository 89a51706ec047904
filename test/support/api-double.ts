/** An API without an agent: its callers, jobs and guards are real, what it tells is made up. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Callers } from '../../src/agent/access/callers.ts';
import { Sessions } from '../../src/agent/access/sessions.ts';
import { Tokens } from '../../src/agent/access/tokens.ts';
import type { AgentApi } from '../../src/agent/api/agent-api.ts';
import type { Services } from '../../src/agent/api/services.ts';
import type { Status } from '../../src/agent/api/status-answer.ts';
import { AllJobs } from '../../src/agent/jobs/all-jobs.ts';
import { Jobs } from '../../src/agent/jobs/jobs.ts';
import { AllEvents } from '../../src/agent/picture/all-events.ts';
import { EventLog } from '../../src/agent/state/event-log.ts';
import { statePaths } from '../../src/agent/state/paths.ts';
import type { ApiPlan } from '../../src/api/jobs.ts';
import type { ApiView } from '../../src/api/view.ts';

export const readToken = 'a-token-to-look-of-43-characters';
export const operateToken = 'a-token-to-act-of-43-characters';

const plan: ApiPlan = {
  ...{ allowed: true, why: null, hint: null, will: [], warnings: [], cancellable: true },
  basis: 'redis-1 is primary',
};

export class ApiDouble {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'hf-api-'));
  nowMs = 1_700_000_000_000;
  readonly audited: string[] = [];
  readonly log: EventLog;
  readonly events: AllEvents;
  readonly tokens: Tokens;
  /** As the next agent makes them. */
  readonly sessions: () => Sessions;
  readonly services: Services;
  readonly api: AgentApi;

  /** @param agentsShow whether agents have to show a certificate */
  constructor(agentsShow = false) {
    const paths = statePaths(this.folder);
    const own = { apiToken: readToken, apiOperateToken: operateToken, agentToken: 'of-agents', beside: null };
    this.tokens = new Tokens(paths, own);
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    const settings = { deployment: 'orders', key: 'a key', secure: false, endedFile: paths.endedSessions };
    this.sessions = () => new Sessions({ ...settings, nowMs: this.nowMs }, this.tokens);
    const sessions = this.sessions();
    const jobs = new Jobs(clock, 'a');
    this.log = new EventLog(paths.events, clock);
    this.events = new AllEvents(this.log, 'a');
    const view = { name: 'orders', state: 'healthy', hosts: [], gates: [], members: [], sentinels: [] };
    this.services = {
      host: 'a',
      callers: new Callers(
        this.tokens,
        sessions,
        ['db1.example', 'a'],
        clock,
        (from) => this.audited.push(`login-refused: somebody at ${from} tried a wrong token`),
        () => agentsShow,
      ),
      jobs: new AllJobs(jobs, async () => new Map()),
      view: () => view as unknown as ApiView,
      status: () => ({ name: 'orders', state: 'healthy' }) as Status,
      onView: () => () => {},
      report: () => ({}) as never,
      history: () => ({}) as never,
      events: this.events,
      audit: (kind, text) => this.audited.push(`${kind}: ${text}`),
      plan: async () => plan,
      begin: async (operation, by) =>
        jobs.begin({ kind: operation.kind, request: operation, by, cancellable: true }, async () => 'done')
          .job,
      member: async () => ({}) as never,
      clients: async () => ({}) as never,
      doctor: async () => ({}) as never,
      backups: async () => ({}) as never,
      mirrors: async () => ({}) as never,
      migrations: async () => ({}) as never,
      spec: () => ({}) as never,
      drills: async () => ({}) as never,
      drillPage: async () => '',
    };
    this.api = {
      commands: ['down'],
      metrics: () => 'holdfast_epoch 1\n',
      events: async () => [],
      run: () => {
        throw new Error('TCP takes no commands');
      },
    };
  }
}
