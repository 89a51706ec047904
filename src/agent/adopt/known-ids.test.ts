import { expect, test } from 'vitest';
import type { RunningSentinel } from './facts.ts';
import { knownIds } from './known-ids.ts';

const place = (id: string, port: number) => ({ id, address: '10.0.0.1', port });
const runs = (sentinelId: string, colleagues: RunningSentinel['colleagues']) =>
  ({ sentinelId, colleagues }) as RunningSentinel;

test('each says its own, and what it knows of one that does not run; of others, and where nobody knows, nothing is told', () => {
  const colleagues = [
    { address: '10.0.0.1', port: 2, runId: 'b' },
    { address: '10.0.0.1', port: 3, runId: 'c of before' },
    { address: '10.0.0.9', port: 4, runId: 'elsewhere' },
  ];
  const ids = knownIds([
    { place: place('sentinel-1', 1), running: runs('a', colleagues), problem: null },
    { place: place('sentinel-2', 2), running: null, problem: null },
    { place: place('sentinel-3', 3), running: runs('c', []), problem: null },
    { place: place('sentinel-4', 4), running: null, problem: null },
  ]);
  expect([...ids]).toEqual([
    ['sentinel-1', 'a'],
    ['sentinel-2', 'b'],
    ['sentinel-3', 'c'],
  ]);
});
