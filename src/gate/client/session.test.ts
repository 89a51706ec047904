import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { besideABuffer } from './kept-bytes.ts';
import { Session } from './session.ts';

const long = 'x'.repeat(1000);

test('what a client calls itself and logged in with counts, as long as it is kept', () => {
  const session = new Session();
  expect(session.keptBytes).toBe(0);
  session.rename(long);
  expect(session.keptBytes).toBe(1000);
  session.logIn({ user: 'default', password: long });
  const once = session.keptBytes;
  expect(once).toBeGreaterThan(2000);
  // The database was chosen as somebody else: both are kept.
  session.choose(1);
  expect(session.keptBytes).toBe(once);
  session.logIn({ user: 'default', password: `${long}!` });
  expect(session.keptBytes).toBeGreaterThan(once + 2000);
  session.reset();
  expect(session.keptBytes).toBe(0);
});

test('many short prefixes count with what each of them takes', () => {
  const session = new Session();
  const prefixes = Array.from({ length: 1000 }, (_, index) => ['PREFIX', `${index}:`]).flat();
  const args = ['CLIENT', 'TRACKING', 'on', 'BCAST', ...prefixes].map((each) => Buffer.from(each));
  session.tracking.onAccepted(args);
  const once = session.keptBytes;
  expect(once).toBeGreaterThan(2000 * besideABuffer);
  session.tracking.onAccepted(args);
  expect(session.keptBytes).toBe(once);
});
