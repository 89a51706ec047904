/** What a deployment costs while nobody uses it: processor time and memory of the agent, the gate and each server. */
import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf } from '../process/stat.ts';
import { BenchFailed } from './errors.ts';
import { withTestbed } from './own-testbed.ts';
import { processCpuMicros, processMemoryBytes } from './process-cost.ts';
import { type BenchContext, type BenchHead, headOf } from './result.ts';

export interface IdleOptions {
  seconds: number;
  /** How long it may settle first: what a start leaves to do is not what idling costs. */
  settleSeconds: number;
}

export interface IdleReport extends BenchHead {
  options: IdleOptions;
  processes: IdleProcess[];
}

export interface IdleProcess {
  id: string;
  /** Percent of one core. */
  cpuPercent: number;
  /** Resident memory, in bytes: the most that was seen. */
  memoryBytes: number;
}

/** @throws BENCH_FAILED when a process ends meanwhile, or there is no /proc. */
export async function benchIdle(options: IdleOptions, context: BenchContext): Promise<IdleReport> {
  const head = headOf('idle', context);
  const { signal, report } = context;
  return withTestbed({ durability: 'async', persistence: 'aof-everysec' }, async ({ testbed }) => {
    report(`waiting ${options.settleSeconds} s, then looking for ${options.seconds} s`);
    await delay(options.settleSeconds * 1000, undefined, { signal });
    const [host = ''] = testbed.hosts;
    const agentPid = await testbed.agentPid(host);
    const known = [{ id: 'agent', pid: agentPid }, ...(await testbed.processes())];
    // What waits to be needed costs, too.
    const spares = childrenOf(agentPid ?? -1).filter((pid) => known.every((each) => each.pid !== pid));
    const processes = [...known, ...spares.map((pid) => ({ id: 'a spare for the gate', pid }))];
    const costs = processes.map(({ id, pid }) => new Cost(id, pid ?? -1));
    for (let second = 0; second < options.seconds; second++) {
      await delay(1000, undefined, { signal });
      for (const cost of costs) cost.look();
    }
    return { ...head, options, processes: costs.map((cost) => cost.end()) };
  });
}

class Cost {
  readonly #id: string;
  readonly #pid: number;
  readonly #cpuMicros: number;
  readonly #startedMs = performance.now();
  #memoryBytes = 0;

  constructor(id: string, pid: number) {
    this.#id = id;
    this.#pid = pid;
    this.#cpuMicros = this.#known(processCpuMicros(pid));
  }

  look(): void {
    this.#memoryBytes = Math.max(this.#memoryBytes, this.#known(processMemoryBytes(this.#pid)));
  }

  end(): IdleProcess {
    const micros = this.#known(processCpuMicros(this.#pid)) - this.#cpuMicros;
    const cpuPercent = Math.round(micros / (performance.now() - this.#startedMs)) / 10;
    return { id: this.#id, cpuPercent, memoryBytes: this.#memoryBytes };
  }

  #known(value: number | null): number {
    if (value === null) throw BenchFailed(`${this.#id} does not run any more, or there is no /proc here`);
    return value;
  }
}
