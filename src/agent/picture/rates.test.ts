import { expect, test } from 'vitest';
import type { GateStatus } from '../../gate/control/control-api.ts';
import { LatencyHistogram } from '../../gate/control/latency.ts';
import { bucketsBetween, gateRates, quantilesOf } from './rates.ts';

interface Change {
  upMs: number;
  commands: number;
  pid?: number;
  errors?: GateStatus['errors'];
}

function status(change: Change): GateStatus {
  const none = new LatencyHistogram().read();
  const { upMs, commands, ...rest } = change;
  return {
    pid: 1,
    counters: { commands, bytesIn: commands * 10, bytesOut: commands * 20 },
    classes: { string: commands },
    errors: {},
    latency: { read: none, write: none },
    process: { upMs, cpuMs: upMs / 4 },
    ...rest,
  } as unknown as GateStatus;
}

test('what happened between two looks, a second of the gate’s own time', () => {
  const rates = gateRates(
    status({ upMs: 1000, commands: 100, errors: { ERR: 1 } }),
    status({ upMs: 3000, commands: 500, errors: { ERR: 2, OOM: 3 } }),
  );
  expect(rates).toMatchObject({
    commandsPerSecond: 200,
    errorsPerSecond: 2,
    bytesInPerSecond: 2000,
    bytesOutPerSecond: 4000,
    cpuShare: 0.25,
    classes: { string: 200 },
    latency: { read: null, write: null },
  });
});

test('two looks that can’t be compared tell nothing', () => {
  const before = status({ upMs: 1000, commands: 100 });
  expect(gateRates(before, before)).toBeNull();
  expect(gateRates(before, status({ upMs: 5000, commands: 900, pid: 2 }))).toBeNull();
  expect(gateRates(before, status({ upMs: 2000, commands: 50 }))).toBeNull();
});

test('the quantiles are of what grew between two looks', () => {
  const histogram = new LatencyHistogram();
  histogram.record(100, 1000);
  const before = histogram.read();
  histogram.record(1, 98);
  histogram.record(50, 2);
  const now = histogram.read();
  const grown = quantilesOf(bucketsBetween(before.buckets, now.buckets), now.maxMs);
  expect(grown?.p50Ms).toBeLessThanOrEqual(1.25);
  expect(grown?.p99Ms).toBeGreaterThanOrEqual(50);
  expect(grown?.p99Ms).toBeLessThanOrEqual(62.5);
  expect(quantilesOf([], 5)).toBeNull();
});
