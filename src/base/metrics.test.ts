import { expect, test } from 'vitest';
import { counter, gauge, histogram, MetricsPage } from './metrics.ts';

const size = gauge('x_bytes', 'A size.\nTwo lines with a \\.', ['who']);

test('samples of one metric stand together, with what they mean', () => {
  const page = new MetricsPage({ deployment: 'x' });
  const calls = counter('x_calls_total', 'Calls.');
  page.add(size, 1.5, { who: 'a' });
  page.add(calls, 3);
  page.add(size, true, { who: 'b"\\\n' });
  page.add(size, null, { who: 'nobody' });
  page.add(size, Number.NaN, { who: 'nobody' });
  page.add(size, Number.POSITIVE_INFINITY, { who: 'c' });
  expect(page.text()).toBe(
    [
      '# HELP x_bytes A size.\\nTwo lines with a \\\\.',
      '# TYPE x_bytes gauge',
      'x_bytes{deployment="x",who="a"} 1.5',
      'x_bytes{deployment="x",who="b\\"\\\\\\n"} 1',
      'x_bytes{deployment="x",who="c"} +Inf',
      '# HELP x_calls_total Calls.',
      '# TYPE x_calls_total counter',
      'x_calls_total{deployment="x"} 3',
      '',
    ].join('\n'),
  );
});

test('a state is one sample a word; a distribution is summed up from below', () => {
  const page = new MetricsPage({});
  page.addState(gauge('s', 'S.'), 'state', ['up', 'down'], 'down');
  const buckets = [
    { atMost: 0.001, count: 2 },
    { atMost: 0.01, count: 3 },
  ];
  page.addDistribution(histogram('h_seconds', 'H.'), { buckets, count: 6, sum: 1.25 }, { listener: 'rw' });
  expect(page.text()).toContain('s{state="up"} 0\ns{state="down"} 1\n');
  expect(page.text()).toContain(
    [
      'h_seconds_bucket{listener="rw",le="0.001"} 2',
      'h_seconds_bucket{listener="rw",le="0.01"} 5',
      'h_seconds_bucket{listener="rw",le="+Inf"} 6',
      'h_seconds_sum{listener="rw"} 1.25',
      'h_seconds_count{listener="rw"} 6',
    ].join('\n'),
  );
});
