/** Events as marks on the axis of time: those that are close to each other are one mark. Pure. */
import type { ApiEvent } from '../../../src/api/events.ts';
import { timeOf } from '../data/stories.ts';
import { toneOfEvent } from '../parts/tones.ts';
import type { Moment } from './time-chart.tsx';

export interface Mark {
  atMs: number;
  /** Oldest first. */
  events: readonly ApiEvent[];
  bad: boolean;
}

/** @param widthMs how much time a mark takes; events within that are one. */
export function marksOf(events: readonly ApiEvent[], fromMs: number, toMs: number, widthMs: number): Mark[] {
  const marks: { atMs: number; events: ApiEvent[]; bad: boolean }[] = [];
  for (const event of since(events, fromMs)) {
    const atMs = timeOf(event);
    if (atMs > toMs) continue;
    const bad = toneOfEvent(event.kind) === 'bad';
    const last = marks.at(-1);
    if (last && atMs - last.atMs < widthMs) {
      last.events.push(event);
      last.bad ||= bad;
    } else marks.push({ atMs, events: [event], bad });
  }
  return marks;
}

/** What is drawn in every chart: what went wrong, and what changed. Not each note. */
export function momentsOf(events: readonly ApiEvent[], fromMs: number, toMs: number): Moment[] {
  const telling = since(events, fromMs).filter(({ kind }) => toneOfEvent(kind) !== 'off');
  return marksOf(telling, fromMs, toMs, (toMs - fromMs) / 300).map(({ atMs, bad }) => ({ atMs, bad }));
}

/** Looked for from the newest back: a chart of the last minutes does not care for ten thousand before. */
function since(events: readonly ApiEvent[], fromMs: number): readonly ApiEvent[] {
  let first = events.length;
  while (first > 0 && timeOf(events[first - 1]!) >= fromMs) first -= 1;
  return events.slice(first);
}
