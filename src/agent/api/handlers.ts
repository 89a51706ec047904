/** What each endpoint of src/api/routes.ts does. */
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { ApiSession, loginSchema } from '../../api/access.ts';
import { type ApiEvent, type eventsQuerySchema, positionSchema } from '../../api/events.ts';
import type { historyQuerySchema } from '../../api/history.ts';
import type { ApiJob, ApiOperation, beginQuerySchema } from '../../api/jobs.ts';
import type { Asked, Caller } from '../access/callers.ts';
import { OperationAborted } from '../errors.ts';
import { type Position, parsePosition, positionText } from '../picture/positions.ts';
import { readHealth, readiness, writeHealth } from './health.ts';
import type { Services } from './services.ts';
import type { Stream, Streams } from './streams.ts';

/** A request whose caller may ask, and whose query and body are what the route's schemas say. */
export interface Call {
  asked: Asked;
  caller: Caller;
  params: Readonly<Record<string, string>>;
  query: unknown;
  body: unknown;
  reply: FastifyReply;
  /** Whether the caller may still be told: of a stream, which is answered for long. */
  mayStill: () => boolean;
}

/** Returns what is answered. One that streams takes the reply over and returns nothing. */
export type Handler = (call: Call) => unknown;

export function handlersOf(api: Services, streams: Streams): Map<string, Handler> {
  return new Map([
    ...lookHandlers(api),
    ...streamHandlers(api, streams),
    ...jobHandlers(api),
    ...accessHandlers(api),
  ]);
}

function lookHandlers(api: Services): [string, Handler][] {
  return [
    ['GET /api/view', () => api.view()],
    ['GET /api/hosts/here', () => api.report()],
    [
      'GET /api/events',
      ({ query }) => {
        const { after, limit, only } = query as z.output<typeof eventsQuerySchema>;
        const events = api.events.since(parsePosition(after, api.host));
        return events.filter(({ host }) => only === undefined || host === api.host).slice(-limit);
      },
    ],
    [
      'GET /api/history',
      ({ query }) => {
        const { step, from, to } = query as z.output<typeof historyQuerySchema>;
        return api.history({ step, fromMs: from ?? 0, toMs: to ?? Number.POSITIVE_INFINITY });
      },
    ],
    ['GET /api/clients', ({ query }) => api.clients(isOnlyHere(query))],
    ['GET /api/members/{id}', ({ params }) => api.member(params['id'] ?? '')],
    ['GET /api/doctor', ({ query }) => api.doctor(isOnlyHere(query))],
    ['GET /api/backups', () => api.backups()],
    ['GET /api/mirrors', ({ query }) => api.mirrors(isOnlyHere(query))],
    ['GET /api/migrations', ({ query }) => api.migrations(isOnlyHere(query))],
    ['GET /api/spec', () => api.spec()],
    ['GET /api/drills', ({ query }) => api.drills(isOnlyHere(query))],
    ['GET /livez', () => ({ ok: true, why: null })],
    ['GET /readyz', ({ reply }) => health(reply, readiness(api.view()))],
    ['GET /healthz/write', ({ reply }) => health(reply, writeHealth(api.view()))],
    ['GET /healthz/read', ({ reply }) => health(reply, readHealth(api.view()))],
  ];
}

function isOnlyHere(query: unknown): boolean {
  return (query as { only?: 'here' }).only === 'here';
}

function health<H extends { ok: boolean }>(reply: FastifyReply, answer: H): H {
  reply.code(answer.ok ? 200 : 503);
  return answer;
}

function streamHandlers(api: Services, streams: Streams): [string, Handler][] {
  const views = new ViewBroadcast(api);
  const open = ({ reply, caller, mayStill }: Call) => streams.open(reply, caller, mayStill);
  return [
    ['GET /api/view/stream', (call) => views.follow(open(call))],
    [
      'GET /api/events/stream',
      (call) => {
        const { query, asked } = call;
        const { after } = query as { after?: string };
        // The header is what a browser sends by itself when it comes again: it is the newer of the two.
        const from = positionSchema.safeParse(asked.headers['last-event-id']).data ?? after;
        const position = from === undefined ? api.events.position : parsePosition(from, api.host);
        followEvents(api, open(call), position);
      },
    ],
    ['GET /api/jobs/{id}/stream', (call) => followJob(api, call.params['id'] ?? '', () => open(call))],
  ];
}

