/** Puts every endpoint of src/api/routes.ts onto a server: who may ask, what may be asked, what does it. */
import { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { openApi } from '../../api/openapi.ts';
import { type Route, routes } from '../../api/routes.ts';
import { type Asked, type Caller, demand } from '../access/callers.ts';
import type { TokenRole } from '../access/tokens.ts';
import { holdfastVersion } from '../picture/host-vitals.ts';
import { type Handler, handlersOf } from './handlers.ts';
import { refuse } from './http.ts';
import type { Services } from './services.ts';
import { Streams } from './streams.ts';
import { validated } from './validate.ts';

/** A page of a drill stands alone, with its style and script in it, and is not of this site. */
const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; sandbox allow-scripts";

/** Who asks: the owner on the Unix socket, else whoever `Callers` takes it for. */
export interface WhoAsks {
  callerOf(request: FastifyRequest): Caller;
  mayStill(asked: Asked, letIn: Caller, needs: TokenRole): boolean;
}

export function registerApi(server: FastifyInstance, api: Services, whoAsks: WhoAsks): void {
  const streams = new Streams();
  server.addHook('preClose', async () => streams.close());
  const handlers = handlersOf(api, streams);
  for (const route of routes) {
    const handler = handlers.get(`${route.method} ${route.path}`);
    if (handler === undefined) throw new TypeError(`nothing answers ${route.method} ${route.path}`);
    server.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: (request, reply) => answer(route, handler, whoAsks, request, reply),
    });
  }
  const document = openApi(holdfastVersion);
  server.get('/api/openapi.json', async () => document);
  server.get<{ Params: { id: string } }>('/api/drills/:id/page', async (request, reply) => {
    try {
      demand(whoAsks.callerOf(request), 'read');
      const page = await api.drillPage(request.params.id);
      return reply.type('text/html; charset=utf-8').header('content-security-policy', pagePolicy).send(page);
    } catch (error) {
      return refuse(reply, error);
    }
  });
}

async function answer(
  route: Route,
  handler: Handler,
  whoAsks: WhoAsks,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  try {
    const asked = askedBy(request);
    // Health is for whoever reaches the port, by whatever name: it changes nothing and tells next to nothing.
    const open = route.needs === 'open' && !route.path.startsWith('/api/');
    const caller: Caller = open ? nobody : whoAsks.callerOf(request);
    demand(caller, route.needs);
    const query = route.query === undefined ? {} : validated(route.query, request.query, 'query');
    const body = route.body === undefined ? {} : validated(route.body, request.body, 'body');
    const params = request.params as Record<string, string>;
    const { needs } = route;
    const mayStill = () => needs === 'open' || whoAsks.mayStill(asked, caller, needs);
    const answered = await handler({ asked, caller, params, query, body, reply, mayStill });
    return route.stream === undefined ? reply.send(answered) : reply;
  } catch (error) {
    return refuse(reply, error);
  }
}

const nobody: Caller = { role: null, by: 'somebody', untilMs: null, known: false };

export function askedBy({ headers, socket }: FastifyRequest): Asked {
  const certified = socket instanceof TLSSocket && socket.authorized;
  return { headers, remoteAddress: socket.remoteAddress, localAddress: socket.localAddress, certified };
}
