/** Serves the page as it was built, and answers its questions with what a test wants it to be told. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiSession } from '../../../src/api/access.ts';
import type { ApiEvent } from '../../../src/api/events.ts';
import type { ApiJob, ApiJobs, ApiPlan } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';
import * as made from './answers.ts';
import { crashEvents, viewAfterCrash } from './example.ts';

const built = fileURLToPath(new URL('../../../dist/dashboard', import.meta.url));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** All that the page is told. A test changes it, and calls `push` for what the page follows. */
export interface Told {
  session: ApiSession;
  view: ApiView;
  events: ApiEvent[];
  clients: number;
  /** Seconds since an outage that shows in the history; null for none. */
  outageAgoS: number | null;
  jobs: ApiJob[];
  missingJobs: ApiJobs['missing'];
  plan: ApiPlan;
  job: ApiJob;
  /** By path, answers instead of those made up; a function makes one of the query. */
  answers: Record<string, unknown>;
}

export function told(change: Partial<Told> = {}): Told {
  return {
    session: made.operate,
    view: viewAfterCrash(),
    events: crashEvents(),
    clients: 40,
    outageAgoS: 96,
    jobs: [],
    missingJobs: [],
    plan: made.plan(),
    job: made.job(),
    answers: {},
    ...change,
  };
}

export class PageServer {
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  readonly #beat: NodeJS.Timeout;
  told: Told = told();
  /** Requests that change something, as they came. */
  readonly asked: { method: string; path: string; query: string; body: unknown }[] = [];
  #silent = false;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => void this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#beat = setInterval(() => this.push(), 1000);
  }

  static async start(): Promise<PageServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PageServer(server);
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Sends the view to whoever follows it. */
  push(): void {
    for (const stream of this.#streams) stream.write(viewEvent(this.told.view));
  }

  /** From now on nobody is answered, and whoever follows is cut off; or they are again. */
  setSilent(silent: boolean): void {
    this.#silent = silent;
    if (!silent) return;
    this.#streams.clear();
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search, searchParams } = new URL(request.url ?? '/', this.address);
    if (this.#silent) {
      request.socket.destroy();
      return;
    }
    if (!pathname.startsWith('/api/')) {
      sendFile(response, pathname);
      return;
    }
    if (request.method !== 'GET') {
      const method = request.method ?? '';
      this.asked.push({ method, path: pathname, query: search, body: await bodyOf(request) });
    }
    if (pathname === '/api/view/stream') return this.#follow(response);
    if (/^\/api\/jobs\/[^/]+\/stream$/.test(pathname)) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: job\ndata: ${JSON.stringify(this.told.job)}\n\n`);
      return;
    }
    const answer = this.#answerTo(request.method ?? 'GET', pathname, searchParams);
    const status = answer === undefined ? 404 : isRefusal(answer) ? answer.status : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(answer ?? { error: { code: 'API_NOT_FOUND', message: `there is no ${pathname}` } }),
    );
  }

  #follow(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(viewEvent(this.told.view));
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #answerTo(method: string, pathname: string, query: URLSearchParams): unknown {
    const { session, view, events, clients, outageAgoS, jobs, missingJobs, plan, job, answers } = this.told;
    if (Object.hasOwn(answers, pathname)) {
      const own = answers[pathname];
      return typeof own === 'function' ? own(query) : own;
    }
    const member = /^\/api\/members\/(.+)$/.exec(pathname)?.[1];
    if (member !== undefined) return made.memberDetails(view, decodeURIComponent(member));
    switch (pathname) {
      case '/api/session':
        return session;
      case '/api/view':
        return view;
      case '/api/events':
        return events.filter(({ seq }) => seq > Number(query.get('after') ?? 0));
      case '/api/history': {
        const all = made.history(query.get('step') === '1m' ? '1m' : '1s', view, outageAgoS);
        return since(all, Number(query.get('from') ?? 0));
      }
      case '/api/clients':
        return made.clients(view, clients);
      case '/api/doctor':
        return made.doctor;
      case '/api/backups':
        return made.backups;
      case '/api/mirrors':
        return made.mirrors(view);
      case '/api/migrations':
        return made.migrations(view);
      case '/api/drills':
        return made.drills;
      case '/api/spec':
        return made.spec(view);
      case '/api/jobs':
        return { jobs, missing: missingJobs };
      case '/api/operations/plan':
        return plan;
      case '/api/operations':
        return method === 'POST' ? job : undefined;
      default:
        return undefined;
    }
  }
}

/** An answer that is a refusal says its status. */
function isRefusal(answer: unknown): answer is { status: number } {
  return typeof answer === 'object' && answer !== null && 'status' in answer && 'error' in answer;
}

function since(history: ReturnType<typeof made.history>, fromMs: number): ReturnType<typeof made.history> {
  const from = history.at.findIndex((at) => at >= fromMs);
  const cut = <T>(values: readonly T[]) => (from === -1 ? [] : values.slice(from));
  const cutAll = <T extends object>(columns: T): T =>
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, cut(values as unknown[])]),
    ) as T;
  const members = Object.entries(history.members).map(([id, each]) => [id, cutAll(each)] as const);
  return {
    ...history,
    at: cut(history.at),
    deployment: cutAll(history.deployment),
    members: Object.fromEntries(members),
  };
}

function viewEvent(view: ApiView): string {
  return `event: view\ndata: ${JSON.stringify(view)}\n\n`;
}

function sendFile(response: ServerResponse, pathname: string): void {
  const name = pathname === '/' ? '/index.html' : pathname;
  try {
    const text = readFileSync(path.join(built, path.normalize(name)));
    response.writeHead(200, {
      'content-type': types[path.extname(name)] ?? 'application/octet-stream',
      // As the agent sends it: the page must do with that.
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'",
    });
    response.end(text);
  } catch {
    response.writeHead(404).end();
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request) text += String(piece);
  return text === '' ? null : JSON.parse(text);
}
