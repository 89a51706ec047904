import { describe, expect, test } from 'vitest';
import { aGate, aliveProcess, aPrimary, aReplica, aSentinel, loading } from '../../test/support/views.ts';
import { type Activity, unknownActivity } from './activity.ts';
import { findDeaf, findHang } from './hang.ts';
import type { MemberView, ProcessView, View } from './view.ts';

const healthy: View = {
  name: 'test',
  paused: false,
  operation: null,
  givesWay: false,
  operationRests: false,
  helpersKept: true,
  ending: false,
  members: [aPrimary('redis-1'), aReplica('redis-2')],
  sentinels: [aSentinel('sentinel-1')],
  gates: [aGate('gate-1')],
  noPrimarySinceMs: null,
  selection: null,
  promoted: null,
  unwilling: [],
  namedSinceMs: null,
  vote: null,
  standAgainAtMs: null,
  troubles: [],
};

const doing = (activity: Partial<Activity>) =>
  aliveProcess({ activity: { ...unknownActivity, ...activity } });
const silentFor = (silentMs: number) => aliveProcess({ silentMs });
const primary = (changes: Partial<MemberView>, hangAfterMs = 5000) =>
  findHang({ ...healthy, members: [aPrimary('redis-1', changes), aReplica('redis-2')] }, hangAfterMs);

test('nobody hangs in a healthy deployment', () => {
  expect(findHang(healthy, 5000)).toBeUndefined();
});

describe('one that has not said its first word', () => {
  const begun = (changes: Partial<ProcessView>) => aliveProcess({ startedHere: true, ...changes });

  test('has twenty seconds from its start, a server as a gate', () => {
    const server = (silentMs: number) => primary({ silentMs, role: null, process: begun({}) });
    expect(server(19_999)).toBeUndefined();
    expect(server(20_000)).toMatchObject({ process: 'redis-1', code: 'silent' });
    const gate = (silentMs: number) => {
      const process = begun({ silentMs, answered: false });
      return findHang({ ...healthy, gates: [aGate('gate-1', { process })] }, 1000);
    };
    expect(gate(19_999)).toBeUndefined();
    expect(gate(20_000)?.process).toBe('gate-1');
  });

  test('but not who answered before, or ran before this agent did', () => {
    const silentMs = 5000;
    expect(primary({ silentMs, process: begun({}) })?.process).toBe('redis-1');
    expect(primary({ silentMs, role: null, process: aliveProcess() })?.process).toBe('redis-1');
    const process = begun({ silentMs });
    expect(findHang({ ...healthy, gates: [aGate('gate-1', { process })] }, 1000)?.process).toBe('gate-1');
  });
});

describe('stopped by a signal', () => {
  test('after half a second, though it was asked nothing yet', () => {
    expect(primary({ process: doing({ stoppedMs: 400 }) })).toBeUndefined();
    expect(primary({ process: doing({ stoppedMs: 500 }) })?.process).toBe('redis-1');
  });

  test('also when it had said that it is busy', () => {
    expect(primary({ process: doing({ stoppedMs: 500 }), busy: loading })?.process).toBe('redis-1');
  });

  test('gates and Sentinels as servers', () => {
    const process = doing({ stoppedMs: 500 });
    expect(findHang({ ...healthy, gates: [aGate('gate-1', { process })] }, 5000)?.process).toBe('gate-1');
    const sentinels = [aSentinel('sentinel-1', { process })];
    expect(findHang({ ...healthy, sentinels }, 5000)?.process).toBe('sentinel-1');
  });
});

