import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { aloneIn, withHoles } from '../data/columns.ts';
import { axisTimes, timeSteps } from './axis-times.ts';
import { ChartFigures } from './chart-figures.tsx';
import { chartInWords } from './in-words.ts';
import { oneByOne } from './one-by-one.ts';
import { whenInSight } from './when-in-sight.ts';

export interface Curve {
  label: string;
  /** One for each sample; null where it was not known. */
  values: readonly (number | null)[];
}

export interface Chart {
  title: string;
  curves: readonly Curve[];
  /** How a figure is written, with its unit. */
  write: (value: number | null) => string;
  /** Never below: an axis that ends at 0.001 makes a mountain of nothing. */
  least: number;
  /** What its axis steps by: numbers that stay as they are when they are written. Left out: whatever fits. */
  steps?: 'whole' | 'binary';
}

export interface Range {
  fromMs: number;
  toMs: number;
}

export interface Moment {
  atMs: number;
  bad: boolean;
}

interface Props {
  chart: Chart;
  at: readonly number[];
  stepMs: number;
  range: Range;
  moments: readonly Moment[];
  onZoom?: ((range: Range) => void) | undefined;
  heightPx?: number;
}

/** Lines differ in dashes too. */
export const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 5]];
/** Room for a time with its seconds, and for a day. */
export const timeSpacePx = 76;
/** The room left of all charts, so that instants stand under each other. */
export const axisPx = 62;
const incrs = {
  whole: Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((each) => each * 10 ** power)).flat(),
  binary: Array.from({ length: 50 }, (_, power) => 2 ** power),
};

/** One chart over time. All on the page share their cursor. */
export function TimeChart({ chart, at, stepMs, range, moments, onZoom, heightPx = 168 }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const isDrawn = useRef(false);
  const latest = useRef({ chart, moments, onZoom });
  latest.current = { chart, moments, onZoom };
  const [cursor, setCursor] = useState<number | null>(null);
  const labels = chart.curves.map(({ label }) => label).join('\n');
  const inWords = useMemo(() => chartInWords(chart), [chart]);
  const data = useMemo(() => {
    const { at: times, columns } = withHoles(
      at,
      chart.curves.map(({ values }) => values),
      stepMs,
    );
    return [times, ...columns] as uPlot.AlignedData;
  }, [at, chart, stepMs]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot only when there are other curves.
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const made = new uPlot(optionsOf(latest, element.clientWidth, heightPx, setCursor), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: heightPx });
    });
    observer.observe(element);
    const onTheme = () => made.redraw(false);
    window.addEventListener('theme', onTheme);
    return () => {
      observer.disconnect();
      window.removeEventListener('theme', onTheme);
      made.destroy();
      plot.current = null;
    };
  }, [labels]);

  useEffect(() => {
    const draw = () => {
      plot.current?.batch(() => {
        plot.current?.setData(data, false);
        plot.current?.setScale('x', { min: range.fromMs, max: range.toMs });
      });
    };
    if (isDrawn.current && frame.current) return whenInSight(frame.current, () => oneByOne(draw));
    isDrawn.current = true;
    draw();
    return undefined;
  }, [data, range.fromMs, range.toMs]);

  return (
    <figure className="chart">
      <ChartFigures chart={chart} data={data} cursor={cursor} />
      <div ref={frame} className="plot" style={{ height: heightPx }} role="img" aria-label={inWords} />
    </figure>
  );
}

type Latest = { readonly current: Pick<Props, 'chart' | 'moments' | 'onZoom'> };

function optionsOf(
  latest: Latest,
  width: number,
  height: number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const { curves, steps } = latest.current.chart;
  const axis = (more: uPlot.Axis): uPlot.Axis => ({
    stroke: () => color('--soft'),
    grid: { stroke: () => color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
    ...more,
  });
  return {
    width: Math.max(200, width),
    height,
    ms: 1,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: 'time' },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
    },
    scales: {
      x: { time: true },
      y: { range: (_plot, _low, high) => [0, Math.max(latest.current.chart.least, (high ?? 0) * 1.1)] },
    },
    axes: [
      axis({
        size: 30,
        space: timeSpacePx,
        incrs: [...timeSteps],
        values: (_plot, splits) => axisTimes(splits),
      }),
      axis({
        size: axisPx,
        space: 34,
        ...(steps === undefined ? {} : { incrs: incrs[steps] }),
        values: (_plot, splits) => splits.map(latest.current.chart.write),
      }),
    ],
    series: [
      {},
      ...curves.map(
        (_curve, index): uPlot.Series => ({
          stroke: () => color(`--s${index % 6}`),
          width: 1.8,
          dash: [...(dashes[index % dashes.length] ?? [])],
          // Little traffic is a second here and there: a dot where no line can be.
          points: {
            show: true,
            size: 5,
            fill: () => color(`--s${index % 6}`),
            filter: (plot, series) => aloneIn(plot.data[series] as (number | null)[]),
          },
        }),
      ),
    ],
    hooks: {
      draw: [(plot) => drawMoments(plot, latest.current.moments)],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
      setSelect: [(plot) => zoom(plot, latest)],
    },
  };
}

function zoom(plot: uPlot, { current }: Latest): void {
  const { left, width } = plot.select;
  if (width > 6) {
    const fromMs = plot.posToVal(left, 'x');
    const toMs = plot.posToVal(left + width, 'x');
    if (toMs - fromMs >= 2000) current.onZoom?.({ fromMs, toMs });
  }
  if (width > 0) plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

/** Events stand on the same axis: what changed when the line did. */
function drawMoments(plot: uPlot, moments: readonly Moment[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = devicePixelRatio || 1;
  for (const { atMs, bad } of moments) {
    const x = plot.valToPos(atMs, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = color(bad ? '--bad' : '--accent');
    ctx.setLineDash(bad ? [] : [3 * ctx.lineWidth, 3 * ctx.lineWidth]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
