import { errorWords } from './distribution.ts';
import type { FailoverReport } from './failover.ts';
import { type BenchResult, pageOf } from './result.ts';

export function failoverResult(report: FailoverReport): BenchResult {
  const { candidates, options } = report;
  const header = ['', 'kills', 'promotions', 'min ms', 'median ms', 'p95 ms', 'max ms', 'dropped', 'errors'];
  const rows = candidates.map((each) => [
    ...[each.name, each.kills, each.promotions, each.minMs, each.medianMs, each.p95Ms, each.maxMs],
    ...[each.droppedConnections, errorWords(each.errors)],
  ]);
  const kills = Array.from({ length: options.times }, (_, i) => i + 1);
  return {
    data: { ...report },
    page: pageOf(
      report,
      'Failover: time without an acknowledged write after kill -9 of the primary',
      [
        { kind: 'table', title: 'Time without an acknowledged write', header, rows },
        {
          kind: 'chart',
          title: 'Each kill',
          xLabel: 'kill',
          x: kills,
          series: candidates.map(({ name, gapsMs }) => ({
            label: name,
            unit: 'ms',
            values: kills.map((_, i) => gapsMs[i] ?? null),
          })),
        },
      ],
      [
        `${options.clients} clients write one value after the other. The primary of each is killed in turn, ${options.times} times, once everyone was back in place. Clients of holdfast connect to its gate and stay connected; those of Sentinel alone ask the Sentinels, as its documentation has it.`,
        options.hosts === 'one'
          ? 'All processes are on one machine: a death is seen at once. A host that is lost, or a partition, takes detectAfter longer.'
          : 'Three hosts in network namespaces of one machine: what an agent does elsewhere goes over that network, and clients reach the gate of the first host through a relay.',
      ],
    ),
    csv: {
      header: ['kill', 'candidate', 'gap_ms'],
      rows: candidates.flatMap(({ name, gapsMs }) => gapsMs.map((gap, i) => [i + 1, name, gap])),
    },
  };
}
