import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor } from '../../src/base/retry.ts';
import type { Progress } from '../../src/migrate/progress.ts';
import { type CliProcess, startCli } from './cli-process.ts';
import { holdfast } from './deployment.ts';

/** `holdfast migrate` in a process of its own, which may be killed and taken up again. */
export class MigrationProcess {
  static readonly #all: MigrationProcess[] = [];
  readonly state: string;
  #process: CliProcess;

  private constructor(state: string, args: readonly string[]) {
    this.state = state;
    this.#process = startCli(['migrate', ...args, '--state-dir', state]);
    MigrationProcess.#all.push(this);
  }

  /** @param state its state directory. @param args sources and options */
  static begin(state: string, args: readonly string[]): MigrationProcess {
    return new MigrationProcess(state, args);
  }

  static async killAll(): Promise<void> {
    for (const each of MigrationProcess.#all.splice(0)) await each.kill();
  }

  get ended(): Promise<number | null> {
    return this.#process.ended;
  }

  said(): string {
    return this.#process.said();
  }

  async kill(): Promise<void> {
    this.#process.child.kill('SIGKILL');
    await this.#process.ended;
  }

  resume(): void {
    this.#process = startCli(['migrate', 'resume', '--state-dir', this.state]);
  }

  /** Another command about it, with its answer as JSON. */
  async ask(...args: string[]): Promise<{ status: number; said: Record<string, unknown> }> {
    const asked = ['migrate', ...args, '--state-dir', this.state, '--json'];
    const { status, stdout, stderr } = await holdfast(asked);
    try {
      return { status, said: JSON.parse(stdout === '' ? stderr : stdout) as Record<string, unknown> };
    } catch {
      throw new Error(`${args.join(' ')}: ${status} ${stdout} ${stderr}`);
    }
  }

  get hasPlan(): boolean {
    return existsSync(path.join(this.state, 'plan.json'));
  }

  /** @throws with what it said when it does not come to that */
  async untilFollowing(withinMs = 60_000): Promise<void> {
    // By scan there is no offset, and no lag.
    const near = ({ phase, appliedOffset, lagBytes }: Progress['sources'][number]) =>
      phase === 'following' && (appliedOffset === null || (lagBytes !== null && lagBytes < 100_000));
    const follows = () => {
      const file = path.join(this.state, 'progress.json');
      if (!existsSync(file)) return false;
      const { pid, phase, sources } = JSON.parse(readFileSync(file, 'utf8')) as Progress;
      return pid === this.#process.child.pid && phase === 'running' && sources.every(near);
    };
    await waitFor(follows, { what: 'every source to be followed', withinMs }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.said()}`);
    });
  }
}
