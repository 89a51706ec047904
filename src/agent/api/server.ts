/**
 * The agent's API. On its Unix socket, which only the state directory's owner can open, it takes commands; on TCP
 * it answers questions only. Whoever asks from another machine has to show the deployment's token (RFC 6750), but for
 * /health, which load balancers ask. Long commands answer with a line of JSON for each step and one for the end.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { errorToJson } from '../../base/error-wire.ts';
import { isLoopback } from '../../spec/address.ts';
import { ApiTokenNeeded } from '../errors.ts';
import type { AgentApi, Command } from './agent-api.ts';
import { makeSocketFolder } from './socket-folder.ts';

/** Listens on the Unix socket: questions and commands. */
export async function serveControl(api: AgentApi, socket: string): Promise<FastifyInstance> {
  const server = questions(api);
  for (const name of api.commands) {
    server.post(`/${name}`, (request, reply) => streamCommand(api, name, request.body, reply));
  }
  await makeSocketFolder(socket);
  await rm(socket, { force: true });
  await server.listen({ path: socket });
  await chmod(socket, 0o600);
  return server;
}

/** Listens on TCP: questions only, and to other machines with the token only. */
export async function serveQuestions(
  api: AgentApi,
  addresses: readonly string[],
  port: number,
  token: string,
) {
  const servers: FastifyInstance[] = [];
  for (const address of addresses) {
    const server = guardedQuestions(api, token);
    await server.listen({ host: address, port });
    servers.push(server);
  }
  return servers;
}

/** Exported for tests, which ask it without a socket. */
export function guardedQuestions(api: AgentApi, token: string): FastifyInstance {
  const server = questions(api);
  server.addHook('onRequest', async (request, reply) => {
    if (isOpen(request) || hasToken(request.headers.authorization, token)) return;
    const refusal = ApiTokenNeeded('this API wants the deployment’s token from other machines', {
      hint: 'Send it as "Authorization: Bearer TOKEN". It is in the file api-token of the state directory, on any host.',
    });
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({ error: errorToJson(refusal) });
  });
  return server;
}

function questions(api: AgentApi): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/', async () => ({
    holdfast: api.status().name,
    see: ['/status', '/events?after=0', '/metrics', '/health'],
  }));
  server.get('/status', async () => api.status());
  server.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(api.metrics()),
  );
  server.get('/health', async (_request, reply) => {
    const { state } = api.status();
    return reply.code(state === 'down' ? 503 : 200).send({ state });
  });
  server.get<{ Querystring: { after?: string; waitMs?: string } }>('/events', async ({ query }) =>
    api.events(Number(query.after ?? 0) || 0, Math.min(30_000, Number(query.waitMs ?? 0) || 0)),
  );
  return server;
}

/** Asked from this machine, or for what anyone may know. */
function isOpen({ socket, routeOptions }: FastifyRequest): boolean {
  const from = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  // Monit and the like ask the address that the API listens on, and so come from it.
  const fromHere = isLoopback(from) || (from !== '' && socket.remoteAddress === socket.localAddress);
  return fromHere || routeOptions.url === '/health';
}

/** Compares in a time that doesn't tell how much of the token was right. */
function hasToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token)) && given !== '';
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
  const gone = new AbortController();
  raw.on('close', () => gone.abort(new Error('the command that asked for it is gone')));
  const send = (line: object) => raw.write(`${JSON.stringify(line)}\n`);
  try {
    const result = await api.run(
      name,
      (body ?? {}) as Record<string, unknown>,
      (step) => send({ step }),
      gone.signal,
    );
    send({ result });
  } catch (error) {
    send({ error: errorToJson(error) });
  }
  raw.end();
}
