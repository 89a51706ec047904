import { expect, test } from 'vitest';
import { RedisRefused, RedisUnreachable } from '../redis/errors.ts';
import type { Link } from '../redis/link.ts';
import { ReplyError } from '../resp/read.ts';
import { pauseBehind } from '../stream/next-step.ts';
import { askFacts } from './server-facts.ts';

const failing = (error: Error) => ({ call: () => Promise.reject(error) }) as unknown as Link;
const refused = (text: string) => RedisRefused('refused', { cause: new ReplyError(text) });
const asked = (error: Error) => askFacts(failing(error), 'a:1').catch((thrown: unknown) => thrown);

test('a connection that breaks, and a server that starts, are asked again', async () => {
  for (const error of [RedisUnreachable('gone'), refused('LOADING the dataset'), refused('NOPRIMARY yet')])
    expect(pauseBehind(await asked(error), 0), error.message).toBeGreaterThan(0);
});

test('a right that is lacking, or a password, does not come by itself', async () => {
  for (const text of ['NOPERM no right to INFO', 'NOAUTH Authentication required.'])
    expect(pauseBehind(await asked(refused(text)), 0)).toBeUndefined();
  expect(await asked(refused('NOAUTH Authentication required.'))).toMatchObject({
    ...{ code: 'MIGRATE_REFUSED', hint: expect.stringContaining('--source-password-file') },
  });
});
