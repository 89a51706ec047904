import { expect, test } from 'vitest';
import { RedisRefused, RedisUnreachable } from '../../redis/errors.ts';
import type { Role } from '../../redis/role.ts';
import { ReplyError } from '../../resp/read.ts';
import { hurryToPrimary } from './hurry-to-primary.ts';

const own = { address: '10.1.0.2', port: 7102 };
const replica = (link: string): Role => ({
  role: 'replica',
  primaryAddress: '10.1.0.1',
  primaryPort: 7101,
  link,
  offset: 0,
});
const loading = () =>
  RedisRefused('LOADING', { cause: new ReplyError('LOADING Redis is loading the dataset in memory') });

/** @param answers to ROLE, one after the other; an error is thrown. */
async function hurry(answers: (Role | Error)[], refusals: Error[] = [], isWanted = () => true) {
  const told: string[] = [];
  const client = {
    role: async () => {
      const answer = answers.shift();
      if (answer === undefined) throw new TypeError('it is asked once too often');
      if (answer instanceof Error) throw answer;
      return answer;
    },
    followAnew: async (primary: { port: number }, other: { port: number }) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      told.push(`${other.port}, then ${primary.port}`);
    },
    close: () => void told.push('closed'),
  };
  await hurryToPrimary(client, own, { isWanted, pause: async () => {} });
  return told;
}

test('one that has loaded its data and waits for its cron is sent to its primary at once', async () => {
  const notThere = RedisUnreachable('nobody listens yet');
  expect(await hurry([notThere, notThere, replica('connect')])).toEqual(['7102, then 7101', 'closed']);
});

test('while it loads it is asked again', async () => {
  expect(await hurry([replica('connect'), replica('connect')], [loading()])).toEqual([
    '7102, then 7101',
    'closed',
  ]);
});

test('one that connects already is left alone, as is one that is no replica any more', async () => {
  expect(await hurry([replica('connecting')])).toEqual(['closed']);
  expect(await hurry([replica('connected')])).toEqual(['closed']);
  expect(await hurry([{ role: 'primary', offset: 0, replicas: [] }])).toEqual(['closed']);
});

test('it ends with the process, and when it is refused', async () => {
  let asks = 0;
  expect(await hurry([RedisUnreachable('gone')], [], () => asks++ < 2)).toEqual(['closed']);
  const refused = RedisRefused('NOPERM', { cause: new ReplyError('NOPERM no permissions') });
  expect(await hurry([replica('connect')], [refused])).toEqual(['closed']);
});
