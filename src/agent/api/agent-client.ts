/** Talks to the agent of this host over its Unix socket. */
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { type ErrorJson, errorFromJson } from '../../base/error-wire.ts';
import { errorCode } from '../../base/errors.ts';
import type { Report } from '../change/change-context.ts';
import { NotRunning } from '../errors.ts';
import type { DeploymentEvent } from '../state/event-log.ts';
import type { Command } from './agent-api.ts';
import type { Status } from './status-answer.ts';

interface StreamLine {
  step?: string;
  result?: unknown;
  error?: ErrorJson;
}

export class AgentClient {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async status(): Promise<Status> {
    return (await this.#get('/status')) as Status;
  }

  async events(after: number, waitMs: number): Promise<DeploymentEvent[]> {
    return (await this.#get(`/events?after=${after}&waitMs=${waitMs}`)) as DeploymentEvent[];
  }

  /**
   * Runs a command and hears its steps. @throws what the agent says, with its code, or NOT_RUNNING.
   * @param signal hangs up; what the agent makes of that depends on the command.
   */
  async run(
    command: Command,
    options: Record<string, unknown>,
    report: Report,
    signal?: AbortSignal,
  ): Promise<unknown> {
    let last: StreamLine = {};
    await this.#send(
      'POST',
      `/${command}`,
      options,
      (line) => {
        last = JSON.parse(line) as StreamLine;
        if (last.step !== undefined) report(last.step);
      },
      signal,
    );
    if (last.error) throw errorFromJson(last.error);
    if (!('result' in last)) throw NotRunning(`the agent went away before it had finished ${command}`);
    return last.result;
  }

  async #get(path: string): Promise<unknown> {
    const lines: string[] = [];
    await this.#send('GET', path, undefined, (line) => lines.push(line));
    try {
      return JSON.parse(lines.join('\n'));
    } catch (cause) {
      throw NotRunning('the agent went away before it had answered', { cause });
    }
  }

  #send(
    method: string,
    path: string,
    body: unknown,
    onLine: (line: string) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers =
      text === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const call = request(
        { socketPath: this.#socket, method, path, headers, ...(signal ? { signal } : {}) },
        (response) => {
          // One that breaks off is told by the end that it lacks; readline passes the error on, and it must not end us.
          createInterface({ input: response })
            .on('line', onLine)
            .on('error', () => resolve())
            .on('close', resolve);
        },
      );
      call.on('error', (error) => reject(explain(error)));
      call.end(text);
    });
  }
}

function explain(error: Error): Error {
  const code = errorCode(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return NotRunning('this user may not talk to the agent', {
      hint: 'Run the command as the user that runs the agent.',
      cause: error,
    });
  }
  if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTDIR') return error;
  return NotRunning('no agent runs this deployment on this host', {
    hint: 'holdfast up starts it. If it was started with another --state-dir, name that.',
    cause: error,
  });
}
