/**
 * Keeps the state of the page as the agent's. One stream brings the view, at once when something happens and every second;
 * a view says the number of its last event, and what is missing of events is asked for then. A browser opens six
 * connections to one origin, for all its tabs: a page takes one, and none while nobody sees it. What the page may do is asked
 * whenever it connects, and when it was refused for want of a token.
 *
 * When the stream ends, or is silent, the page says so, keeps showing what it knew, and tries again: soon, then less often.
 */
import type { ApiSession } from '../../../src/api/access.ts';
import type { ApiEvent } from '../../../src/api/events.ts';
import type { ApiJobs } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';
import { ask, asRefusal, whenTokenIsWanted } from './ask.ts';
import { parseShown } from './parse-shown.ts';
import { addEvents, type StateStore } from './state.ts';

/** A view comes every second. */
const silentMs = 5000;
const againMs = [250, 500, 1000, 2000, 3000];

export class Feed {
  readonly #state: StateStore;
  #stream: EventSource | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #askingEvents = false;
  /** How far the events are known, as the view said when they were asked for. */
  #position = '0';
  /** How far the jobs are known, as the view said when they were asked for. */
  #jobs = '';
  #askingJobs = false;
  #askingSession = false;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** @returns what ends it. */
  start(): () => void {
    const look = () => {
      if (document.hidden) this.#close();
      else void this.connect();
    };
    const gone = () => this.#lost('this device is offline');
    document.addEventListener('visibilitychange', look);
    window.addEventListener('online', look);
    window.addEventListener('offline', gone);
    whenTokenIsWanted(() => void this.#lookAtSession());
    look();
    return () => {
      this.#close();
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('online', look);
      window.removeEventListener('offline', gone);
    };
  }

  /** Asks what may be done, and follows the view if that is enough. */
  async connect(): Promise<void> {
    this.#close();
    try {
      if (!(await this.#mayLook())) return;
      this.#jobs = '';
      this.#follow();
    } catch (error) {
      this.#lost(asRefusal(error).message);
    }
  }

  async #mayLook(): Promise<boolean> {
    const session = await ask<ApiSession>('api/session');
    this.#state.update({ session });
    if (session.role !== null || !session.loginNeeded) return true;
    this.#close();
    this.#state.update({ connection: { state: 'unauthorised' } });
    return false;
  }

  /** The session has ended before its time. What follows the view with it ends by itself, and comes again. */
  async #lookAtSession(): Promise<void> {
    if (this.#askingSession) return;
    this.#askingSession = true;
    try {
      await this.#mayLook();
    } catch {
      // An agent that is gone is told by the stream.
    } finally {
      this.#askingSession = false;
    }
  }

  #follow(): void {
    this.#close();
    const stream = new EventSource(new URL('api/view/stream', document.baseURI));
    this.#stream = stream;
    stream.addEventListener('view', ({ data }) => this.#take(parseShown(String(data)) as ApiView));
    stream.addEventListener('error', () => {
      if (this.#stream === stream) this.#lost('the agent does not answer');
    });
    this.#listen();
  }

  #take(view: ApiView): void {
    this.#failures = 0;
    this.#listen();
    this.#state.update({ view, viewAtMs: Date.now(), connection: { state: 'live' } });
    if (view.jobs !== this.#jobs) void this.#fetchJobs(view.jobs);
    if (view.events !== this.#position) void this.#fetchEvents(view.events);
  }

  async #fetchEvents(position: string): Promise<void> {
    if (this.#askingEvents) return;
    this.#askingEvents = true;
    try {
      const after = encodeURIComponent(this.#position);
      const more = await ask<ApiEvent[]>(`api/events?after=${after}&limit=10000`);
      this.#position = position;
      this.#state.update({ events: addEvents(this.#state.value.events, more) });
    } catch {
      // The next view asks again.
    } finally {
      this.#askingEvents = false;
    }
  }

  async #fetchJobs(position: string): Promise<void> {
    if (this.#askingJobs) return;
    this.#askingJobs = true;
    try {
      this.#state.update({ jobs: await ask<ApiJobs>('api/jobs') });
      this.#jobs = position;
    } catch {
      // The next view asks again.
    } finally {
      this.#askingJobs = false;
    }
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(
      () => this.#lost(`the agent has been silent for ${silentMs / 1000} s`),
      silentMs,
    );
  }

  #lost(why: string): void {
    this.#close();
    const { connection } = this.#state.value;
    const sinceMs =
      connection.state === 'lost' ? connection.sinceMs : this.#state.value.viewAtMs || Date.now();
    this.#state.update({ connection: { state: 'lost', sinceMs, why } });
    const pause = againMs[Math.min(this.#failures, againMs.length - 1)] ?? 0;
    this.#failures += 1;
    this.#again = setTimeout(() => void this.connect(), pause);
  }

  #close(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.#stream?.close();
    this.#stream = null;
  }
}
