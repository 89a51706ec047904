/**
 * What the deployment did, back in time: every second for an hour, every minute for a week. The next agent has both: it
 * is after an incident, or an upgrade, that one looks back.
 */
import type { ApiHistory } from '../../api/history.ts';
import type { ApiView } from '../../api/view.ts';
import { FiguresFile } from './figures-file.ts';
import { Minute } from './minute.ts';
import { type Figures, Samples } from './samples.ts';

const secondsKept = 3600;
const minutesKept = 7 * 24 * 60;
const secondsWrittenAtOnce = 10;

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
  readonly #members: readonly string[];
  readonly #seconds: Samples;
  readonly #minutes: Samples;
  readonly #secondsFile: FiguresFile;
  readonly #minutesFile: FiguresFile;
  readonly #minute = new Minute((name) => peaks.has(name.slice(name.indexOf(' ') + 1)));

  /** @param files where both are kept. */
  constructor(files: { seconds: string; minutes: string }, members: readonly string[]) {
    this.#secondsFile = new FiguresFile(files.seconds, {
      kept: secondsKept,
      writtenAtOnce: secondsWrittenAtOnce,
    });
    this.#minutesFile = new FiguresFile(files.minutes, { kept: minutesKept, writtenAtOnce: 1 });
    this.#members = members;
    const names = [
      ...deploymentNames,
      ...members.flatMap((id) => memberNames.map((name) => memberFigure(id, name))),
    ];
    this.#seconds = new Samples(secondsKept, names);
    this.#minutes = new Samples(minutesKept, names);
  }

  /** Takes what an agent before left. @param nowMs Unix ms. */
  async load(nowMs: number): Promise<void> {
    await this.#minutesFile.load(0, (atMs, figures) => this.#minutes.add(atMs, figures));
    const fromMs = nowMs - secondsKept * 1000;
    await this.#secondsFile.load(fromMs, (atMs, figures) => this.#seconds.add(atMs, figures));
  }

  /** Takes the sample of a second. */
  add(atMs: number, view: ApiView): void {
    const figures = figuresOf(view);
    this.#seconds.add(atMs, figures);
    this.#secondsFile.add(atMs, figures);
    const minute = this.#minute.add(atMs, figures);
    if (minute === null) return;
    this.#minutes.add(minute.atMs, minute.figures);
    this.#minutesFile.add(minute.atMs, minute.figures);
  }

  /** Writes what was not written yet. */
  close(): void {
    this.#secondsFile.flush();
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
