import type { Section } from '../report/page.ts';
import { errorWords, median, sumErrors } from './distribution.ts';
import type { Killable, KillReport, KillRun } from './kill.ts';
import { type BenchResult, pageOf, plural } from './result.ts';

export function killResult(report: KillReport): BenchResult {
  const { options, runs, sliceMs, threads } = report;
  const { times, clients, thinkMs, readShare, persistence, durability } = options;
  const reads = Math.round(readShare * 100);
  return {
    data: { ...report },
    page: pageOf(
      report,
      'Kills under load: throughput and recovery',
      [table(report), ...options.instances.flatMap((instance) => timeline(instance, report))],
      [
        `${clients} clients through the gate, each with one request at a time (${reads}% GET, ${100 - reads}% SET) and ${thinkMs} ms of think time on average; each is killed (SIGKILL) ${plural(times, 'time')}, in turns, on one deployment of three members, three Sentinels and one gate (persistence ${persistence}, durability ${durability}). Medians; the timelines are those of the run with the median gap.`,
        `without a write: the longest time in which no write was acknowledged. back to 90%: until half a second in which at least 90% of the usual throughput was answered. whole again: everyone in place and in sync. The load comes from ${plural(threads, 'thread')} on the same machine.`,
        'With one gate, its death drops its connections, and clients have to connect again: a second gate on another host and an address before both is what spares them that. A lost host or a partition takes detectAfter longer to be seen than a death.',
      ],
    ),
    csv: {
      header: [
        ...['instance', 'process', 'round', 'ms', 'reads_per_s', 'writes_per_s', 'errors', 'longest_wait_ms'],
        'since_kill_ms',
      ],
      rows: runs.flatMap((run) =>
        run.slices.map(({ reads: r, writes, errors, longestMs }, i) => [
          ...[
            run.instance,
            run.process,
            run.round,
            i * sliceMs,
            perSecond(r, sliceMs),
            perSecond(writes, sliceMs),
          ],
          ...[errors, Math.round(longestMs * 10) / 10, i * sliceMs - run.killMs],
        ]),
      ),
    },
  };
}

function table({ options, runs }: KillReport): Section {
  return {
    kind: 'table',
    title: 'Medians',
    header: [
      ...['killed', 'kills', 'usual/s', 'without a write ms', 'worst', 'longest wait ms', 'back to 90% ms'],
      ...['whole again ms', 'dropped', 'errors'],
    ],
    rows: options.instances.map((instance) => {
      const those = runs.filter((run) => run.instance === instance);
      const of = (figure: (run: KillRun) => number) => Math.round(median(those.map(figure)));
      const back = those.flatMap(({ recoveredMs }) => (recoveredMs === null ? [] : [recoveredMs]));
      const never = those.length - back.length;
      return [
        ...[instance, those.length, of(({ usualRps }) => usualRps), of(({ writeGapMs }) => writeGapMs)],
        ...[Math.max(...those.map(({ writeGapMs }) => writeGapMs)), of(({ longestWaitMs }) => longestWaitMs)],
        never > 0 ? `${Math.round(median(back))} (${never} never)` : Math.round(median(back)),
        of(({ wholeMs }) => wholeMs),
        those.reduce((all, { droppedConnections }) => all + droppedConnections, 0),
        errorWords(sumErrors(those)),
      ];
    }),
  };
}

/** The run whose gap is the median one. */
function timeline(instance: Killable, { runs, sliceMs }: KillReport): Section[] {
  const those = runs
    .filter((run) => run.instance === instance)
    .toSorted((a, b) => a.writeGapMs - b.writeGapMs);
  const run = those[Math.floor((those.length - 1) / 2)];
  if (!run) return [];
  const seconds = (ms: number) => Math.round(ms / 10) / 100;
  return [
    {
      kind: 'chart',
      title: `The ${instance} (${run.process}) is killed`,
      xLabel: 'seconds',
      x: run.slices.map((_, i) => seconds(i * sliceMs)),
      series: [
        { label: 'writes', unit: '1/s', values: run.slices.map(({ writes }) => perSecond(writes, sliceMs)) },
        { label: 'reads', unit: '1/s', values: run.slices.map(({ reads }) => perSecond(reads, sliceMs)) },
        {
          label: 'longest wait',
          unit: 'ms',
          values: run.slices.map(({ longestMs }) => Math.round(longestMs * 10) / 10),
        },
      ],
      marks: [
        { x: seconds(run.killMs), label: `${run.process} killed` },
        ...run.moments.map(({ atMs, label }) => ({ x: seconds(atMs), label })),
        { x: seconds(run.killMs + run.wholeMs), label: 'whole again' },
      ],
    },
  ];
}

function perSecond(count: number, sliceMs: number): number {
  return Math.round((count * 1000) / sliceMs);
}
