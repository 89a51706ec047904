import { expect, test } from 'vitest';
import { differentSettings, differentUsers } from './compare-settings.ts';

test('a setting is named once, by its name of today', () => {
  const both = (value: string) => ({ 'replica-serve-stale-data': value, 'slave-serve-stale-data': value });
  expect(differentSettings(both('no'), { config: both('yes') })).toEqual([
    { name: 'replica-serve-stale-data', running: 'no', wanted: 'yes' },
  ]);
  expect(differentSettings({ 'slave-lazy-flush': 'no' }, { config: { 'slave-lazy-flush': 'yes' } })).toEqual([
    { name: 'slave-lazy-flush', running: 'no', wanted: 'yes' },
  ]);
});

test('what a place, a role or an agent sets is no difference, nor what the other does not know', () => {
  const running = { port: '7001', 'slave-priority': '0', 'replica-priority': '0', masterauth: 'x', hz: '10' };
  const wanted = {
    port: '0',
    'slave-priority': '100',
    'replica-priority': '100',
    masterauth: '',
    newer: '1',
  };
  expect(differentSettings(running, { config: { ...wanted, hz: '10' } })).toEqual([]);
});

test('a value that the server rounds when it is told is no difference, rounded or not', () => {
  const wanted = { config: { 'repl-backlog-size': '1' }, told: { 'repl-backlog-size': '16384' } };
  for (const value of ['1', '16384'])
    expect(differentSettings({ 'repl-backlog-size': value }, wanted)).toEqual([]);
  expect(differentSettings({ 'repl-backlog-size': '20000' }, wanted)).toHaveLength(1);
});

test('users differ by their rules or by their password, and passwords are not told', () => {
  const same = 'user agent on #11 ~* +@all';
  const found = differentUsers(
    [same, 'user app on #22 ~* +@all', 'user extra on nopass ~* +@all', 'user other on #33 ~* +@read'],
    [same, 'user app on #99 ~* +@all', 'user gone on #44 ~* +@all', 'user other on #33 ~* +@write'],
  );
  expect(found).toEqual([
    { user: 'app', running: 'on ~* +@all', wanted: 'on ~* +@all', keepsOut: true },
    { user: 'extra', running: 'on nopass ~* +@all', wanted: '', keepsOut: false },
    { user: 'gone', running: '', wanted: 'on ~* +@all', keepsOut: true },
    { user: 'other', running: 'on ~* +@read', wanted: 'on ~* +@write', keepsOut: false },
  ]);
});
