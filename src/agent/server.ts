/**
 * The agent's API. On its Unix socket, which only the state directory's owner can open, it takes commands; on TCP
 * it answers questions only. Long commands answer with a line of JSON for each step and one for the end.
 */
import { chmod, rm } from 'node:fs/promises';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { HoldfastError } from '../base/errors.ts';
import type { AgentApi, Command } from './api.ts';
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

/** Listens on TCP: questions only. */
export async function serveQuestions(api: AgentApi, addresses: readonly string[], port: number) {
  const servers: FastifyInstance[] = [];
  for (const address of addresses) {
    const server = questions(api);
    await server.listen({ host: address, port });
    servers.push(server);
  }
  return servers;
}

function questions(api: AgentApi): FastifyInstance {
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/', async () => ({
    holdfast: api.status().name,
    see: ['/status', '/events?after=0', '/health'],
  }));
  server.get('/status', async () => api.status());
  server.get('/health', async (_request, reply) => {
    const { state } = api.status();
    return reply.code(state === 'down' ? 503 : 200).send({ state });
  });
  server.get<{ Querystring: { after?: string; waitMs?: string } }>('/events', async ({ query }) =>
    api.events(Number(query.after ?? 0) || 0, Math.min(30_000, Number(query.waitMs ?? 0) || 0)),
  );
  return server;
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
    const known = error instanceof HoldfastError;
    send({
      error: {
        code: known ? error.code : 'INTERNAL',
        exitStatus: known ? error.exitStatus : 1,
        message: error instanceof Error ? error.message : String(error),
        hint: known ? error.hint : undefined,
      },
    });
  }
  raw.end();
}
