import { expect, test } from 'vitest';
import type { AgentClient } from '../agent/api/agent-client.ts';
import { interruptedChange, outcomeSince } from './interrupted.ts';

const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const before = { kind: 'switchover', text: 'an earlier one', at: at(1) };
const asked = { kind: 'asked', text: 'the owner asked for: switchover', at: at(10) };

test.each([
  [
    'the agent gave it up',
    [before, asked, { kind: 'given-up', text: 'it was given up', at: at(11) }],
    'it was given up',
  ],
  [
    'it came to its end',
    [before, asked, { kind: 'switchover', text: 'redis-1 → redis-2', at: at(12) }],
    'redis-1 → redis-2',
  ],
  ['it had begun, and nothing is said', [before, asked], 'the agent has not said what became of it'],
  ['the agent never began', [before], 'nothing was begun'],
])('when %s, that is told', (_when, events, said) => {
  expect(outcomeSince(events, 10_000)).toBe(said);
});

test('what is under way is waited for, and its end is in the error', async () => {
  let looks = 0;
  const agent = {
    status: async () => ({ operation: ++looks < 3 ? 'switchover' : null }),
    events: async () => [asked, { kind: 'given-up', text: 'it was given up', at: at(11) }],
  } as unknown as AgentClient;
  const error = await interruptedChange(agent, 'switchover', 10_000, new Error('SIGINT'));
  expect(error).toMatchObject({
    code: 'OPERATION_ABORTED',
    message: 'switchover was interrupted: it was given up',
  });
  expect(looks).toBe(3);
});

test('an agent that does not answer any more is no reason to say nothing', async () => {
  const agent = {
    status: async () => ({ operation: null }),
    events: () => Promise.reject(new Error('it is gone')),
  } as unknown as AgentClient;
  const { message } = await interruptedChange(agent, 'restart', 0, new Error('SIGINT'));
  expect(message).toBe('restart was interrupted: the agent has not said what became of it');
});
