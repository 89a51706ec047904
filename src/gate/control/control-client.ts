import { request } from 'node:http';
import { errorFromJson } from '../../base/error-wire.ts';
import { errorCode, errorText } from '../../base/errors.ts';
import { GateControlFailed } from '../errors.ts';
import type { ConnectionView } from '../upstream/connection-view.ts';
import type {
  DrainRequest,
  GateClients,
  GateStatus,
  HoldRequest,
  HoldResult,
  MoveRequest,
  PlacesRequest,
  SwitchRequest,
} from './control-api.ts';

/** Speaks to one gate over its control socket. Every call fails with GATE_CONTROL: not reachable, refused, or late. */
export class GateControl {
  readonly #socketPath: string;
  readonly #timeoutMs: number;

  constructor(socketPath: string, timeoutMs = 2000) {
    this.#socketPath = socketPath;
    this.#timeoutMs = timeoutMs;
  }

  status(): Promise<GateStatus> {
    return this.#call('GET', '/status');
  }

  /** What the gate takes its connections to members for, those that wait for nothing. */
  connections(): Promise<ConnectionView[]> {
    return this.#call('GET', '/connections');
  }

  clients(): Promise<GateClients> {
    return this.#call('GET', '/clients');
  }

  /** Resolves when the writes in flight were answered, or could not be within `maxMs`. */
  hold(hold: HoldRequest): Promise<HoldResult> {
    return this.#call('POST', '/hold', hold, hold.maxMs + this.#timeoutMs);
  }

  /** Resolves when the gate has seen that this one is primary and sends it what was held. */
  switch(to: SwitchRequest): Promise<{ switched: true }> {
    return this.#call('POST', '/switch', to, this.#timeoutMs + 5000);
  }

  release(): Promise<{ released: true }> {
    return this.#call('POST', '/release', {});
  }

  places(places: PlacesRequest): Promise<{ taken: true }> {
    return this.#call('POST', '/places', places);
  }

  /** Resolves when the members, or the predecessor, serve the clients. */
  move(move: MoveRequest): Promise<{ moved: true }> {
    return this.#call('POST', '/move', move, this.#timeoutMs + 5000);
  }

  /** Resolves when the gate has begun; it exits by itself. */
  drain(drain: DrainRequest): Promise<{ draining: true }> {
    return this.#call('POST', '/drain', drain);
  }

  /**
   * On the connection of the call before, where it is still there: a new one costs a switchover milliseconds. The gate closes one
   * that was idle for some seconds, perhaps in the moment in which it is written to: then it is asked once more, and hearing any
   * question twice does no harm.
   */
  #call<T>(method: string, path: string, body?: object, timeoutMs = this.#timeoutMs): Promise<T> {
    return this.#ask<T>(method, path, { body, timeoutMs, anew: false });
  }

  #ask<T>(
    method: string,
    path: string,
    { body, timeoutMs, anew }: { body: object | undefined; timeoutMs: number; anew: boolean },
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (why: string, cause?: unknown) =>
        reject(GateControlFailed(`${method} ${path} on ${this.#socketPath}: ${why}`, { cause }));
      const headers = { 'content-type': 'application/json' };
      const call = request(
        { socketPath: this.#socketPath, method, path, headers, ...(anew ? { agent: false } : {}) },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', (error) => fail(errorText(error), error));
          response.on('end', () => {
            try {
              const answer = JSON.parse(text) as T & { error?: unknown };
              if (response.statusCode === 200) resolve(answer);
              else fail(errorFromJson(answer.error ?? `status ${response.statusCode}`).message);
            } catch (error) {
              fail('the answer is not JSON', error);
            }
          });
        },
      );
      call.setTimeout(timeoutMs, () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      call.on('error', (error) => {
        const wasClosed = call.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(errorCode(error) ?? '');
        if (wasClosed && !anew) resolve(this.#ask<T>(method, path, { body, timeoutMs, anew: true }));
        else fail(errorText(error), error);
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
