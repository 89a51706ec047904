import { createServer, type Server } from 'node:http';
import { errorText } from '../../base/errors.ts';
import { gauge, MetricsPage } from '../../base/metrics.ts';
import type { GateConfig } from '../config.ts';
import { GateListenFailed } from '../errors.ts';
import type { GateStatus } from './control-api.ts';
import { addGateMetrics } from './gate-metrics.ts';

/** More than anybody who scrapes keeps open. */
const mostConnections = 100;

/**
 * What a gate without an agent says of itself over HTTP, to whoever reaches the port: how it is, and what it counts.
 *
 * GET /metrics   for Prometheus
 * GET /livez     200 while the process answers
 * GET /readyz    200 while clients are served or held, 503 with the reason while everything is refused
 *
 * @throws GATE_LISTEN
 */
export async function serveMetrics(
  { deployment, metricsListen: listen }: GateConfig & { metricsListen: object },
  status: () => GateStatus | Promise<GateStatus>,
): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (code: number, text: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(code, { 'content-type': type });
      response.end(request.method === 'HEAD' ? '' : text);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET\n');
    if (request.url === '/livez') return answer(200, 'ok\n');
    if (request.url !== '/metrics' && request.url !== '/readyz') return answer(404, 'no such page\n');
    Promise.resolve()
      .then(status)
      .then(
        (found) => {
          if (request.url === '/readyz') {
            answer(found.state === 'refusing' ? 503 : 200, `${found.state}: ${found.reason ?? 'ok'}\n`);
          } else answer(200, pageOf(deployment, found), 'text/plain; version=0.0.4; charset=utf-8');
        },
        (error: unknown) => answer(503, `${errorText(error)}\n`),
      );
  });
  // Whoever reaches the port takes no descriptors that clients need.
  server.maxConnections = mostConnections;
  const host = typeof listen.host === 'string' ? listen.host : listen.host[0];
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        GateListenFailed(`cannot serve metrics on ${host}:${listen.port}: ${errorText(error)}`, {
          cause: error,
        }),
      ),
    );
    server.listen({ host, port: listen.port }, resolve);
  });
  return server;
}

/** What the agent says of a gate, where there is one: by the same names. */
const alone = {
  up: gauge('holdfast_gate_up', '1 when it is open.', ['gate']),
  clients: gauge('holdfast_gate_clients', 'Clients connected.', ['gate']),
};

function pageOf(deployment: string, status: GateStatus): string {
  const page = new MetricsPage({ deployment });
  page.add(alone.up, status.state === 'open', { gate: status.id });
  page.add(alone.clients, status.clients, { gate: status.id });
  addGateMetrics(page, status);
  return page.text();
}
