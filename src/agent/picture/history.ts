/**
 * What the deployment did, back in time: every second for an hour, every minute for a week. Seconds are gone with the
 * agent; each minute is a line of JSON in a file of its own, which the next agent reads.
 */
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ApiHistory } from '../../api/history.ts';
import type { ApiView } from '../../api/view.ts';
import { rotateLog } from '../../process/log-rotation.ts';
import { Minute } from './minute.ts';
import { type Figures, Samples } from './samples.ts';

const secondsKept = 3600;
const minutesKept = 7 * 24 * 60;

const deploymentNames = [
  'commandsPerSecond',
  'errorsPerSecond',
  'clients',
  'held',
  'p50Ms',
  'p99Ms',
] as const;
const memberNames = ['lagBytes', 'memoryBytes', 'commandsPerSecond', 'keys'] as const;
const peaks = new Set(['held', 'p99Ms', 'lagBytes']);

/** `redis-1 lagBytes`: ids have no spaces. */
const memberFigure = (id: string, name: string) => `${id} ${name}`;

export interface HistoryRange {
  step: '1s' | '1m';
  /** Unix ms. */
  fromMs: number;
  toMs: number;
}

export class History {
  readonly #file: string;
  readonly #members: readonly string[];
  readonly #seconds: Samples;
  readonly #minutes: Samples;
  readonly #minute = new Minute((name) => peaks.has(name.slice(name.indexOf(' ') + 1)));

  /** @param file of minutes; it may be missing. */
  constructor(file: string, members: readonly string[]) {
    this.#file = file;
    this.#members = members;
    const names = [
      ...deploymentNames,
      ...members.flatMap((id) => memberNames.map((name) => memberFigure(id, name))),
    ];
    this.#seconds = new Samples(secondsKept, names);
    this.#minutes = new Samples(minutesKept, names);
  }

  /** Takes what an agent before left. In small pieces: a week of fifty members is much to read at once. */
  async load(): Promise<void> {
    for (const name of [`${this.#file}.1`, this.#file]) {
      const lines = (await readFile(name, 'utf8').catch(() => '')).split('\n');
      for (const [index, line] of lines.entries()) {
        const minute = parseMinute(line);
        if (minute !== null) this.#minutes.add(minute.atMs, minute.figures);
        if (index % linesAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  /** Takes the sample of a second. A disk that takes no line must not stop anything: the memory has it. */
  add(atMs: number, view: ApiView): void {
    const figures = figuresOf(view);
    this.#seconds.add(atMs, figures);
    const minute = this.#minute.add(atMs, figures);
    if (minute === null) return;
    this.#minutes.add(minute.atMs, minute.figures);
    try {
      appendFileSync(this.#file, `${JSON.stringify({ at: minute.atMs, ...minute.figures })}\n`, {
        mode: 0o600,
      });
      void rotateLog(this.#file).catch(() => {});
    } catch (error) {
      process.stderr.write(`cannot write ${this.#file}: ${String(error)}\n`);
    }
  }

  read({ step, fromMs, toMs }: HistoryRange): ApiHistory {
    const samples = step === '1s' ? this.#seconds : this.#minutes;
    const { at, columns } = samples.read(fromMs, toMs);
    const series = <N extends string>(names: readonly N[], key: (name: N) => string) =>
      Object.fromEntries(names.map((name) => [name, columns.get(key(name)) ?? []])) as Record<
        N,
        (number | null)[]
      >;
    return {
      stepMs: step === '1s' ? 1000 : 60_000,
      at,
      deployment: series(deploymentNames, (name) => name),
      members: Object.fromEntries(
        this.#members.map((id) => [id, series(memberNames, (name) => memberFigure(id, name))]),
      ),
    };
  }
}

const linesAtOnce = 200;

function figuresOf({ clients, members, gates }: ApiView): Figures {
  const { read, write } = clients.latency;
  // Of gates that nobody tells of now it is not known that nothing goes through them.
  const isKnown =
    gates.length === 0 || gates.some(({ ageMs, clients: there }) => ageMs === null && there !== null);
  const known = (figure: number) => (isKnown ? figure : null);
  const figures: Record<string, number | null> = {
    commandsPerSecond: known(clients.commandsPerSecond),
    errorsPerSecond: known(clients.errorsPerSecond),
    clients: known(clients.connected),
    held: known(clients.held),
    p50Ms: worse(read?.p50Ms, write?.p50Ms),
    p99Ms: worse(read?.p99Ms, write?.p99Ms),
  };
  for (const { id, lagBytes, memory, commandsPerSecond, keys } of members) {
    figures[memberFigure(id, 'lagBytes')] = lagBytes;
    figures[memberFigure(id, 'memoryBytes')] = memory?.usedBytes ?? null;
    figures[memberFigure(id, 'commandsPerSecond')] = commandsPerSecond;
    figures[memberFigure(id, 'keys')] = keys;
  }
  return figures;
}

function worse(a: number | undefined, b: number | undefined): number | null {
  return a === undefined && b === undefined ? null : Math.max(a ?? 0, b ?? 0);
}

/** Null for what is no line of ours, as after a crash. */
function parseMinute(line: string): { atMs: number; figures: Figures } | null {
  try {
    const value = JSON.parse(line) as unknown;
    if (typeof value !== 'object' || value === null) return null;
    const numbers = Object.entries(value).filter(([, each]) => typeof each === 'number');
    const { at, ...figures } = Object.fromEntries(numbers) as Record<string, number>;
    return at === undefined ? null : { atMs: at, figures };
  } catch {
    return null;
  }
}
