import { expect, test } from 'vitest';
import { operationSchema } from '../../api/jobs.ts';
import { validated } from './validate.ts';

const refusals: [body: unknown, field: string, message: RegExp][] = [
  [undefined, 'kind', /body\.kind/],
  [[], '', /the body/],
  ['switchover', '', /the body/],
  [{ kind: 'destroy' }, 'kind', /body\.kind/],
  [{ kind: 'switchover', to: 5 }, 'to', /body\.to: .*string/],
  [{ kind: 'switchover', member: 'redis-2' }, 'member', /body\.member/],
  [{ kind: 'restart', acceptDataLoss: 'yes' }, 'acceptDataLoss', /body\.acceptDataLoss/],
  [{ kind: 'restore', backup: '../../etc/passwd' }, 'backup', /body\.backup: the id of a backup/],
  [{ kind: 'verify' }, 'backup', /body\.backup/],
];

test('a body that is not what it should be is refused by the name of its field', () => {
  for (const [body, field, message] of refusals) {
    let thrown: unknown;
    try {
      validated(operationSchema, body, 'body');
    } catch (error) {
      thrown = error;
    }
    expect(thrown, JSON.stringify(body)).toMatchObject({ code: 'API_BAD_REQUEST', cause: { field } });
    expect(String(thrown)).toMatch(message);
  }
});

test('what is right passes, and nothing else with it', () => {
  expect(validated(operationSchema, { kind: 'switchover', to: 'redis-2' }, 'body')).toEqual({
    kind: 'switchover',
    to: 'redis-2',
  });
  expect(validated(operationSchema, { kind: 'pause' }, 'body')).toEqual({ kind: 'pause' });
});

test('what is shown of a wrong field moves no cursor', () => {
  expect(() => validated(operationSchema, { kind: 'pause', '\u001b[2J': 1 }, 'body')).toThrow('\\u001b[2J');
});
