import { expect, test } from 'vitest';
import { renderMarkdown } from '../report/markdown.ts';
import type { DoorRun, DoorsReport } from './doors.ts';
import { doorCells, doorsResult } from './doors-page.ts';

const run = (door: string, round: number, rps: number): DoorRun => ({
  ...{ door, round, rps, test: 'set', pipeline: 1, p50Ms: 0.3, p99Ms: 1.5, maxMs: 4 },
  cpuMicros: door === 'direct' ? null : 6,
});

const report: DoorsReport = {
  bench: 'doors',
  command: 'holdfast bench doors',
  at: '2026-01-01T00:00:00.000Z',
  machine: {
    ...{ cpu: 'a cpu', cores: 2, memoryBytes: 2 ** 33, kernel: 'Linux 6', node: '20.0.0' },
    ...{ server: 'Redis 7.0.15', loadAtStart: [1.5, 1, 1], warning: 'it was busy' },
  },
  options: {
    ...{ rounds: 3, requests: 1000, clients: 50, pipelines: [1], tests: ['set'], valueBytes: 100 },
    ...{ durability: 'async', otherGate: null, kinds: ['direct', 'gate', 'haproxy'] },
  },
  doors: ['direct', 'gate', 'HAProxy'],
  // The second round was hard for everyone.
  runs: [
    ...[run('direct', 1, 1000), run('gate', 1, 900), run('HAProxy', 1, 600)],
    ...[run('direct', 2, 100), run('gate', 2, 90), run('HAProxy', 2, 60)],
    ...[run('direct', 3, 1200), run('gate', 3, 1080), run('HAProxy', 3, 900)],
  ],
  failures: [{ door: 'twemproxy', test: 'set', pipeline: 1, reason: 'it closed the connection' }],
};

test('ratios are taken within each round, so that a bad one is bad for both', () => {
  const cells = doorCells(report);
  expect(cells.map(({ door, rps, gateRatio, directRatio }) => [door, rps, gateRatio, directRatio])).toEqual([
    ['direct', 1000, 0.9, null],
    ['gate', 900, null, 0.9],
    ['HAProxy', 600, 1.5, 0.6],
  ]);
  expect(cells[0]).toMatchObject({ lowestRps: 100, highestRps: 1200, cpuMicros: null });
});

test('the page names the machine, its load and what a door could not do', () => {
  const text = renderMarkdown(doorsResult(report).page);
  expect(text).toContain('a cpu, 2 cores, 8.0 GiB, Linux 6, Redis 7.0.15, Node 20.0.0; load at start 1.50');
  expect(text).toContain('Mind that it was busy.');
  expect(text).toContain('twemproxy could not do set (-P 1): it closed the connection');
  expect(text).toContain('| SET | gate | 900 | 90 | 1080 | 0.30 | 1.50 | 0.90 |  | 6 |');
});

test('the CSV has every single run', () => {
  const { csv } = doorsResult(report);
  expect(csv.rows).toHaveLength(9);
  expect(csv.rows.every((row) => row.length === csv.header.length)).toBe(true);
});