function followEvents({ events, host }: Services, stream: Stream, after: Position): void {
  const sent = new Map(after);
  const send = (event: ApiEvent) => {
    sent.set(event.host, event.seq);
    stream.send({ event: 'event', id: positionText(sent, host), data: JSON.stringify(event) });
  };
  for (const event of events.since(after)) send(event);
  stream.onClose(events.listen(send));
}

async function followJob(api: Services, id: string, open: () => Stream): Promise<void> {
  // Whether there is such a job is to be known before the stream begins.
  const heard: ApiJob[] = [];
  let hear = (job: ApiJob) => void heard.push(job);
  const stop = await api.jobs.follow(id, (job) => hear(job));
  try {
    const stream = open();
    hear = (job) => {
      stream.send({ event: 'job', data: JSON.stringify(job) });
      if (job.state !== 'running') stream.end();
    };
    stream.onClose(stop);
    for (const job of heard) hear(job);
  } catch (error) {
    stop();
    throw error;
  }
}

/** Makes the view once for all that follow it. */
class ViewBroadcast {
  readonly #api: Services;
  readonly #streams = new Set<Stream>();
  #stop: (() => void) | null = null;

  constructor(api: Services) {
    this.#api = api;
  }

  follow(stream: Stream): void {
    this.#streams.add(stream);
    this.#stop ??= this.#api.onView(() => this.#send(this.#streams));
    this.#send([stream]);
    stream.onClose(() => {
      this.#streams.delete(stream);
      if (this.#streams.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    });
  }

  #send(to: Iterable<Stream>): void {
    const message = { event: 'view', data: JSON.stringify(this.#api.view()) };
    for (const stream of to) stream.send(message);
  }
}

function jobHandlers(api: Services): [string, Handler][] {
  return [
    ['POST /api/operations/plan', ({ body }) => api.plan(body as ApiOperation)],
    [
      'POST /api/operations',
      async ({ body, query, caller, reply }) => {
        const { basis } = query as z.output<typeof beginQuerySchema>;
        const job = await api.begin(body as ApiOperation, caller.by, basis);
        reply.code(202).header('location', `/api/jobs/${job.id}`);
        return job;
      },
    ],
    ['GET /api/jobs', ({ query }) => api.jobs.list(isOnlyHere(query))],
    ['GET /api/jobs/{id}', ({ params, query }) => api.jobs.get(params['id'] ?? '', isOnlyHere(query))],
    [
      'POST /api/jobs/{id}/cancel',
      async ({ params, caller }) => {
        const job = await api.jobs.cancel(params['id'] ?? '', OperationAborted(`${caller.by} gave it up`));
        api.audit('asked', `${caller.by} gave up the ${job.kind} that was under way`);
        return job;
      },
    ],
  ];
}

function accessHandlers(api: Services): [string, Handler][] {
  const sessionOf = ({ role, by, untilMs, known }: Caller): ApiSession => ({
    role,
    by: known ? by : null,
    until: untilMs === null ? null : new Date(untilMs).toISOString(),
    loginNeeded: role === null,
  });
  return [
    ['GET /api/session', ({ caller }) => sessionOf(caller)],
    [
      'POST /api/session',
      ({ body, asked, reply }) => {
        const from = asked.remoteAddress ?? 'an unknown address';
        const { cookie, caller } = api.callers.login((body as z.output<typeof loginSchema>).token, asked);
        reply.header('set-cookie', cookie);
        api.audit('login', `${caller.by} logged in from ${from}`);
        return sessionOf(caller);
      },
    ],
    [
      'DELETE /api/session',
      ({ asked, caller, reply }) => {
        reply.header('set-cookie', api.callers.logout(asked));
        // Whoever has no session is who they were; who had one is whom they are without.
        return sessionOf(caller.untilMs === null ? caller : api.callers.callerOf(asked));
      },
    ],
  ];
}
