import { expect, test } from 'vitest';
import { axisTimes, timeSteps } from './axis-times.ts';

const minuteMs = 60_000;
const spacePx = 76;

/** As the chart chooses: the first that leaves room for what stands beneath. */
const stepOf = (spanMs: number, widthPx: number) =>
  timeSteps.find((step) => (step / spanMs) * widthPx >= spacePx) ?? Number.NaN;

test('a chart has a few times beneath it, however long it goes back and however narrow it is', () => {
  for (const minutes of [1, 5, 15, 60, 24 * 60, 7 * 24 * 60]) {
    for (const widthPx of [240, 300, 560, 830]) {
      const marks = (minutes * minuteMs) / stepOf(minutes * minuteMs, widthPx);
      expect(marks, `${minutes} min on ${widthPx} px`).toBeGreaterThanOrEqual(1.9);
      expect(marks, `${minutes} min on ${widthPx} px`).toBeLessThanOrEqual(widthPx / spacePx);
    }
  }
});

test('times are as exact as they are close', () => {
  const at = Date.UTC(2026, 2, 10, 10, 25);
  const [seconds, minutes, days] = [20_000, 2 * minuteMs, 24 * 60 * minuteMs].map(
    (step) => axisTimes([at, at + step])[1] ?? '',
  );
  expect(seconds).toMatch(/:20$/);
  expect(minutes).toMatch(/^\d\d:27$/);
  expect(days).toMatch(/11/);
});
