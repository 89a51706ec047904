import { expect, test } from 'vitest';
import { viewAfterCrash } from '../../../test/support/dashboard/example.ts';
import { parseRoute } from '../data/route.ts';
import { whatIsMissing } from './what-is-missing.ts';

const view = viewAfterCrash();
const say = (hash: string) => whatIsMissing(parseRoute(hash), view);

test('a link that names what is there says nothing', () => {
  const good = [
    '',
    '#/',
    '#/overview',
    '#/members',
    '#/time',
    '#/time?last=1h',
    '#/events?find=x',
    '#/gates?find=x',
  ];
  const past = '#/time?from=2026-11-25T09:55:00.000Z&to=2026-11-25T10:00:00.000Z';
  const members = view.members.map(({ id }) => `#/members/${encodeURIComponent(id)}`);
  const gates = view.gates.map(({ id }) => `#/gates/${encodeURIComponent(id)}`);
  const sentinels = view.sentinels.map(({ id }) => `#/sentinels/${encodeURIComponent(id)}`);
  expect(gates.length * members.length * sentinels.length).toBeGreaterThan(0);
  for (const hash of [...good, past, ...members, ...gates, ...sentinels]) expect(say(hash), hash).toBeNull();
});

test('a link that names nothing says what is not there', () => {
  expect(say('#/nosuch')).toBe('There is no page ‘nosuch’. This is the overview.');
  expect(say('#/members/nosuch')).toBe('There is no member ‘nosuch’.');
  expect(say('#/members/__proto__')).toBe('There is no member ‘__proto__’.');
  expect(say('#/members/%')).toBe('There is no member ‘%’.');
  expect(say('#/sentinels/nosuch')).toBe('There is no Sentinel ‘nosuch’.');
  expect(say('#/gates/nosuch')).toBe('There is no gate ‘nosuch’.');
  expect(say('#/doctor/nosuch')).toBe('Nothing on this page is called ‘nosuch’.');
  const times = [
    'from=NaN&to=-1',
    'last=1y',
    'last=',
    'from=2026-11-25T10:00:00Z',
    'from=now&to=then&last=1h',
  ];
  for (const query of times) expect(say(`#/time?${query}`), query).toMatch(/^It names no time /);
});

test('what a link names is shown as text that deceives nobody, and not at length', () => {
  expect(say('#/members/a%E2%80%AEb')).not.toContain('\u202e');
  expect(say(`#/members/${'x'.repeat(5000)}`)?.length).toBeLessThan(200);
});
