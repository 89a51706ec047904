/** Questions to the agent that served this page. */
import type { ApiError } from '../../../src/api/errors.ts';
import { parseShown } from './parse-shown.ts';

/** It answers within that, or counts as gone. Doctor looks at every host before it answers. */
const withinMs = 30_000;

/** Logging in is answered so, too, when a token is none: the session is as it was. */
const sessionPath = 'api/session';

let hearTokenWanted = () => {};

/** @param listener hears of each answer that a token is wanted: the session is not what the page takes it for. */
export function whenTokenIsWanted(listener: () => void): void {
  hearTokenWanted = listener;
}

export class Refusal extends Error {
  readonly code: string;
  readonly hint: string | null;
  /** Of HTTP; 0 when there was no answer. */
  readonly status: number;

  constructor(status: number, { code, message, hint }: ApiError) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.hint = hint ?? null;
  }
}

export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Refusal(0, { code: 'NO_ANSWER', message });
}

/** @param path such as `api/view`. @throws Refusal */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  return await exchange<T>(path, { method: 'GET' }, signal);
}

/** @throws Refusal */
export async function send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const content: RequestInit =
    body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return await exchange<T>(path, { method, ...content });
}

async function exchange<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
  const deadline = AbortSignal.timeout(withinMs);
  let text: string;
  let answer: Response;
  try {
    answer = await fetch(new URL(path, document.baseURI), {
      ...init,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    text = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = deadline.aborted
      ? `the agent did not answer within ${withinMs / 1000} s`
      : 'the agent does not answer';
    throw new Refusal(0, { code: 'NO_ANSWER', message });
  }
  if (answer.status === 401 && path !== sessionPath) hearTokenWanted();
  return readAnswer<T>(answer.status, text);
}

function readAnswer<T>(status: number, text: string): T {
  let value: unknown;
  try {
    value = text === '' ? null : parseShown(text);
  } catch {
    const message = `something that is no agent answered, with status ${status}`;
    throw new Refusal(status, { code: 'NOT_AN_AGENT', message });
  }
  if (status < 400) return value as T;
  const error = (value as { error?: Partial<ApiError> } | null)?.error;
  throw new Refusal(status, {
    code: error?.code ?? 'REFUSED',
    message: error?.message ?? `refused, with status ${status}`,
    ...(error?.hint === undefined ? {} : { hint: error.hint }),
  });
}
