/**
 * Looks every second at what the agent knows, keeps what happened since the last look, and makes the view of it. Whoever
 * follows gets it every second, and soon after anything happened: a few times, because what an event begins takes a while.
 */
import type { ApiHostReport, ApiMoves, ApiView } from '../../api/view.ts';
import type { GateStatus } from '../../gate/control/control-api.ts';
import type { Status } from '../api/status-answer.ts';
import type { Deployment } from '../deployment.ts';
import { cutTroubles } from '../state/troubles.ts';
import { type Colleague, problemsBeside, reportOf, withColleagues } from './colleague-view.ts';
import { History } from './history.ts';
import { HostVitals } from './host-vitals.ts';
import { ownView } from './own-view.ts';
import { type GateRates, gateRates } from './rates.ts';
import { statusOfAll } from './status-of-all.ts';

const everyMs = 1000;
/** After an event the view is made anew this much later. */
const afterEventMs = [20, 150, 400];

export interface PictureSources {
  status: () => Status;
  operation: () => ApiView['operation'];
  /** How far the events of all hosts are known. */
  events: () => string;
  /** How often a job of this agent changed. */
  jobs: () => number;
  /** Data on its way, as far as this agent knows. */
  moves: () => ApiMoves;
  /** By host. */
  colleagues: () => ReadonlyMap<string, Colleague>;
}

export class Picture {
  readonly history: History;
  readonly #deployment: Deployment;
  readonly #sources: PictureSources;
  readonly #host: HostVitals;
  readonly #gateStatuses = new Map<string, GateStatus>();
  readonly #gateRates = new Map<string, GateRates>();
  readonly #commands = new Map<string, { atMs: number; count: number }>();
  readonly #memberRates = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #interval: NodeJS.Timeout | undefined;
  #stopListening = () => {};
  #stopped = false;

  constructor(deployment: Deployment, sources: PictureSources) {
    this.#deployment = deployment;
    this.#sources = sources;
    const { paths, clock } = deployment.setting;
    this.#host = new HostVitals(paths.root, clock);
    this.history = new History(
      { seconds: paths.historySeconds, minutes: paths.history },
      deployment.members.map(({ place }) => place.id),
    );
  }

  start(): void {
    this.#stopListening = this.#deployment.events.listen(() => this.#soon());
    void this.history.load(this.#deployment.setting.clock.wallMs()).then(() => {
      if (this.#stopped) return;
      this.#interval = setInterval(() => this.#look(), everyMs);
      this.#look();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#interval);
    this.history.close();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#stopListening();
    this.#listeners.clear();
  }

  /** @returns what ends the listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  view(): ApiView {
    return withColleagues(this.#own(), this.#sources.colleagues());
  }

  /** The same as the command line shows it. */
  status(): Status {
    const own = this.#own();
    const colleagues = this.#sources.colleagues();
    const beside = problemsBeside(own, colleagues);
    return statusOfAll(this.#sources.status(), withColleagues(own, colleagues), beside);
  }

  report(): ApiHostReport {
    const { troubles } = this.#deployment;
    return reportOf(this.#own(), { jobs: this.#sources.jobs(), troubles: cutTroubles(troubles.all) });
  }

  #own(): ApiView {
    const { spec, setting, members, events, elections } = this.#deployment;
    const { clock, host } = setting;
    return ownView({
      ...{ spec, host, nowMs: clock.monotonicMs(), wallMs: clock.wallMs() },
      seq: events.last,
      events: this.#sources.events(),
      jobs: this.#sources.jobs(),
      moves: this.#sources.moves(),
      status: this.#sources.status(),
      view: this.#deployment.view(),
      vitals: new Map(
        members.flatMap(({ place, watch }) => (watch.seen.vitals ? [[place.id, watch.seen.vitals]] : [])),
      ),
      memberRates: this.#memberRates,
      gateStatuses: this.#gateStatuses,
      gateRates: this.#gateRates,
      votes: elections.votes,
      here: this.#host.seen,
      operation: this.#sources.operation(),
    });
  }

  #look(): void {
    const { gates, members, setting } = this.#deployment;
    for (const { place, adapter } of gates) this.#noteGate(place.id, adapter.seen.status);
    for (const { place, watch } of members) {
      const { vitals } = watch.seen;
      this.#noteMember(place.id, watch.lastAnswerMs, vitals?.commands);
    }
    void this.#host.look();
    this.history.add(Math.round(setting.clock.wallMs()), this.view());
    this.#tell();
  }

  #noteGate(id: string, status: GateStatus | undefined): void {
    const before = this.#gateStatuses.get(id);
    if (status === undefined) {
      this.#gateStatuses.delete(id);
      this.#gateRates.delete(id);
      return;
    }
    this.#gateStatuses.set(id, status);
    const rates = before === undefined ? null : gateRates(before, status);
    if (rates !== null) this.#gateRates.set(id, rates);
    else if (before?.process.upMs !== status.process.upMs) this.#gateRates.delete(id);
  }

  #noteMember(id: string, atMs: number, count: number | undefined): void {
    const before = this.#commands.get(id);
    if (count === undefined) {
      this.#commands.delete(id);
      this.#memberRates.delete(id);
      return;
    }
    if (before?.atMs === atMs) return;
    this.#commands.set(id, { atMs, count });
    if (before === undefined || count < before.count) this.#memberRates.delete(id);
    else this.#memberRates.set(id, ((count - before.count) * 1000) / (atMs - before.atMs));
  }

  #soon(): void {
    if (this.#listeners.size === 0 || this.#timers.size > 0) return;
    for (const ms of afterEventMs) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#tell();
      }, ms);
      this.#timers.add(timer);
    }
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
