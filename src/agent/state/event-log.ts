/**
 * What happened, newest last: kept in memory for those who follow, and in a file that survives the agent. The file
 * has one JSON object a line; a line that a crash cut short is skipped when reading. What can't be written waits, and is written
 * in order when something can be again.
 */
import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import { rotateLog } from '../../process/log-rotation.ts';
import type { EventKind } from './event-kinds.ts';

export interface DeploymentEvent {
  /** Counts up by one, over restarts of the agent too. */
  seq: number;
  /** ISO 8601, UTC. */
  at: string;
  /** A word for machines: event-kinds.ts has those of this version. */
  kind: string;
  /** Whom it is about: the id of a member, sentinel or gate, or the deployment's name. */
  subject: string;
  /** The sentence for people. */
  text: string;
}

const keptInMemory = 1000;

export class EventLog {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #events: DeploymentEvent[];
  readonly #listeners = new Set<(event: DeploymentEvent) => void>();
  #last: number;
  /** Lines that are not in the file yet, oldest first. */
  #waiting: string[] = [];
  /** How many were let go of, because too many waited. */
  #lost = 0;
  /** The last write failed, and may have left a part of its line. */
  #mayBeTorn = false;

  constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    const { events: there, unreadable } = readFileOfEvents(file);
    // Just after a rotation the last number is in the file before.
    this.#events = (there.length > 0 ? there : readEvents(`${file}.1`)).slice(-keptInMemory);
    endTornLine(file);
    this.#last = this.#events.at(-1)?.seq ?? 0;
    if (unreadable > 0) this.add('state-damaged', 'events', `${unreadable} lines of ${file} can't be read`);
  }

  add(kind: EventKind, subject: string, text: string): void {
    this.#last += 1;
    const event = { seq: this.#last, at: new Date(this.#clock.wallMs()).toISOString(), kind, subject, text };
    this.#events.push(event);
    if (this.#events.length > keptInMemory) this.#events.shift();
    this.#waiting.push(`${JSON.stringify(event)}\n`);
    if (this.#waiting.length > keptInMemory) {
      this.#waiting.shift();
      this.#lost += 1;
    }
    this.#write();
    for (const listener of this.#listeners) listener(event);
    if (this.#waiting.length > 0 || this.#lost === 0) return;
    const gone = `${this.#lost} events before the last ${keptInMemory} could not be written to ${this.#file}, and are gone`;
    this.#lost = 0;
    this.add('state-unwritten', 'events', gone);
  }

  /** Line by line: what is in the file whole is not written twice. */
  #write(): void {
    try {
      if (this.#mayBeTorn) endTornLine(this.#file);
      for (let line = this.#waiting[0]; line !== undefined; line = this.#waiting[0]) {
        this.#mayBeTorn = true;
        appendFileSync(this.#file, line, { mode: 0o600 });
        this.#mayBeTorn = false;
        this.#waiting.shift();
      }
    } catch (error) {
      // A full disk must not stop a failover; the event is still shown to whoever follows.
      process.stderr.write(`cannot write ${this.#file}: ${String(error)}\n`);
    }
  }

  /** The number of the newest. */
  get last(): number {
    return this.#last;
  }

  /** Events after the one numbered `seq`. */
  since(seq: number): DeploymentEvent[] {
    return this.#events.filter((event) => event.seq > seq);
  }

  /** @returns what ends the listening. */
  listen(listener: (event: DeploymentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called now and then. */
  async rotate(): Promise<void> {
    this.#write();
    await rotateLog(this.#file);
  }
}

/** What a crash cut short must not take the next event with it. */
function endTornLine(file: string): void {
  try {
    const bytes = readFileSync(file);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < bytes.length) truncateSync(file, whole);
  } catch {
    // No file yet, or none that can be written; `add` says so when it matters.
  }
}

/** The events of a file, oldest first; none when it is missing. */
export function readEvents(file: string): DeploymentEvent[] {
  return readFileOfEvents(file).events;
}

/** `unreadable`: lines that are no events. A last one without its end was cut short by a crash, and is none of them. */
function readFileOfEvents(file: string): { events: DeploymentEvent[]; unreadable: number } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { events: [], unreadable: 0 };
  }
  const lines = text.split('\n');
  lines.pop();
  const events = lines.map(eventIn);
  const found = events.filter((event) => event !== null);
  return { events: found, unreadable: events.length - found.length };
}

function eventIn(line: string): DeploymentEvent | null {
  try {
    const event = JSON.parse(line) as DeploymentEvent | null;
    const isOne =
      Number.isInteger(event?.seq) && typeof event?.at === 'string' && typeof event.text === 'string';
    return isOne ? event : null;
  } catch {
    return null;
  }
}
