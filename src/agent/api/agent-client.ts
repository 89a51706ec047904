/**
 * Talks to the agent of this host over its Unix socket. A question is answered within seconds, and before a command is
 * sent the agent is asked whether it answers: an agent that stands still is told, and gets no command that it would
 * carry out later, when whoever asked is gone. A command itself may take as long as it takes.
 */
import { type ClientRequest, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { ApiView } from '../../api/view.ts';
import { type ErrorJson, errorFromJson } from '../../base/error-wire.ts';
import { errorCode } from '../../base/errors.ts';
import type { Report } from '../change/change-context.ts';
import type { DeploymentEvent } from '../state/event-log.ts';
import {
  type AgentPlace,
  agentEnded,
  agentSilent,
  isNotHeard,
  listensAgain,
  whyUnreachable,
} from './agent-absent.ts';
import type { Command } from './agent-api.ts';
import { readStatus } from './read-status.ts';
import type { Status } from './status-answer.ts';

interface StreamLine {
  step?: string;
  result?: unknown;
  error?: ErrorJson;
}

/** An agent that works answers in milliseconds. */
const answerWithinMs = 5000;

export class AgentClient {
  readonly #place: AgentPlace;
  readonly #withinMs: number;

  /** @param withinMs how long it may take to answer a question */
  constructor(place: AgentPlace, withinMs = answerWithinMs) {
    this.#place = place;
    this.#withinMs = withinMs;
  }

  async status(): Promise<Status> {
    return readStatus(await this.#get('/status'));
  }

  /** The whole deployment, with what goes through it. */
  async view(): Promise<ApiView> {
    return (await this.#get('/api/view')) as ApiView;
  }

  async events(after: number, waitMs: number): Promise<DeploymentEvent[]> {
    return (await this.#get(`/events?after=${after}&waitMs=${waitMs}`, waitMs)) as DeploymentEvent[];
  }

  /**
   * Runs a command and hears its steps. @throws what the agent says, with its code; NOT_RUNNING, also when the agent ends
   * before the command does; AGENT_SILENT.
   * @param signal hangs up; what the agent makes of that depends on the command.
   */
  async run(
    command: Command,
    options: Record<string, unknown>,
    report: Report,
    signal?: AbortSignal,
  ): Promise<unknown> {
    await this.#get('/health');
    let last: StreamLine = {};
    let step: string | null = null;
    const work = `it had finished ${command}`;
    await this.#send({ method: 'POST', path: `/${command}`, body: options, signal }, (line) => {
      last = parsed(line) as StreamLine;
      if (last.step === undefined) return;
      step = last.step;
      report(step);
    }).catch((error) => {
      throw error instanceof ConnectionEnded ? agentEnded(work, { step, cause: error.cause }) : error;
    });
    if (last.error) throw errorFromJson(last.error);
    if (!('result' in last)) throw agentEnded(work, { step });
    return last.result;
  }

  async #get(path: string, besidesMs = 0): Promise<unknown> {
    const lines: string[] = [];
    const withinMs = this.#withinMs + besidesMs;
    let answer: unknown;
    try {
      await this.#send({ method: 'GET', path, withinMs }, (line) => lines.push(line));
      answer = JSON.parse(lines.join('\n'));
    } catch (cause) {
      if (!(cause instanceof ConnectionEnded || cause instanceof SyntaxError)) throw cause;
      throw agentEnded('it had answered', { cause });
    }
    const { error } = (answer ?? {}) as StreamLine;
    if (error !== undefined) throw errorFromJson(error);
    return answer;
  }

  async #send(call: Call, onLine: (line: string) => void): Promise<void> {
    const unreachable = async (error: Error) => {
      throw error instanceof Unreachable ? await whyUnreachable(error.cause, this.#place) : error;
    };
    await this.#sendOnce(call, onLine).catch(async (error) => {
      const again =
        error instanceof Unreachable && isNotHeard(error.cause) && (await listensAgain(this.#place));
      await (again ? this.#sendOnce(call, onLine).catch(unreachable) : unreachable(error));
    });
  }

  /** @throws Unreachable when there was no connection. */
  #sendOnce({ method, path, body, withinMs, signal }: Call, onLine: (line: string) => void): Promise<void> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers =
      text === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const { agentSocket: socketPath, agentRecord } = this.#place;
    return new Promise((resolve, reject) => {
      const call = request(
        { socketPath, method, path, headers, ...(signal ? { signal } : {}) },
        (response) => {
          // One that breaks off is told by the end that it lacks; readline passes the error on, and it must not end us.
          createInterface({ input: response })
            .on('line', onLine)
            .on('error', () => resolve())
            .on('close', resolve);
        },
      );
      let connected = false;
      call.on('socket', (socket) => {
        // One that is used again was connected before, and says so no more.
        if (socket.connecting) socket.once('connect', () => (connected = true));
        else connected = true;
      });
      const noteSilence = () =>
        void agentSilent(agentRecord, withinMs)
          .then(reject)
          .finally(() => call.destroy());
      if (withinMs !== undefined) silentAfter(call, withinMs, noteSilence);
      call.on('error', (error) => {
        // The socket's queue of those that wait to be accepted is full: whoever should accept them does not.
        if (errorCode(error) === 'EAGAIN') noteSilence();
        else if (connected && signal?.aborted !== true) reject(new ConnectionEnded(error));
        else reject(new Unreachable(error));
      });
      call.end(text);
    });
  }
}

interface Call {
  method: string;
  path: string;
  body?: unknown;
  /** All of the answer; undefined for as long as it takes. */
  withinMs?: number;
  signal?: AbortSignal | undefined;
}

/** The connection was there, and ended before the answer did. */
class ConnectionEnded extends Error {
  constructor(cause: Error) {
    super('the connection to the agent ended', { cause });
    this.name = 'ConnectionEnded';
  }
}

/** There was no connection. */
class Unreachable extends Error {
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.name = 'Unreachable';
    this.cause = cause;
  }
}

/** A line that was cut off says nothing. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

function silentAfter(call: ClientRequest, ms: number, tell: () => void): void {
  const timer = setTimeout(tell, ms);
  call.on('close', () => clearTimeout(timer));
}
