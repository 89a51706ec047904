/** What this agent and its host cost and have, looked at now and then. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import type { ApiHost } from '../../api/view.ts';
import type { Clock } from '../../base/clock.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const holdfastVersion = version;

export class HostVitals {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #startedAt: string;
  #cpu = process.cpuUsage();
  #lookedMs: number;
  #cpuShare: number | null = null;
  #disk: ApiHost['disk'] = null;

  /** @param folder whose file system is meant. */
  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
    this.#lookedMs = clock.monotonicMs();
    this.#startedAt = new Date(clock.wallMs() - process.uptime() * 1000).toISOString();
  }

  /** To be called about every second. */
  async look(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const { user, system } = process.cpuUsage(this.#cpu);
    if (nowMs > this.#lookedMs) this.#cpuShare = (user + system) / 1000 / (nowMs - this.#lookedMs);
    this.#cpu = process.cpuUsage();
    this.#lookedMs = nowMs;
    try {
      const { bavail, blocks, bsize } = await statfs(this.#folder);
      this.#disk = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      this.#disk = null;
    }
  }

  get seen(): Pick<ApiHost, 'version' | 'startedAt' | 'memoryBytes' | 'cpuShare' | 'load' | 'disk'> {
    return {
      version,
      startedAt: this.#startedAt,
      memoryBytes: process.memoryUsage.rss(),
      cpuShare: this.#cpuShare,
      load: os.loadavg()[0] ?? null,
      disk: this.#disk,
    };
  }
}
