/**
 * The HTTP server under the API. What is too long, too slow or malformed is refused or cut off, nobody can take all
 * connections (visitors.ts), and every refusal has the same body. Nothing in a request leads to a file: pages are found in a
 * table that is made once (static-page.ts).
 */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { errorToJson } from '../../base/error-wire.ts';
import { errorCode, HoldfastError } from '../../base/errors.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { ComeAgain } from '../access/callers.ts';
import { ApiBadRequest, ApiMethodUnknown, ApiNotFound } from '../errors.ts';
import { KnownPaths } from './known-paths.ts';
import { whatIsWrongWith } from './request-head.ts';
import { WrongField } from './validate.ts';
import { usualVisitorRules, type VisitorRules, Visitors } from './visitors.ts';

const longestBody = 64 * 1024;
/** A request, and before it its head, and before that TLS's handshake, must have come by then. */
const headWithinMs = 10_000;
const requestWithinMs = 20_000;
const lookAtSlowOnesMs = 2000;
const keepAliveMs = 30_000;
/** How soon a client that has to wait may come again, in seconds. */
const comeAgainAfterS = 10;

const usualLimits = {
  handshakeTimeout: headWithinMs,
  requestTimeout: requestWithinMs,
  headersTimeout: headWithinMs,
  keepAliveTimeout: keepAliveMs,
  connectionsCheckingInterval: lookAtSlowOnesMs,
  maxHeaderSize: 16 * 1024,
  // Node would answer without a body (request-head.ts).
  requireHostHeader: false,
};

/** What an error means in HTTP; everything else that was made on purpose is 400 or 500, by whose fault it is. */
const statuses = new Map([
  ['API_BAD_REQUEST', 400],
  ['API_TOKEN_NEEDED', 401],
  ['API_FORBIDDEN', 403],
  ['API_NOT_FOUND', 404],
  ['BACKUP_NOT_FOUND', 404],
  ['UNKNOWN_PROCESS', 404],
  ['API_METHOD_UNKNOWN', 405],
  ['OPERATION_UNDER_WAY', 409],
  ['OPERATION_REFUSED', 409],
  ['PLAN_CHANGED', 409],
  ['JOB_OVER', 409],
  ['JOB_ELSEWHERE', 409],
  ['LOGIN_REFUSED', 429],
  ['API_BUSY', 503],
  ['REDIS_UNREACHABLE', 503],
]);

const safeHeaders = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/** By Node's code for what is wrong with it: the status line, and the words. */
const brokenBecause = new Map<string, [string, string]>([
  ['HPE_HEADER_OVERFLOW', ['431 Request Header Fields Too Large', 'the head of the request is too long']],
  ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'the request took too long to arrive']],
]);

export interface HttpOptions {
  /** Speaks HTTPS with them, and nothing else. */
  tls?: TlsTexts | undefined;
  /** Other limits: a test does not wait as long as a slow client may. */
  limits?: Partial<typeof usualLimits>;
  visitorRules?: Partial<VisitorRules>;
}

export interface Http {
  server: FastifyInstance;
  visitors: Visitors;
}

