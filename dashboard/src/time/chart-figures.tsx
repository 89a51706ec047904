import type uPlot from 'uplot';
import type { Chart } from './time-chart.tsx';

/** The title of a chart, with the figures of the newest sample, or of where the cursor is. */
export function ChartFigures({
  chart,
  data,
  cursor,
}: {
  chart: Chart;
  data: uPlot.AlignedData;
  cursor: number | null;
}) {
  const index = cursor ?? data[0].length - 1;
  return (
    <figcaption>
      <h3>{chart.title}</h3>
      <ul className="figures">
        {chart.curves.map(({ label }, each) => (
          <li key={label}>
            <Swatch number={each} />
            {label} <b>{chart.write(data[each + 1]?.[index] ?? null)}</b>
          </li>
        ))}
      </ul>
    </figcaption>
  );
}

const patterns = ['', '6 3', '2 2.5', '8 2 2 2', '4 4', '1 4'];

function Swatch({ number }: { number: number }) {
  return (
    <svg className="swatch" viewBox="0 0 22 8" aria-hidden="true" focusable="false">
      <path
        d="M0 4h22"
        stroke={`var(--s${number % 6})`}
        strokeWidth="2.5"
        strokeDasharray={patterns[number % patterns.length]}
      />
    </svg>
  );
}
