import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HostSecrets, planRotation, type RotationStep } from './rotation.ts';

const [old, fresh] = ['old', 'new'];

function host(
  id: number,
  secret: string | null,
  coming: string | null = null,
  former: string | null = null,
): HostSecrets {
  return {
    host: `h${id}`,
    secretDigest: secret,
    comingDigest: coming,
    formerDigest: former,
    goneDigest: null,
  };
}

/** What each step leaves on a host. */
const after: Record<'none' | RotationStep, (id: number) => HostSecrets> = {
  none: (id) => host(id, old),
  accept: (id) => host(id, old, fresh),
  use: (id) => host(id, fresh, null, old),
  drop: (id) => host(id, fresh),
};
const order = ['none', 'accept', 'use', 'drop'] as const;

test('wherever it was cut off, it goes on with the step that some hosts have begun', () => {
  const cut = fc.record({
    step: fc.integer({ min: 1, max: 3 }),
    done: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  });
  const check = ({ step, done }: { step: number; done: boolean[] }) => {
    const hosts = done.map((isDone, id) => after[order[isDone ? step : step - 1]!](id));
    const { steps, holder } = planRotation(hosts);
    const begun = done.some(Boolean);
    // All have done it, as far as their files tell: whether they have taken it up as well, nobody knows.
    const next = done.every(Boolean) && step === 3 ? 1 : begun ? step : step === 1 ? 1 : step - 1;
    const expected = order.slice(next);
    expect(steps.join()).toBe(expected.join());
    const there = hosts.find((each) => each.host === holder);
    if (begun && step < 3) expect([there?.secretDigest, there?.comingDigest]).toContain(fresh);
  };
  fc.assert(fc.property(cut, check), { numRuns: 300 });
});

test('a host between its two renames is turned', () => {
  const hosts = [host(0, fresh, null, old), host(1, old, fresh, old), host(2, old, fresh)];
  expect(planRotation(hosts)).toEqual({ steps: ['use', 'drop'], holder: 'h1' });
});

test('where the old one is going, nothing goes back', () => {
  const going = { ...host(0, fresh), goneDigest: old };
  for (const other of [host(1, fresh), host(1, fresh, null, old), { ...host(1, fresh), goneDigest: old }])
    expect(planRotation([going, other]).steps).toEqual(['drop']);
});

test('what no change of the secret leaves is refused', () => {
  for (const hosts of [
    [host(0, old), host(1, 'third')],
    [host(0, old, fresh), host(1, old, 'third')],
    [host(0, fresh, null, old), host(1, 'third')],
    [host(0, old, fresh), host(1, 'third')],
    [host(0, old), host(1, null)],
  ])
    expect(() => planRotation(hosts)).toThrow(expect.objectContaining({ code: 'FLEET_REFUSED' }));
});
