/** Every endpoint, once: what the server registers, the OpenAPI document lists and docs/api.md shows. */
import { z } from 'zod';
import { healthSchema, loginSchema, sessionSchema } from './access.ts';
import { clientsSchema, memberDetailsSchema } from './details.ts';
import { eventSchema, eventsQuerySchema, eventsSchema, onlyHere } from './events.ts';
import { backupsSchema, doctorSchema, drillsSchema, specSchema } from './findings.ts';
import { historyQuerySchema, historySchema } from './history.ts';
import { beginQuerySchema, jobSchema, jobsSchema, operationSchema, planSchema } from './jobs.ts';
import { migrationsSchema, mirrorsSchema } from './moves.ts';
import { hostReportSchema, viewSchema } from './view.ts';

/** open: whoever reaches the port. read: a token of either role, or this machine. operate: a token of that role. */
export type Needed = 'open' | 'read' | 'operate';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `{name}` for what varies. */
  readonly path: string;
  readonly needs: Needed;
  readonly about: string;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** What is answered, as JSON; of a stream, the data of its events. */
  readonly answer: z.ZodType;
  /** The status of a success; left out: 200. */
  readonly done?: 202;
  /** It answers 503 with the same body when what it says is no. */
  readonly mayBeNo?: true;
  /** The event type, where the answer is text/event-stream. */
  readonly stream?: string;
}

const onlyHereQuery = z.strictObject({ only: onlyHere });

const viewRoutes: readonly Route[] = [
  {
    ...({ method: 'GET', path: '/api/view', needs: 'read', answer: viewSchema } as const),
    about: 'The deployment as it is now, on all hosts.',
  },
  {
    ...({ method: 'GET', path: '/api/view/stream', needs: 'read', answer: viewSchema } as const),
    about: 'The same as a stream: at once, whenever something happened, and every second.',
    stream: 'view',
  },
  {
    ...({ method: 'GET', path: '/api/hosts/here', needs: 'read', answer: hostReportSchema } as const),
    about: 'What only this agent can see. Its colleagues ask for it.',
  },
  {
    ...({ method: 'GET', path: '/api/events', needs: 'read', answer: eventsSchema } as const),
    about:
      'What happened on all hosts, by time: the last 1000 of each are kept at hand. Those of other hosts come within two seconds.',
    query: eventsQuerySchema,
  },
  {
    ...({ method: 'GET', path: '/api/events/stream', needs: 'read', answer: eventSchema } as const),
    about:
      'The same as a stream, in the order in which this agent heard of it. The id of an event says how far each host was read, any agent understands it; with `Last-Event-ID`, or `after`, it begins behind that. Without, with what happens next.',
    query: z.strictObject({ after: eventsQuerySchema.shape.after.removeDefault().optional() }),
    stream: 'event',
  },
  {
    ...({ method: 'GET', path: '/api/history', needs: 'read', answer: historySchema } as const),
    about: 'Throughput, latency, held clients, errors, lag and memory, back in time.',
    query: historyQuerySchema,
  },
  {
    ...({ method: 'GET', path: '/api/clients', needs: 'read', answer: clientsSchema } as const),
    about: 'The clients of all gates.',
    query: onlyHereQuery,
  },
  {
    ...({ method: 'GET', path: '/api/members/{id}', needs: 'read', answer: memberDetailsSchema } as const),
    about: 'What a member says of its memory, keys, persistence, replication, slow log and clients.',
  },
];

