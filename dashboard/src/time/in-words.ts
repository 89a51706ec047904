/** A chart in words, for those who don't see it. Pure. */
import type { Chart } from './time-chart.tsx';

export function chartInWords({ title, curves, write }: Pick<Chart, 'title' | 'curves' | 'write'>): string {
  const each = curves.map(({ label, values }) => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) {
      if (value === null) continue;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (least > most) return `${label} not known`;
    return least === most ? `${label} ${write(least)}` : `${label} from ${write(least)} to ${write(most)}`;
  });
  return `${title}: ${each.join('; ')}`;
}
