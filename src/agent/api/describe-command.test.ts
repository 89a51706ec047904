import { expect, test } from 'vitest';
import { OperationAborted, SwitchoverRefused } from '../errors.ts';
import type { Commanded } from './command-options.ts';
import { failureOf } from './describe-command.ts';

const refused = SwitchoverRefused('no switchover: redis-2 is down');
const restart: Commanded = { command: 'restart', options: {} };
const restore = { command: 'restore', options: { backup: 'b1' } } as Commanded;

test('what fails is told with what was asked for, the error and its code', () => {
  expect(failureOf({ command: 'switchover', options: { to: 'redis-2' } }, refused)).toEqual({
    kind: 'change-failed',
    text: 'a switchover to redis-2, which was asked for, failed: no switchover: redis-2 is down (SWITCHOVER_REFUSED)',
  });
  expect(failureOf(restart, new Error('odd'))).toEqual({
    kind: 'change-failed',
    text: 'a restart of all members of this host, which was asked for, failed: odd',
  });
});

test('what is given up is no failure, and a restore has a kind of its own for both', () => {
  const aborted = OperationAborted('a restart was given up: the agent stops');
  expect(failureOf(restart, aborted)).toEqual({ kind: 'given-up', text: aborted.message });
  expect(failureOf(restore, refused)).toEqual({
    kind: 'restore-failed',
    text: 'no switchover: redis-2 is down (SWITCHOVER_REFUSED)',
  });
  expect(failureOf(restore, aborted)).toEqual({
    kind: 'restore-failed',
    text: 'nothing was restored: a restart was given up: the agent stops (OPERATION_ABORTED)',
  });
});
