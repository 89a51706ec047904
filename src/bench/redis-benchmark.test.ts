import { expect, test } from 'vitest';
import { parseBenchmarkCsv } from './redis-benchmark.ts';

const header =
  '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"';

test('the figures of redis-benchmark 7', () => {
  const line = '"SET","142857.14","0.178","0.048","0.175","0.231","0.287","0.407"';
  expect(parseBenchmarkCsv(`${header}\n${line}\n`)).toEqual({
    rps: 142857.14,
    p50Ms: 0.175,
    p99Ms: 0.287,
    maxMs: 0.407,
  });
});

test('the preparation of LRANGE is not its result', () => {
  const prepare = '"LPUSH (needed to benchmark LRANGE)","100000.00","0.1","0.1","0.1","0.1","0.1","0.1"';
  const line = '"LRANGE_100 (first 100 elements)","20000.00","1","1","1.1","1.2","1.3","1.4"';
  expect(parseBenchmarkCsv(`${header}\n${prepare}\n${line}`)?.rps).toBe(20_000);
});

test('what is no result is none', () => {
  for (const text of ['', header, 'Could not connect to Redis', `${header}\n"SET","nan"`]) {
    expect(parseBenchmarkCsv(text)).toBeUndefined();
  }
});
