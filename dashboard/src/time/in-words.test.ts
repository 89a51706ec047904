import { expect, test } from 'vitest';
import { chartInWords } from './in-words.ts';

test('a chart says how low and how high each of its curves goes', () => {
  const curves = [
    { label: 'p50', values: [3, null, 1, 2] },
    { label: 'p99', values: [null] },
    { label: 'held', values: [0, 0] },
  ];
  expect(chartInWords({ title: 'Latency', curves, write: (value) => `${value} ms` })).toBe(
    'Latency: p50 from 1 ms to 3 ms; p99 not known; held 0 ms',
  );
});
