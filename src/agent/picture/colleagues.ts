/**
 * Asks the agents of the other hosts, every second, for what only they can see. What one says is believed about its own
 * host only; one that does not answer is remembered for a minute, as old as it is.
 */
import { Agent, type AgentOptions, get } from 'node:http';
import { get as getOverTls, Agent as TlsAgent } from 'node:https';
import { type ApiHostReport, hostReportSchema } from '../../api/view.ts';
import type { Clock } from '../../base/clock.ts';
import { errorCode, errorText } from '../../base/errors.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { isLoopback } from '../../spec/address.ts';
import type { Host, Spec } from '../../spec/spec.ts';
import type { AllEvents } from './all-events.ts';
import type { Colleague } from './colleague-view.ts';
import { type Said, understood } from './understood.ts';

const everyMs = 1000;
const answerWithinMs = 900;
const worthShowingMs = 60_000;
const longestAnswer = 4 * 2 ** 20;

interface Known {
  report: ApiHostReport | null;
  atMs: number;
  missing: string | null;
}

type Told = readonly [host: string, said: Said];

export interface ColleaguesSettings {
  spec: () => Spec;
  /** This agent's own. */
  host: string;
  token: string;
  clock: Clock;
  /** The authority of the agents' certificates, and this agent's own; null: their APIs are plain HTTP. */
  tls: TlsTexts | null;
}

export class Colleagues {
  readonly #spec: () => Spec;
  readonly #host: string;
  readonly #token: string;
  readonly #clock: Clock;
  #connections: Connections;
  readonly #events: AllEvents;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ spec, host, token, clock, tls }: ColleaguesSettings, events: AllEvents) {
    this.#spec = spec;
    this.#host = host;
    this.#token = token;
    this.#clock = clock;
    this.#connections = connectionsWith(tls);
    this.#events = events;
  }

  start(): void {
    if (this.#others().length === 0) return;
    this.#timer = setInterval(() => this.#askAll(), everyMs);
    this.#askAll();
  }

  /** @param tls the agents' authority, and this agent's own certificate, from now on */
  changeTls(tls: TlsTexts): void {
    const before = this.#connections.agent;
    this.#connections = connectionsWith(tls);
    before.destroy();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#connections.agent.destroy();
  }

  /** By host. */
  get seen(): ReadonlyMap<string, Colleague> {
    const nowMs = this.#clock.monotonicMs();
    return new Map(
      [...this.#known].map(([host, { report, atMs, missing }]): [string, Colleague] => {
        const age = Math.round(nowMs - atMs);
        const unasked = missing === onLoopback;
        if (missing === null) return [host, { report, missing, unasked, ageMs: null }];
        const kept = report !== null && age < worthShowingMs ? report : null;
        return [host, { report: kept, missing, unasked, ageMs: kept === null ? null : age }];
      }),
    );
  }

  /**
   * Asks all of them something else, once. @param path with its query. @param withinMs for each
   * @returns by host what each answered, or why it did not.
   */
  async ask(path: string, withinMs: number): Promise<Map<string, Said>> {
    const { agent } = this.#spec();
    const asked = this.#others().map(async ({ id, address }): Promise<Told> => {
      if (agent.bind.every(isLoopback)) return [id, { missing: onLoopback }];
      const { port } = agent;
      return fetchJson({
        address,
        port,
        path,
        token: this.#token,
        withinMs,
        connections: this.#connections,
      }).then(
        (answer): Told => [id, { answer }],
        (error: unknown): Told => [id, { missing: whyMissing(error) }],
      );
    });
    return new Map(await Promise.all(asked));
  }

  #others(): Host[] {
    return this.#spec().hosts.filter(({ id }) => id !== this.#host);
  }

  #askAll(): void {
    const { agent } = this.#spec();
    for (const host of this.#others()) {
      if (agent.bind.every(isLoopback)) this.#miss(host.id, onLoopback);
      else if (!this.#asking.has(host.id)) void this.#ask(host, agent.port);
    }
  }

  async #ask(host: Host, port: number): Promise<void> {
    this.#asking.add(host.id);
    try {
      const question = {
        ...{ address: host.address, port, token: this.#token },
        ...{ withinMs: answerWithinMs, connections: this.#connections },
      };
      const report = reportIn(await fetchJson({ ...question, path: '/api/hosts/here' }), host.id);
      this.#known.set(host.id, { report, atMs: this.#clock.monotonicMs(), missing: null });
      const last = this.#events.lastOf(host.id);
      if (report.seq === last) return;
      // One that counts from the start again has everything to tell.
      const path = `/api/events?only=here&after=${report.seq < last ? 0 : last}`;
      this.#events.take(host.id, report.seq, await fetchJson({ ...question, path }));
    } catch (error) {
      this.#miss(host.id, whyMissing(error));
    } finally {
      this.#asking.delete(host.id);
    }
  }

  #miss(host: string, missing: string): void {
    const before = this.#known.get(host) ?? { report: null, atMs: this.#clock.monotonicMs() };
    this.#known.set(host, { ...before, missing });
  }
}

