/**
 * Changes of primary, told from the events: what began each, its steps, and how long it took. Pure. The end of one is
 * that the Sentinels name the new primary; its begin is the first event before that belongs to it.
 */
import type { ApiEvent } from '../../../src/api/events.ts';

export interface Step {
  /** From the begin of the story. */
  ms: number;
  event: ApiEvent;
  /** Whose agents noted it: the same word of several is one step, when the first heard it. */
  hosts: readonly string[];
}

export interface Story {
  /** Stays the same while the story grows. */
  key: string;
  kind: 'failover' | 'switchover';
  atMs: number;
  /** Who was primary before, where an event says that; and who is. */
  from: string | null;
  to: string;
  /** From its begin to the promotion, or to the Sentinels' word where there was none. */
  tookMs: number;
  steps: readonly Step[];
}

const begins = new Set([
  ...['exited', 'killed', 'election', 'not-elected', 'failover-asked', 'selected', 'replica-ineligible'],
  ...['slow-command', 'disk-full', 'failover-aborted'],
]);
const deaths = new Set(['exited', 'killed']);
const turns = new Set(['promoted', 'primary', 'switchover', 'failover']);
const follows = new Set([
  ...['redirected', 'restart', 'restarted', 'replica-eligible', 'replica-ineligible', 'hint', 'not-elected'],
  ...['reconnected', 'exited', 'refused', 'failed', 'data-damaged'],
]);
const beforeMs = 20_000;
const afterMs = 12_000;
const apartMs = 4000;

/** @param events oldest first. @returns newest first. */
export function storiesOf(events: readonly ApiEvent[]): Story[] {
  const stories: Story[] = [];
  let from = 0;
  for (let at = 0; at < events.length; at += 1) {
    if (!turns.has(events[at]!.kind)) continue;
    const end = lastOf(events, at);
    const story = tell(events, from, at, end);
    if (story) stories.push(story);
    from = end + 1;
    at = end;
  }
  return stories.reverse();
}

/** The index of the last event that belongs to the turn at `at`. */
function lastOf(events: readonly ApiEvent[], at: number): number {
  let end = at;
  let turnMs = timeOf(events[at]!);
  for (let next = at + 1; next < events.length; next += 1) {
    const event = events[next]!;
    const ms = timeOf(event);
    // Another primary is another change, however soon; and so is the same one, promoted again later.
    const isSame = event.subject === events[at]!.subject;
    if (turns.has(event.kind) && isSame && ms - turnMs <= apartMs) turnMs = ms;
    else if (turns.has(event.kind) || event.kind === 'election' || event.kind === 'asked') break;
    else if (deaths.has(event.kind) && event.subject === events[at]!.subject) break;
    else if (!follows.has(event.kind)) continue;
    if (ms - turnMs > afterMs) break;
    end = next;
  }
  return end;
}

function tell(events: readonly ApiEvent[], from: number, at: number, end: number): Story | null {
  const turn = events[at]!;
  let start = at;
  for (let before = at - 1; before >= from; before -= 1) {
    const event = events[before]!;
    if (timeOf(turn) - timeOf(event) > beforeMs) break;
    if (begins.has(event.kind)) start = before;
  }
  const told = events
    .slice(start, end + 1)
    .filter(({ kind }) => begins.has(kind) || turns.has(kind) || follows.has(kind));
  const asked = told.find(({ kind }) => kind === 'switchover' || kind === 'failover');
  const before = primaryBefore(events, start, turn.subject);
  // The first word on who is primary, when a deployment starts, is no change. Of a restart of all members, as of another
  // planned change that is told as something else, nothing but the new name tells.
  if (start === at && !asked && before === null) return null;
  const atMs = timeOf(events[start]!);
  const named = told.findLast(({ kind }) => turns.has(kind) && kind !== 'failover') ?? turn;
  const promoted = told.find(({ kind }) => kind === 'promoted') ?? turn;
  const lost = told.find(({ kind, subject }) => deaths.has(kind) && subject !== named.subject);
  return {
    key: `${events[start]!.host}:${events[start]!.seq}`,
    kind: asked?.kind === 'switchover' || isPlanned(told) ? 'switchover' : 'failover',
    atMs,
    from: lost?.subject ?? primaryBefore(events, start, named.subject),
    to: named.subject,
    tookMs: timeOf(promoted) - atMs,
    steps: stepsOf(told, atMs),
  };
}

/** Nothing died, and nobody stood for election. */
function isPlanned(told: readonly ApiEvent[]): boolean {
  return told.every(({ kind }) => kind !== 'promoted' && kind !== 'failover' && !begins.has(kind));
}

/** Whom an event before named as primary; null when none is kept that names another, or everything was started since. */
function primaryBefore(events: readonly ApiEvent[], start: number, now: string): string | null {
  for (let at = start - 1; at >= 0; at -= 1) {
    const { kind, subject } = events[at]!;
    if (kind === 'first-start') return subject === now ? null : subject;
    if (kind === 'cold-start') return null;
    if (turns.has(kind)) return subject === now ? null : subject;
  }
  return null;
}

function stepsOf(told: readonly ApiEvent[], atMs: number): Step[] {
  const steps: (Step & { hosts: string[] })[] = [];
  for (const event of told) {
    const same = steps.find(
      ({ event: { kind, subject, text }, hosts }) =>
        kind === event.kind &&
        subject === event.subject &&
        text === event.text &&
        !hosts.includes(event.host),
    );
    if (same) same.hosts.push(event.host);
    else steps.push({ ms: timeOf(event) - atMs, event, hosts: [event.host] });
  }
  return steps;
}

const times = new WeakMap<ApiEvent, number>();

/** Read once: charts ask for that of every event in sight each second. */
export function timeOf(event: ApiEvent): number {
  const known = times.get(event);
  if (known !== undefined) return known;
  const atMs = Date.parse(event.at);
  times.set(event, atMs);
  return atMs;
}
