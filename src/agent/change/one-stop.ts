/**
 * The end of this agent with everything that it runs. There is one, whoever asks: a signal, `down`, or both. Who asks while
 * it is under way joins it, hears its steps from then on, and how it ends. One that failed may be asked for anew.
 */
import type { Report } from './change-context.ts';

export class OneStop {
  readonly #stop: (report: Report) => Promise<void>;
  readonly #reports = new Set<Report>();
  #underWay: Promise<void> | null = null;

  /** @param stop stops everything. Never called while an earlier call is under way. */
  constructor(stop: (report: Report) => Promise<void>) {
    this.#stop = stop;
  }

  /** @throws what the stop throws, to everyone who joined it */
  join(report: Report): Promise<void> {
    this.#reports.add(report);
    this.#underWay ??= this.#begin();
    return this.#underWay;
  }

  async #begin(): Promise<void> {
    try {
      await this.#stop((line) => {
        for (const report of this.#reports) report(line);
      });
    } finally {
      this.#underWay = null;
      this.#reports.clear();
    }
  }
}
