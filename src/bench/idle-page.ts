import type { IdleReport } from './idle.ts';
import { type BenchResult, pageOf } from './result.ts';

export function idleResult(report: IdleReport): BenchResult {
  const { processes, options } = report;
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  return {
    data: { ...report },
    page: pageOf(
      report,
      'Idle: what a deployment costs that nobody uses',
      [
        {
          kind: 'table',
          title: `Over ${options.seconds} s`,
          header: ['process', 'CPU, % of a core', 'memory, MB'],
          rows: processes.map(({ id, cpuPercent, memoryBytes }) => [id, cpuPercent, megabytes(memoryBytes)]),
        },
      ],
      [
        'One host with three members, three Sentinels, a gate and an agent, without clients and without data. Processor time is what the kernel counted, memory is what was resident at most; what of it is the program itself is counted for each of its processes, and they share it.',
      ],
    ),
    csv: {
      header: ['process', 'cpu_percent', 'memory_bytes'],
      rows: processes.map(({ id, cpuPercent, memoryBytes }) => [id, cpuPercent, memoryBytes]),
    },
  };
}
