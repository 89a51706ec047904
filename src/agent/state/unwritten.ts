/**
 * State that could not be written: a full disk, a folder that went away. It ends nothing: servers are watched and replaced as
 * before, and the next write may go well. It is said once, and again when it still is so after a while; `status` says it until
 * something can be written again.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../base/atomic-file.ts';
import type { Clock } from '../../base/clock.ts';
import { errorToJson } from '../../base/error-wire.ts';
import type { EventLog } from './event-log.ts';
import type { Troubles } from './troubles.ts';

const againMs = 60_000;
const trouble = 'state';

interface Surroundings {
  events: Pick<EventLog, 'add'>;
  troubles: Troubles;
  clock: Clock;
  /** Of the deployment. */
  name: string;
  /** Its state directory. */
  root: string;
}

export class Unwritten {
  readonly #around: Surroundings;
  readonly #saidAtMs = new Map<string, number>();
  #trying = false;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** @throws the error itself, unless it is the system's. */
  note(error: unknown): void {
    const { code, message } = errorToJson(error);
    if (!['DISK_FULL', 'SYSTEM_REFUSED'].includes(code)) throw error;
    const { clock, events, troubles, name } = this.#around;
    troubles.note(trouble, `the state could not be written: ${message}`);
    const nowMs = clock.monotonicMs();
    const before = this.#saidAtMs.get(code);
    if (before !== undefined && nowMs - before < againMs) return;
    this.#saidAtMs.set(code, nowMs);
    events.add('state-unwritten', name, message);
  }

  /** Whether it is over is known only when something is written. */
  async lookAgain(): Promise<void> {
    const { troubles, root } = this.#around;
    if (this.#trying || !troubles.has(trouble)) return;
    this.#trying = true;
    const file = path.join(root, 'unwritten');
    try {
      await writeFileAtomic(file, 'Can it be written?\n');
      await rm(file, { force: true });
      troubles.note(trouble, null);
    } catch (error) {
      this.note(error);
    } finally {
      this.#trying = false;
    }
  }

  /** Also what was begun and is waited for by nobody. @returns what ends that. */
  listen(): () => void {
    const listener = (error: unknown) => this.note(error);
    process.on('unhandledRejection', listener);
    return () => process.off('unhandledRejection', listener);
  }
}
