import { expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { parseSpec } from '../../spec/parse.ts';
import { placeholderSecrets } from '../../spec/secrets.ts';
import type { Setting } from '../deployment.ts';
import { statePaths } from '../state/paths.ts';
import { Unit } from '../units/unit.ts';
import { ExpectedSettings, readSettings } from './expected-settings.ts';

test('what a server says of its passwords goes no further', async () => {
  const config = { requirepass: 'geheim', masterauth: 'geheim', 'tls-key-file-pass': '', hz: '10' };
  const client = { getConfig: async () => config, connection: { call: async () => [] } };
  expect(await readSettings(client as unknown as MemberClient)).toEqual({
    config: { requirepass: '(a password)', masterauth: '(a password)', 'tls-key-file-pass': '', hz: '10' },
    users: [],
  });
});

/** A server is started for each question. */
test('the members of a host are asked about once, and again only when the spec changes', async () => {
  const settingOf = (text: string) => {
    const spec = parseSpec(text, 'x.yaml');
    return {
      spec,
      secrets: placeholderSecrets(spec),
      aclSelectors: true,
      redisServer: '/r',
    } as unknown as Setting;
  };
  let asked = 0;
  const expected = new ExpectedSettings(async () => {
    asked += 1;
    return { config: {}, users: [] };
  });
  const lookAtAll = async (setting: Setting) => {
    for (const place of setting.spec.members) {
      const unit = new Unit(place.id, statePaths('/state').member(place.id), systemClock);
      await expected.of(setting, { place, unit });
    }
  };
  const setting = settingOf('name: x');
  expect(setting.spec.members.length).toBeGreaterThan(1);
  await lookAtAll(setting);
  await lookAtAll(setting);
  expect(asked).toBe(1);
  await lookAtAll(settingOf('name: x'));
  expect(asked).toBe(1);
  await lookAtAll(settingOf('name: x\nredis: { maxMemory: 64mb }'));
  expect(asked).toBe(2);
});
