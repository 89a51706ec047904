/** Where a scenario acts: a testbed under load, and words for what is done to it. */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../base/retry.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { DrillFailed } from './errors.ts';
import type { CutOff, Mark } from './finding.ts';
import type { Ledger } from './ledger.ts';

const patienceMs = 90_000;

export class Stage {
  readonly testbed: Testbed;
  readonly ledger: Ledger;
  readonly marks: Mark[] = [];
  readonly signal: AbortSignal;
  readonly #report: (line: string) => void;
  #struckMs: number | null = null;
  cutOff: CutOff | null = null;

  constructor(testbed: Testbed, ledger: Ledger, report: (line: string) => void, signal: AbortSignal) {
    this.testbed = testbed;
    this.ledger = ledger;
    this.signal = signal;
    this.#report = report;
  }

  /** When the failure was made; now, if it was not yet. */
  get struckMs(): number {
    return this.#struckMs ?? performance.now();
  }

  /** Does the harm. Everything is measured from here on. */
  async inject(what: string, harm: () => Promise<unknown> | void): Promise<void> {
    this.#struckMs ??= performance.now();
    this.mark(what);
    await harm();
  }

  mark(label: string): void {
    this.marks.push({ atMs: performance.now(), label });
    this.#report(label);
  }

  async primary(): Promise<string> {
    const find = async () => (await this.testbed.primary()) ?? undefined;
    return this.until('a primary to be named', find);
  }

  async replicas(): Promise<string[]> {
    const primary = await this.primary();
    return (await this.members()).filter((id) => id !== primary);
  }

  async members(): Promise<string[]> {
    return this.#ids('member');
  }

  async sentinels(): Promise<string[]> {
    return this.#ids('sentinel');
  }

  async gates(): Promise<string[]> {
    return this.#ids('gate');
  }

  async hostOf(id: string): Promise<string> {
    const found = (await this.testbed.processes()).find((each) => each.id === id);
    if (!found) throw DrillFailed(`${id} is not there`);
    return found.host;
  }

  async pidOf(id: string): Promise<number | null> {
    return (await this.testbed.processes()).find((each) => each.id === id)?.pid ?? null;
  }

  kill(id: string): Promise<void> {
    return this.testbed.signal(id, 'SIGKILL');
  }

  /** Another process runs in the place of the one that had this pid. */
  async replaced(id: string, pid: number | null): Promise<void> {
    const isNew = async () => {
      const now = await this.pidOf(id);
      return now !== null && now !== pid;
    };
    await this.until(`another process of ${id}`, isNew);
    this.mark(`another process of ${id} runs`);
  }

  /** Someone else is primary. */
  async anotherPrimaryThan(old: string): Promise<string> {
    const changed = async () => {
      const now = await this.testbed.primary();
      return now !== null && now !== old ? now : undefined;
    };
    const now = await this.until(`another primary than ${old}`, changed);
    this.mark(`${now} is primary`);
    return now;
  }

  /** Writes are taken again by clients that are not cut off. */
  async writesGoOn(): Promise<void> {
    const cutOff = this.cutOff?.listeners;
    const count = () =>
      this.ledger.writes.filter(
        ({ outcome, listener }) => outcome === 'acknowledged' && !cutOff?.has(listener),
      ).length;
    const before = count();
    await this.until('writes to be taken again', () => count() > before + 50, 50);
    this.mark('writes are taken again');
  }

  /** Starts what died, where nobody else does. */
  async revive(): Promise<void> {
    if (this.testbed.heals) return;
    this.mark('what died is started again');
    await this.testbed.revive();
  }

  /** Nothing passes between this host and the others. Its clients can reach only it. */
  async cutOffHost(host: string): Promise<void> {
    await this.#noteCutOff(host);
    this.testbed.setCutOff(host, true);
  }

  reconnectHost(host: string): void {
    this.testbed.setCutOff(host, false);
    this.#noteReconnected(host);
  }

  /** What this host sends is lost, and it hears the others. Its clients can reach only it. */
  async muteHost(host: string): Promise<void> {
    await this.#noteCutOff(host);
    this.testbed.setMute(host, true);
  }

  unmuteHost(host: string): void {
    this.testbed.setMute(host, false);
    this.#noteReconnected(host);
  }

  async #noteCutOff(host: string): Promise<void> {
    const listeners = new Set((await this.testbed.listeners([host])).map(({ id }) => id));
    this.cutOff = { listeners, fromMs: performance.now(), untilMs: Infinity, trustedMs: Infinity };
  }

  #noteReconnected(host: string): void {
    if (this.cutOff) this.cutOff.untilMs = performance.now();
    this.mark(`host ${host} is connected again`);
  }

  /** Waits until this much time has passed since the failure. */
  async untilSinceStrike(ms: number): Promise<void> {
    await this.pause(Math.max(0, this.struckMs + ms - performance.now()));
  }

  /** Until the one who heals has seen that this member holds data. */
  async dataOfIsKnown(member: string): Promise<void> {
    await this.until(`it to be known that ${member} holds data`, () => this.testbed.knowsDataOf(member), 50);
  }

  /** A member that died is refused, or, where nothing guards against it, is primary again. */
  async refusedOrPrimary(member: string, oldPid: number | null): Promise<'refused' | 'primary'> {
    const settled = async () => {
      if ((await this.testbed.refusal(member)) !== null) return 'refused';
      const found = (await this.testbed.processes()).find(({ id }) => id === member);
      const isNew = found?.pid !== null && found?.pid !== oldPid;
      return isNew && (await this.testbed.primary()) === member ? 'primary' : undefined;
    };
    const verdict = await this.until(`${member} to be refused, or to be primary again`, settled, 50);
    this.mark(
      verdict === 'refused' ? `${member} is not started over the others` : `${member} is primary again`,
    );
    return verdict;
  }

  /** A person asks for a failover, until there is someone who can take over. @param to who is to */
  async failOver(to?: string): Promise<void> {
    const done = () => this.testbed.failover(to).then(() => true);
    await this.until('a failover', done, 500);
    this.mark(`a person let ${to ?? 'a replica'} take over`);
  }

  /** A person has the one that leads do so alone, so that writes wait for nobody who is away. */
  async leadAlone(lead: string): Promise<void> {
    await this.testbed.failover(lead);
    this.mark(`a person has ${lead} lead alone`);
  }

  until<T>(what: string, test: () => Promise<T | undefined | false> | T | undefined | false, everyMs = 20) {
    return waitFor(test, { what, withinMs: patienceMs, everyMs, signal: this.signal });
  }

  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.signal });
  }

  async #ids(kind: string): Promise<string[]> {
    return (await this.testbed.processes()).filter((each) => each.kind === kind).map(({ id }) => id);
  }
}
