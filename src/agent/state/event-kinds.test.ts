import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventKinds } from './event-kinds.ts';

test('docs/events.md has every kind of event, and no other', () => {
  const text = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, kind, what]) => [
    kind,
    what,
  ]);
  expect(documented).toEqual(Object.entries(eventKinds));
  expect(Object.keys(eventKinds)).toEqual(Object.keys(eventKinds).toSorted());
});
