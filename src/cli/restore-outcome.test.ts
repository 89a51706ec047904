import { expect, test } from 'vitest';
import { RestoreKeysFailed } from '../backup/errors.ts';
import { outcomeIn, RestoreOutcome } from './restore-outcome.ts';

const restored = { kind: 'restored', text: 'redis-1 has 40000 keys of old' };
const began = { kind: 'restore', text: 'restoring it: 5 keys' };
const failed = { kind: 'restore-failed', text: 'nothing was restored: it was given up' };

/** An agent with these events, numbered from 1, at which nothing is under way. */
function agentWith(events: { kind: string; text: string }[]) {
  const numbered = () =>
    events.map((event, index) => ({ ...event, seq: index + 1, at: '2026-01-01T00:00:00Z', subject: 'x' }));
  return {
    status: async () => ({ operation: null }) as never,
    events: async (after: number) => numbered().filter(({ seq }) => seq > after),
  };
}

test('an earlier restore’s outcome is never told of this one', async () => {
  const events = [began, restored];
  const outcome = new RestoreOutcome(agentWith(events));
  const said = async () => (await outcome.interrupted(new Error('SIGTERM'))).message;
  expect(await said()).toBe('the restore was interrupted: nothing was changed');
  await outcome.beforeAsking();
  expect(await said()).toBe('the restore was interrupted: nothing was changed');
  events.push(began);
  expect(await said()).toContain('holdfast status shows');
  events.push(failed);
  expect(await said()).toBe(`the restore was interrupted: ${failed.text}`);
});

test('its own outcome is told, also when another agent brought it to its end', () => {
  expect(outcomeIn([began, { kind: 'restore', text: 'warning: one is behind' }, restored])).toBe(
    restored.text,
  );
  const ended = { kind: 'restore-interrupted', text: 'redis-1 has the data of before' };
  expect(outcomeIn([began, ended, { kind: 'ready', text: 'it takes writes' }])).toBe(ended.text);
});

test('how many of some keys were brought back is not hidden', async () => {
  const cause = RestoreKeysFailed('stopped after 256 keys: SIGINT', { hint: 'Run it again.' });
  expect(await new RestoreOutcome(agentWith([])).interrupted(cause)).toBe(cause);
});
