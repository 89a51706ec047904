import { type Distribution, errorWords } from './distribution.ts';
import { type BenchResult, pageOf } from './result.ts';
import type { SwitchoverReport } from './switchover.ts';

export function switchoverResult(report: SwitchoverReport): BenchResult {
  const { rounds, options } = report;
  const row = (name: string, { minMs, medianMs, p95Ms, maxMs }: Distribution) => [
    name,
    ...[minMs, medianMs, p95Ms, maxMs],
  ];
  const { acknowledged, lost, droppedConnections, errors } = report;
  const x = rounds.map((_, i) => i + 1);
  return {
    data: { ...report },
    page: pageOf(
      report,
      'Switchover: how long writes waited',
      [
        {
          kind: 'table',
          title: `Over ${rounds.length} switchovers, in ms`,
          header: ['', 'min', 'median', 'p95', 'max'],
          rows: [
            row('longest wait of any write', report.wait),
            row('the same when nothing was done', report.calm),
            row('writes held back, by the agent', report.held),
            row('until every Sentinel named the new primary, by the agent', report.took),
            row('the command, start to end', report.commandTime),
            row('the command with --to', report.commandToTime),
          ],
        },
        {
          kind: 'table',
          title: 'What became of the writes',
          header: ['acknowledged', 'lost', 'connections dropped', 'errors'],
          rows: [[acknowledged, lost.length, droppedConnections, errorWords(errors)]],
        },
        {
          kind: 'chart',
          title: 'Each switchover',
          xLabel: 'switchover',
          x,
          series: [
            { label: 'longest wait', unit: 'ms', values: rounds.map(({ waitMs }) => waitMs) },
            { label: 'when nothing was done', unit: 'ms', values: rounds.map((each) => each.calmWaitMs) },
            { label: 'held', unit: 'ms', values: rounds.map(({ heldMs }) => heldMs) },
          ],
        },
      ],
      [
        `${options.clients} clients write one value after the other through the gate, without a pause. The longest wait is that of any write from the start of the command to its end; before each switchover stands an equally long time in which nothing was done: what writes wait then is the machine's, not the switchover's.`,
        `${rounds.filter(({ agreed }) => agreed).length} of ${rounds.length} times every Sentinel named the new primary when the command had ended.`,
        'All processes are on one machine. With a network in between, each step of the change takes a round trip longer.',
      ],
    ),
    csv: {
      header: [
        'switchover',
        'from',
        'to',
        'longest_wait_ms',
        'calm_longest_wait_ms',
        'held_ms',
        'took_ms',
        'asked',
        'command_ms',
      ],
      rows: rounds.map((each, i) => [
        ...[
          i + 1,
          each.from,
          each.to,
          each.waitMs,
          each.calmWaitMs,
          each.heldMs,
          each.tookMs,
          each.asked,
          each.commandMs,
        ],
      ]),
    },
  };
}
