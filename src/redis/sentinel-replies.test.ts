import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRole } from './role.ts';
import { parseSentinelEvent } from './sentinel-event.ts';
import { fieldsOf, isPromotable, watchedPrimary, watchedReplicas } from './sentinel-replies.ts';

describe('what Sentinels answer', () => {
  test('SENTINEL MASTER', () => {
    const reply = [
      'name',
      'app',
      'ip',
      '10.0.0.1',
      'port',
      '6379',
      'flags',
      'master,o_down',
      'config-epoch',
      '7',
      'role-reported',
      'slave',
      'last-ok-ping-reply',
      '12',
    ];
    expect(watchedPrimary(reply)).toEqual({
      address: '10.0.0.1',
      port: 6379,
      flags: ['master', 'o_down'],
      configEpoch: 7,
      roleReported: 'slave',
      okPingAgeMs: 12,
    });
  });

  test('SENTINEL REPLICAS, and which of them could be promoted', () => {
    const entry = (port: number, flags: string, priority: number) => [
      ...['ip', '10.0.0.2', 'port', `${port}`, 'flags', flags, 'slave-priority', `${priority}`],
      ...['master-link-down-time', '30', 'info-refresh', '12', 'last-ok-ping-reply', '70'],
    ];
    const replicas = watchedReplicas([
      entry(1, 'slave', 100),
      entry(2, 's_down,slave', 100),
      entry(3, 'slave,disconnected', 100),
      entry(4, 'slave', 0),
      entry(0, 'slave', 100),
      'x',
    ]);
    expect(replicas[0]).toEqual({
      ...{ address: '10.0.0.2', port: 1, flags: ['slave'], priority: 100 },
      ...{ linkDownMs: 30, infoAgeMs: 12, okPingAgeMs: 70, isHeard: true },
    });
    expect(watchedReplicas([[...entry(1, 'slave', 100), 'master-host', '?']])[0]?.isHeard).toBe(false);
    expect(replicas.map((each) => [each.port, isPromotable(each)])).toEqual([
      [1, true],
      [2, false],
      [3, false],
      [4, false],
    ]);
  });

  test('a name that objects have of their own is a field like any other', () => {
    expect(fieldsOf(['a', '1'])?.['constructor']).toBeUndefined();
    expect(fieldsOf(['__proto__', 'x', 'a', '1'])?.['a']).toBe('1');
  });

  test('anything else is no answer, and no error', () => {
    fc.assert(
      fc.property(fc.anything(), (reply) => {
        watchedReplicas(reply);
        watchedPrimary(reply);
        parseRole(reply);
      }),
    );
    expect(watchedPrimary(null)).toBeNull();
    expect(watchedPrimary(['ip', 'x', 'port', '99999'])).toBeNull();
    expect(watchedReplicas('OK')).toEqual([]);
  });
});

describe('ROLE', () => {
  test('of a primary, a replica and a Sentinel', () => {
    expect(parseRole(['master', 9, [['10.0.0.2', '6379', '8'], 'x']])).toEqual({
      role: 'primary',
      offset: 9,
      replicas: [{ address: '10.0.0.2', port: 6379, offset: 8 }],
    });
    expect(parseRole(['slave', '10.0.0.1', 6379, 'connected', 8])).toEqual({
      ...{ role: 'replica', primaryAddress: '10.0.0.1', primaryPort: 6379, link: 'connected', offset: 8 },
    });
    expect(parseRole(['sentinel', ['app']])).toEqual({ role: 'sentinel' });
    expect(parseRole(['pirate'])).toBeNull();
  });
});

describe('events', () => {
  const at = (address: string, port: number) => ({ address, port });

  test('of a replica name it and its primary', () => {
    const event = parseSentinelEvent('+selected-slave', 'slave x:2 10.0.0.2 2 @ app 10.0.0.1 1', 'app');
    expect(event?.subject).toEqual({ role: 'slave', ...at('10.0.0.2', 2) });
    expect(event?.primary).toEqual(at('10.0.0.1', 1));
    expect(event?.newPrimary).toBeUndefined();
  });

  test('of a primary', () => {
    const event = parseSentinelEvent('-failover-abort-no-good-slave', 'master app 10.0.0.1 1', 'app');
    expect(event?.subject).toEqual({ role: 'master', ...at('10.0.0.1', 1) });
    expect(event?.primary).toEqual(at('10.0.0.1', 1));
  });

  test('of a switch name both', () => {
    const event = parseSentinelEvent('+switch-master', 'app 10.0.0.1 1 10.0.0.2 2', 'app');
    expect(event).toMatchObject({ primary: at('10.0.0.1', 1), newPrimary: at('10.0.0.2', 2) });
  });

  test('of nobody in particular', () => {
    expect(parseSentinelEvent('+tilt', '#tilt mode entered', 'app')).toMatchObject({ name: '+tilt' });
  });

  test.each([
    ['+switch-master', 'other 10.0.0.1 1 10.0.0.2 2'],
    ['+switch-master', 'app 10.0.0.1 1 10.0.0.2 99999'],
    ['+switch-master', 'app'],
    ['+sdown', 'master other 10.0.0.1 1'],
    ['+sdown', 'slave x 10.0.0.2 2 @ other 10.0.0.1 1'],
  ])('%s %s is not ours, or none', (channel, message) => {
    expect(parseSentinelEvent(channel, message, 'app')).toBeUndefined();
  });
});
