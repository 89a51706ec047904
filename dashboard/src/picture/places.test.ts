import { expect, test } from 'vitest';
import type { ApiView } from '../../../src/api/view.ts';
import { linesOf } from './lines.ts';
import { type Box, placesOf } from './places.ts';

function ids(word: string, many: number) {
  return Array.from({ length: many }, (_, index) => ({ id: `${word}-${index + 1}` }));
}

/** As much of a view as the layout looks at. */
function view(members: number, gates: number, sentinels = 3): ApiView {
  return {
    primary: 'redis-1',
    members: ids('redis', members).map((each) => ({
      ...each,
      follows: 'redis-1',
      linkUp: true,
      lagBytes: 0,
    })),
    gates: ids('gate', gates).map((each) => ({ ...each, state: 'open', primary: 'redis-1', held: 0 })),
    sentinels: ids('sentinel', sentinels).map((each) => ({ ...each, names: 'redis-1', state: 'up' })),
  } as unknown as ApiView;
}

const overlap = (a: Box, b: Box) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

for (const width of [320, 375, 768, 820, 1000, 1240, 1920]) {
  for (const [members, gates, sentinels] of [
    [1, 1, 1],
    [3, 1, 3],
    [3, 3, 3],
    [5, 2, 5],
    [50, 6, 7],
  ] as const) {
    test(`nothing overlaps or is cut off: ${members} members, ${gates} gates, ${width} px`, () => {
      const { boxes, width: across, height } = placesOf(view(members, gates, sentinels), width);
      const all = [...boxes.values()];
      for (const box of all) {
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.w).toBeLessThanOrEqual(across);
        expect(box.y + box.h).toBeLessThanOrEqual(height);
        expect(box.w).toBeGreaterThan(80);
        expect(all.filter((other) => other !== box && overlap(box, other)).map(({ key }) => key)).toEqual([]);
      }
    });
  }
}

test('a process keeps its place when another becomes primary', () => {
  const before = view(3, 1);
  const after = { ...before, primary: 'redis-2' };
  expect([...placesOf(after, 1000).boxes]).toEqual([...placesOf(before, 1000).boxes]);
});

test('requests go on to the new primary, and replication comes from it', () => {
  const before = view(3, 1);
  const gates = before.gates.map((gate) => ({ ...gate, primary: 'redis-2' }));
  const after = { ...before, primary: 'redis-2', gates };
  const lines = (each: ApiView) =>
    new Map(linesOf(each, placesOf(each, 1000)).map(({ key, path }) => [key, path]));
  expect(lines(before).get('from-gate-1')).not.toBe(lines(after).get('from-gate-1'));
  expect([...lines(before).keys()]).toContain('copy-redis-2');
  expect([...lines(after).keys()]).not.toContain('copy-redis-2');
});