const findingRoutes: readonly Route[] = [
  {
    ...({ method: 'GET', path: '/api/doctor', needs: 'read', answer: doctorSchema } as const),
    about:
      'What doctor finds on all hosts, with the fix. At most a minute old; the operation doctor looks anew.',
    query: onlyHereQuery,
  },
  {
    ...({ method: 'GET', path: '/api/backups', needs: 'read', answer: backupsSchema } as const),
    about: 'What lies in the store of backups.',
  },
  {
    ...({ method: 'GET', path: '/api/mirrors', needs: 'read', answer: mirrorsSchema } as const),
    about: 'The mirrors of the spec: what each does now, how far it is, how far behind, and what is wrong.',
    query: onlyHereQuery,
  },
  {
    ...({ method: 'GET', path: '/api/migrations', needs: 'read', answer: migrationsSchema } as const),
    about:
      'Migrations into the deployment, by replication, that were begun with its spec on one of its hosts: the same of each source.',
    query: onlyHereQuery,
  },
  {
    ...({ method: 'GET', path: '/api/spec', needs: 'read', answer: specSchema } as const),
    about: 'The spec as it is applied, and what differs from it.',
  },
  {
    ...({ method: 'GET', path: '/api/drills', needs: 'read', answer: drillsSchema } as const),
    about: 'The scenarios of drills, and the drills that were run on all hosts.',
    query: onlyHereQuery,
  },
];

const jobRoutes: readonly Route[] = [
  {
    ...({ method: 'POST', path: '/api/operations/plan', needs: 'read', answer: planSchema } as const),
    about: 'What an operation would do, and whether it may be done now. Changes nothing.',
    body: operationSchema,
  },
  {
    ...({ method: 'POST', path: '/api/operations', needs: 'operate', answer: jobSchema } as const),
    done: 202,
    about:
      'Begins an operation; answers 202 with its job, or 409 with what is under way, or with what has changed since the plan.',
    query: beginQuerySchema,
    body: operationSchema,
  },
  {
    ...({ method: 'GET', path: '/api/jobs', needs: 'read', answer: jobsSchema } as const),
    about: 'The jobs of all agents: what was asked for, at whichever.',
    query: onlyHereQuery,
  },
  {
    ...({ method: 'GET', path: '/api/jobs/{id}', needs: 'read', answer: jobSchema } as const),
    about: 'One of them, whoever carries it out.',
    query: onlyHereQuery,
  },
  {
    ...({ method: 'GET', path: '/api/jobs/{id}/stream', needs: 'read', answer: jobSchema } as const),
    about: 'The same as a stream: at once, and whenever it changes, until it has ended.',
    stream: 'job',
  },
  {
    ...({ method: 'POST', path: '/api/jobs/{id}/cancel', needs: 'operate', answer: jobSchema } as const),
    about:
      'Gives it up, in order: what is carried out by then ends as `done`. Answers 409 when it has ended, can not be given up, or is carried out by the agent of another host: that one is to be asked.',
  },
];

const accessRoutes: readonly Route[] = [
  {
    ...({ method: 'GET', path: '/api/session', needs: 'open', answer: sessionSchema } as const),
    about: 'What whoever asks may do.',
  },
  {
    ...({ method: 'POST', path: '/api/session', needs: 'open', answer: sessionSchema } as const),
    about: 'Logs in with a token; 401 when it is none, 429 after too many wrong ones.',
    body: loginSchema,
  },
  {
    ...({ method: 'DELETE', path: '/api/session', needs: 'open', answer: sessionSchema } as const),
    about: 'Ends the session.',
  },
  {
    ...({ method: 'GET', path: '/livez', needs: 'open', answer: healthSchema } as const),
    about: 'The agent answers.',
  },
  {
    ...({ method: 'GET', path: '/readyz', needs: 'open', answer: healthSchema } as const),
    mayBeNo: true,
    about:
      'The agent knows how the deployment is: what it started runs, and a majority of Sentinels answers it.',
  },
  {
    ...({ method: 'GET', path: '/healthz/write', needs: 'open', answer: healthSchema } as const),
    mayBeNo: true,
    about: 'The gate of this host takes writes; without a gate here, the deployment has a primary.',
  },
  {
    ...({ method: 'GET', path: '/healthz/read', needs: 'open', answer: healthSchema } as const),
    mayBeNo: true,
    about: 'The gate of this host answers reads; without a gate here, any member does.',
  },
];

export const routes: readonly Route[] = [...viewRoutes, ...findingRoutes, ...jobRoutes, ...accessRoutes];
