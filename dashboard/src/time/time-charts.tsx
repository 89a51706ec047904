import { useMemo } from 'react';
import { momentsOf } from './moments.ts';
import { type Chart, type Range, TimeChart } from './time-chart.tsx';

interface Props {
  charts: readonly Chart[];
  samples: { at: readonly number[]; stepMs: number };
  range: Range;
  events: Parameters<typeof momentsOf>[0];
  /** Below each other, all as wide as the page. */
  stacked?: boolean;
  onZoom?: ((range: Range) => void) | undefined;
  heightPx?: number;
}

/** Charts of the same samples, with what happened meanwhile. */
export function TimeCharts({ charts, samples, range, events, stacked = false, ...look }: Props) {
  const { fromMs, toMs } = range;
  const moments = useMemo(() => momentsOf(events, fromMs, toMs), [events, fromMs, toMs]);
  return (
    <div className={stacked ? 'charts stacked' : 'charts'}>
      {charts.map((chart) => (
        <TimeChart
          key={chart.title}
          chart={chart}
          at={samples.at}
          stepMs={samples.stepMs}
          range={range}
          moments={moments}
          {...look}
        />
      ))}
    </div>
  );
}