describe('replaced, and too busy to hear of it', () => {
  const deaf = (changes: Partial<MemberView>, after = 5000, view: Partial<View> = {}) => {
    const members = [aPrimary('redis-1', { busy: loading, ...changes }), aPrimary('redis-2')];
    const sentinels = [aSentinel('sentinel-1', { primary: 'redis-2', configEpoch: 2 })];
    return findDeaf({ ...healthy, members, sentinels, namedSinceMs: 100, ...view }, 5000, 100 + after);
  };

  test('it is killed when another has been named for as long as a silent one is waited for', () => {
    expect(deaf({}, 4999)).toBeUndefined();
    expect(deaf({})).toMatchObject({ process: 'redis-1', code: 'deposed' });
  });

  test('not one that can be told, that follows already, or of another host', () => {
    expect(deaf({ busy: null })).toBeUndefined();
    expect(deaf({ role: 'replica' })).toBeUndefined();
    expect(deaf({ process: null })).toBeUndefined();
  });

  test('one that was busy before this agent began to ask, unless it was a replica when it last said so', () => {
    expect(deaf({ role: null, lastRole: 'primary' })).toMatchObject({ process: 'redis-1', code: 'deposed' });
    expect(deaf({ role: null, lastRole: null })).toMatchObject({ process: 'redis-1', code: 'deposed' });
    expect(deaf({ role: null, lastRole: 'replica' })).toBeUndefined();
    expect(deaf({ role: 'replica', lastRole: 'primary' })).toBeUndefined();
  });

  test('not the primary that the Sentinels name', () => {
    const sentinels = [aSentinel('sentinel-1', { primary: 'redis-1' })];
    expect(deaf({}, 60_000, { sentinels })).toBeUndefined();
  });
});

describe('waiting for its disk', () => {
  test('counts only with a question that waits', () => {
    const process = doing({ waitingMs: 600 });
    expect(primary({ process, unansweredMs: 0 })).toBeUndefined();
    expect(primary({ process, unansweredMs: 500 })?.reason).toContain('waits for its disk');
  });

  const slow = { process: doing({ waitingMs: 900 }), unansweredMs: 900, silentMs: 900 };
  const among = (...members: MemberView[]) => findHang({ ...healthy, members }, 5000)?.process;

  test('a replica is not killed for it: what starts again reads everything from that disk', () => {
    expect(among(aPrimary('redis-1'), aReplica('redis-2', slow))).toBeUndefined();
    expect(among(aPrimary('redis-1'), aReplica('redis-2', { ...slow, silentMs: 5000 }))).toBe('redis-2');
  });

  test('nor a primary when nobody can take over, or everyone waits for the same disk', () => {
    expect(among(aPrimary('redis-1', slow))).toBeUndefined();
    expect(among(aPrimary('redis-1', slow), aReplica('redis-2', { priority: 0 }))).toBeUndefined();
    expect(among(aPrimary('redis-1', slow), aReplica('redis-2', slow))).toBeUndefined();
    expect(among(aPrimary('redis-1', slow), aReplica('redis-2', slow), aReplica('redis-3'))).toBe('redis-1');
  });
});

describe('silent', () => {
  test('while it computes it is no hang until hangAfter, and the reason says what it does', () => {
    const process = doing({ computingMs: 4000 });
    expect(primary({ process, silentMs: 4999, unansweredMs: 4999 })).toBeUndefined();
    expect(primary({ process, silentMs: 5000 })?.reason).toContain('one slow command');
    expect(primary({ silentMs: 5000 })?.reason).toContain('though its process lives');
  });

  test('a server that says that it is paused, loads or runs a script answers', () => {
    expect(primary({ silentMs: 60_000, busy: loading })).toBeUndefined();
  });

  test('a gate or a Sentinel, not sooner than it takes to start on a busy machine', () => {
    const gates = (silentMs: number) => ({
      ...healthy,
      gates: [aGate('gate-1', { process: silentFor(silentMs) })],
    });
    expect(findHang(gates(1000), 1000)).toBeUndefined();
    expect(findHang(gates(5000), 1000)?.process).toBe('gate-1');
    expect(findHang(gates(5000), 6000)).toBeUndefined();
    const sentinels = [aSentinel('sentinel-1', { process: silentFor(5000) })];
    expect(findHang({ ...healthy, sentinels }, 5000)?.process).toBe('sentinel-1');
  });

  test('what runs on another host is not ours to kill', () => {
    expect(primary({ process: null, silentMs: 60_000 })).toBeUndefined();
  });
});
