import { expect, test } from 'vitest';
import { aView } from '../../../test/support/views.ts';
import type { MirrorStatus } from '../mirrors/mirror-keeper.ts';
import { readStatus } from './read-status.ts';
import { statusOf } from './status-answer.ts';

const mirror: MirrorStatus = {
  ...{ name: 'dr', to: 'redis://dr:6379', host: 'a', state: 'following', keys: 1, bytes: 2 },
  ...{
    totalBytes: 2,
    bytesPerSecond: 0,
    secondsLeft: null,
    lagBytes: 0,
    lagSeconds: 0,
    queueBytes: 0,
    queueSeconds: 0,
    problem: null,
  },
  trouble: null,
};
const backup = {
  ...{ lastGoodId: 'x', lastGoodAt: null, ageMs: 5, nextAt: null, lastError: null, lastVerifiedAt: null },
  ...{ lastVerifiedGood: null, running: false, unread: false },
};
const whole = () =>
  JSON.parse(JSON.stringify(statusOf(aView(), 0, backup, [], [mirror]))) as Record<string, unknown>;
/** Without these no agent ever answered. */
const always = ['name', 'state', 'id', 'host', 'address', 'port', 'to'];

function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner];
}

test('what an agent of this release says is taken as it is', () => {
  expect(readStatus(whole())).toEqual(whole());
});

test('whatever one field an agent of another release does not say, every field is there', () => {
  const count = objectsIn(whole()).length;
  for (let index = 0; index < count; index += 1) {
    const names = Object.keys(objectsIn(whole())[index] ?? {}).filter((name) => !always.includes(name));
    for (const name of names) {
      const old = whole();
      delete objectsIn(old)[index]?.[name];
      const read = readStatus(old);
      expect(read.members, name).toBeInstanceOf(Array);
      for (const each of objectsIn(read)) expect(Object.values(each), name).not.toContain(undefined);
      const fields = (value: unknown) => objectsIn(value).flatMap((each) => Object.keys(each)).length;
      const isList = Array.isArray(objectsIn(whole())[index]?.[name]);
      const isBackup = name === 'backup';
      if (!isList && !isBackup) expect(fields(read), name).toBe(fields(whole()));
    }
  }
});