const onLoopback = 'its API listens on loopback only (agent.bind)';

interface Question {
  address: string;
  port: number;
  path: string;
  token: string;
  withinMs: number;
  connections: Connections;
}

interface Connections {
  get: typeof get;
  agent: Agent;
}

function connectionsWith(tls: TlsTexts | null): Connections {
  const options: AgentOptions = { keepAlive: true, maxSockets: 2 };
  if (tls === null) return { get, agent: new Agent(options) };
  // Nobody but the deployment's own authority is believed, and the address that was asked must be in the certificate. The
  // other one knows this agent by its own.
  const { ca, cert, key } = tls;
  return { get: getOverTls, agent: new TlsAgent({ ...options, ca, cert, key }) };
}

function fetchJson({ address, port, path, token, withinMs, connections }: Question): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = connections.get(
      {
        ...{ host: address, port, path, agent: connections.agent, signal: AbortSignal.timeout(withinMs) },
        headers: { authorization: `Bearer ${token}` },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.length > longestAnswer) call.destroy(new Error('its answer is too long'));
        });
        response.on('error', reject);
        response.on('end', () => {
          try {
            if (response.statusCode !== 200) throw new Error(refusalText(response.statusCode));
            resolve(JSON.parse(text));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    call.on('error', reject);
  });
}

/** Exported for its test. @param host whose report it must be. @throws Error when it is none */
export function reportIn(answer: unknown, host: string): ApiHostReport {
  const read = understood({ answer }, hostReportSchema);
  if ('missing' in read) throw new Error(read.missing);
  const report = read.answer;
  if (report.host.id !== host) throw new Error(`it says that it is ${report.host.id.slice(0, 60)}`);
  const own = <T extends { host: string }>(all: T[]) => all.filter((each) => each.host === host);
  const members = own(report.members);
  return {
    host: report.host,
    seq: report.seq,
    jobs: report.jobs,
    members,
    sentinels: own(report.sentinels),
    gates: own(report.gates),
    drift: report.drift.filter(({ member }) => members.some(({ id }) => id === member)),
    troubles: report.troubles,
    moves: report.moves,
  };
}

/** An agent answers every question of its own release. */
function refusalText(status: number | undefined): string {
  const isUnknown = status === 400 || status === 404;
  return `it answered with status ${status}${isUnknown ? ': is it of another release?' : ''}`;
}

function whyMissing(error: unknown): string {
  if (errorCode(error) === 'ECONNREFUSED') return 'no agent listens there';
  if (errorCode(error) === 'EPROTO') return 'its API does not speak TLS as agent.tls wants it';
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) {
    return 'its agent did not answer in time';
  }
  return errorText(error).slice(0, 200);
}
