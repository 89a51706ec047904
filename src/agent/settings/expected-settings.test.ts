import { expect, test } from 'vitest';
import type { MemberClient } from '../../redis/member-client.ts';
import { readSettings } from './expected-settings.ts';

test('what a server says of its passwords goes no further', async () => {
  const config = { requirepass: 'geheim', masterauth: 'geheim', 'tls-key-file-pass': '', hz: '10' };
  const client = { getConfig: async () => config, connection: { call: async () => [] } };
  expect(await readSettings(client as unknown as MemberClient)).toEqual({
    config: { requirepass: '(a password)', masterauth: '(a password)', 'tls-key-file-pass': '', hz: '10' },
    users: [],
  });
});
