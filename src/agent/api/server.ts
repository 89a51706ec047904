/**
 * The agent's API. Its Unix socket, which only the state directory's owner can open, takes everything. On TCP whoever
 * changes something has to show a token (RFC 6750) or a session, from this machine too, and whoever looks from another
 * machine; who may do what is in access/callers.ts. Commands of the command line come over the socket and answer with a
 * line of JSON for each step and one for the end.
 */
import { chmod, rm } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { errorToJson } from '../../base/error-wire.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { type Callers, demand, owner } from '../access/callers.ts';
import type { AgentApi, Command } from './agent-api.ts';
import { createHttp, type HttpOptions, refuse } from './http.ts';
import { keepSocket, type TellOfSocket } from './keep-socket.ts';
import { askedBy, registerApi, type WhoAsks } from './register.ts';
import type { Services } from './services.ts';
import { makeSocketFolder } from './socket-folder.ts';
import { readPages, servePages } from './static-page.ts';
import type { Visitors } from './visitors.ts';

/** Listens on the Unix socket: everything. @param at where, and who is told that it had to be made anew */
export async function serveControl(
  api: AgentApi,
  services: Services,
  { socket, tell }: { socket: string; tell: TellOfSocket },
): Promise<FastifyInstance> {
  const { server, visitors } = createHttp({
    visitorRules: { mostWaitedForOfAddress: Number.POSITIVE_INFINITY },
  });
  // Whoever may open the socket may wait: a command lasts as long as it lasts.
  server.server.requestTimeout = 0;
  const whoAsks = noting(visitors, { callerOf: () => owner, mayStill: () => true });
  registerApi(server, services, whoAsks);
  registerQuestions(server, api, services, whoAsks);
  for (const name of api.commands) {
    server.post(`/${name}`, (request, reply) => streamCommand(api, name, request.body, reply));
  }
  await makeSocketFolder(socket);
  await rm(socket, { force: true });
  let stopLooking = () => {};
  server.addHook('onClose', async () => stopLooking());
  await server.listen({ path: socket });
  await chmod(socket, 0o600);
  stopLooking = keepSocket(server.server, socket, tell);
  return server;
}

export interface ListenAt {
  address: string;
  port: number;
  tls: TlsTexts | undefined;
}

/** Listens on TCP, at one address: HTTP, or HTTPS and nothing else. */
export async function serveApi(
  api: AgentApi,
  services: Services,
  { address, port, tls }: ListenAt,
): Promise<FastifyInstance> {
  const server = guardedApi(api, services, { tls });
  await server.listen({ host: address, port });
  return server;
}

/** Exported for tests, which ask it without a socket. */
export function guardedApi(api: AgentApi, services: Services, options: HttpOptions = {}): FastifyInstance {
  const { server, visitors } = createHttp(options);
  const whoAsks = noting(visitors, services.callers);
  registerApi(server, services, whoAsks);
  registerQuestions(server, api, services, whoAsks);
  const pages = readPages();
  if (pages.size > 0) servePages(server, pages);
  else server.get('/', async () => ({ holdfast: services.host, see: ['/api/view', '/api/openapi.json'] }));
  return server;
}

/** Whoever shows a token goes last when there are too many. */
function noting(visitors: Visitors, callers: Pick<Callers, 'callerOf' | 'mayStill'>): WhoAsks {
  return {
    callerOf: (request) => {
      const caller = callers.callerOf(askedBy(request));
      if (caller.known) visitors.noteKnown(request.raw.socket);
      return caller;
    },
    mayStill: (asked, letIn, needs) => callers.mayStill(asked, letIn, needs),
  };
}

/** What was there before the API: the command line, Prometheus and load balancers ask for it. */
function registerQuestions(
  server: FastifyInstance,
  api: AgentApi,
  services: Pick<Services, 'status'>,
  whoAsks: WhoAsks,
): void {
  server.get('/health', async (_request, reply) => {
    const { state } = services.status();
    return reply.code(state === 'down' ? 503 : 200).send({ state });
  });
  server.register(async (guarded) => {
    guarded.addHook('onRequest', async (request, reply) => {
      try {
        demand(whoAsks.callerOf(request), 'read');
      } catch (error) {
        await refuse(reply, error);
      }
    });
    guarded.get('/status', async () => services.status());
    guarded.get('/metrics', async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(api.metrics(services.status())),
    );
    guarded.get<{ Querystring: { after?: string; waitMs?: string } }>('/events', async ({ query }) =>
      api.events(Number(query.after ?? 0) || 0, Math.min(30_000, Number(query.waitMs ?? 0) || 0)),
    );
  });
}

async function streamCommand(
  api: AgentApi,
  name: Command,
  body: unknown,
  reply: FastifyReply,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'application/x-ndjson' });
  // Whoever asked may go away (Ctrl-C).
  const gone = new AbortController();
  raw.on('close', () => gone.abort(new Error('the command that asked for it is gone')));
  const send = (line: object) => raw.write(`${JSON.stringify(line)}\n`);
  if (await isGone(raw)) return;
  try {
    const result = await api.run(name, body, (step) => send({ step }), gone.signal);
    send({ result });
  } catch (error) {
    send({ error: errorToJson(error) });
  }
  raw.end();
}

/**
 * Whoever asked was gone before the command began: its request waited while this agent stood still. What hung up is known
 * when all that had arrived by now is read, that is after the next look at the sockets.
 */
async function isGone(raw: FastifyReply['raw']): Promise<boolean> {
  raw.flushHeaders();
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  return raw.closed || raw.destroyed || raw.socket === null || raw.socket.readableEnded;
}
