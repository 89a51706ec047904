import { expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { RedisUnreachable } from '../../redis/errors.ts';
import { parseSpec } from '../../spec/parse.ts';
import { ownUserName, placeholderSecrets } from '../../spec/secrets.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { statePaths } from '../state/paths.ts';
import { Unit } from '../units/unit.ts';
import { applySettings, type SettingChange } from './apply-settings.ts';

/** A server that takes what it is told, and answers `silent` of it too late. */
function memberWith(silent: string): { member: LiveMember; next: Setting; rewrites: () => number } {
  const spec = parseSpec('name: x\nredis: { persistence: none }', 'x.yaml');
  const secrets = placeholderSecrets(spec);
  const config: Record<string, string> = {
    ...{ hz: '10', appendonly: 'no', save: '' },
    ...{ masteruser: ownUserName('replication'), masterauth: secrets.own.replication },
  };
  let silences = 1;
  const answer = (call: string) => {
    if (call === silent && silences-- > 0) throw RedisUnreachable('no answer');
  };
  let rewrites = 0;
  const client = {
    getConfig: async (...names: string[]) =>
      names.includes('*') ? config : Object.fromEntries(names.map((name) => [name, config[name] ?? ''])),
    setConfig: async (name: string, value: string) => {
      config[name] = value;
      answer('set');
    },
    rewriteConfig: async () => {
      answer('rewrite');
      rewrites++;
    },
    connection: { call: async () => [] },
  };
  const place = spec.members[0];
  const paths = statePaths('/nowhere').member('redis-1');
  const unit = Object.assign(Object.create(new Unit('redis-1', paths, systemClock)), {});
  Object.defineProperties(unit, { process: { value: { running: true } }, paths: { value: paths } });
  const next = { spec, secrets, aclSelectors: true } as unknown as Setting;
  return {
    member: { place, unit, watch: { client } } as unknown as LiveMember,
    next,
    rewrites: () => rewrites,
  };
}

test.each(['set', 'rewrite'])(
  'a server that took a setting and was too late with its answer to the %s has it in its file when it is asked again',
  async (silent) => {
    const { member, next, rewrites } = memberWith(silent);
    const told = new Map<string, SettingChange>();
    const wanted = { config: { hz: '50', appendonly: 'no', save: '' }, users: [] };
    const apply = () => applySettings(next, member, wanted, false, told);
    await expect(apply()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(rewrites()).toBe(0);
    expect(await apply()).toEqual([{ what: 'hz', from: '10', to: '50', takes: 'now' }]);
    expect(rewrites()).toBe(1);
  },
);
