import { expect, test } from 'vitest';
import { aPrimary, aReplica } from '../../../test/support/views.ts';
import { RedisRefused } from '../../redis/errors.ts';
import { ReplyError } from '../../resp/read.ts';
import { SwitchoverFailed } from '../errors.ts';
import { isLoginRefused, lockedOut } from './locked-out.ts';

const said = 'WRONGPASS invalid username-password pair or user is disabled.';
const refused = (text: string) =>
  RedisRefused(`/state/redis-2/sock answered AUTH with: ${text}`, { cause: new ReplyError(text) });

test('a refused login is found behind whatever was made of it', () => {
  expect(isLoginRefused(refused(said))).toBe(true);
  expect(isLoginRefused(SwitchoverFailed('it failed', { cause: refused(said) }))).toBe(true);
  expect(isLoginRefused(refused('NOPERM no'))).toBe(false);
  expect(isLoginRefused(undefined)).toBe(false);
});

test('the error names the members and the way out', () => {
  const members = [aPrimary('redis-1'), aReplica('redis-2', { locksOut: said })];
  const cause = refused(said);
  expect(lockedOut(members, cause)).toMatchObject({
    code: 'AGENT_LOCKED_OUT',
    exitStatus: 1,
    message: `holdfast's own user, holdfast-agent, is refused at redis-2 (it says: ${said})`,
    hint: expect.stringContaining('ACL LOAD'),
    cause,
  });
});

test('when every member lets it in again, there is none', () => {
  expect(lockedOut([aPrimary('redis-1'), aReplica('redis-2')], refused(said))).toBeUndefined();
});