export function createHttp({ tls, limits: other, visitorRules }: HttpOptions = {}): Http {
  const limits = { ...usualLimits, ...other };
  const visitors = new Visitors({ ...usualVisitorRules, ...visitorRules }, (error) =>
    brokenAnswer('503 Service Unavailable', error),
  );
  const server = fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: longestBody,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, _request, reply) => {
      void refuse(reply.headers(safeHeaders), error);
    },
    clientErrorHandler: (error, socket) => visitors.dismiss(socket, answerToBroken(error)),
    serverFactory: (handler) =>
      tls === undefined
        ? createServer(limits, handler)
        : // Whoever has a certificate shows it: agents must, browsers and scripts need none (access/callers.ts).
          createTlsServer({ ...limits, ...tls, requestCert: true, rejectUnauthorized: false }, handler),
  });
  // JSON only: what a form of another site could send is refused for its type.
  server.removeContentTypeParser('text/plain');
  visitors.watch(server.server as Server, tls !== undefined);
  server.addHook('onRequest', async (request, reply) => {
    if (visitors.isLeaving(request.raw.socket)) reply.hijack();
  });
  answerOddRequests(server, visitors);
  server.setErrorHandler((error, _request, reply) => refuse(reply, error));
  const paths = new KnownPaths();
  paths.watch(server);
  server.setNotFoundHandler((request, reply) => {
    const asked = `${request.method} ${request.url.slice(0, 100)}`;
    const hint = '/api/openapi.json lists what there is.';
    const methods = paths.methodsOf(request.url).join(', ');
    if (methods === '') return refuse(reply, ApiNotFound(`there is no ${asked}`, { hint }));
    reply.header('allow', methods);
    return refuse(reply, ApiMethodUnknown(`there is no ${asked}: that path takes ${methods}`, { hint }));
  });
  server.addHook('onSend', async (_request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(safeHeaders);
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  return { server, visitors };
}

/** What Node would answer without a body, or not at all: who looks at refusals finds the same in each. */
function answerOddRequests(server: FastifyInstance, visitors: Visitors): void {
  const { server: node } = server;
  node.on('checkExpectation', (request, response) => node.emit('request', request, response));
  node.on('connect', (_request, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const error = ApiBadRequest('this is no proxy: it takes no CONNECT');
    visitors.dismiss(socket, brokenAnswer('400 Bad Request', error));
  });
  server.addHook('onRequest', async (request, reply) => {
    const wrong = reply.sent ? undefined : whatIsWrongWith(request.raw);
    if (wrong === undefined) return;
    reply.header('connection', 'close');
    await refuse(reply, ApiBadRequest(wrong.why), wrong.status);
  });
}

/** What is no request yet: broken, with too long a head, or too slow. */
function answerToBroken(error: Error & { code?: string }): string {
  const [status, reason] = brokenBecause.get(error.code ?? '') ?? [
    '400 Bad Request',
    'this is no HTTP request',
  ];
  return brokenAnswer(status, ApiBadRequest(reason));
}

/** As every refusal is answered, for what does not reach the framework. */
function brokenAnswer(status: string, error: Error): string {
  const body = JSON.stringify({ error: toldOf(error) });
  const head = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...(status.startsWith('503 ') ? { 'retry-after': String(comeAgainAfterS) } : {}),
    ...safeHeaders,
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`;
}

/** Answers with the error: its status, or that which is given, its body, what clients need beside it. */
export function refuse(reply: FastifyReply, thrown: unknown, given?: number): FastifyReply {
  const error = asOurs(thrown);
  const status =
    error instanceof HoldfastError ? (statuses.get(error.code) ?? (error.exitStatus === 2 ? 400 : 500)) : 500;
  const own = given ?? frameworkStatus(thrown) ?? status;
  if (own === 401) reply.header('www-authenticate', 'Bearer');
  const cause = error instanceof HoldfastError ? error.cause : undefined;
  const again = cause instanceof ComeAgain ? cause.afterSeconds : comeAgainAfterS;
  if (own === 429 || own === 503) reply.header('retry-after', String(again));
  const field = cause instanceof WrongField ? cause.field : '';
  return reply.code(own).send({ error: { ...toldOf(error), ...(field === '' ? {} : { field }) } });
}

/** An error as a client is told it: an exit status is the command line's. */
function toldOf(error: unknown) {
  const { exitStatus: _unused, ...told } = errorToJson(error);
  return told;
}

/** What Fastify says of a body that is too long, no JSON, of another type. */
function asOurs(thrown: unknown): unknown {
  const status = frameworkStatus(thrown);
  if (status === undefined) return thrown;
  return ApiBadRequest((thrown as Error).message.slice(0, 300), {
    hint: `A body is JSON (application/json), at most ${longestBody / 1024} KiB.`,
  });
}

function frameworkStatus(thrown: unknown): number | undefined {
  if (!errorCode(thrown)?.startsWith('FST_') && !(thrown instanceof SyntaxError)) return undefined;
  const { statusCode } = thrown as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
