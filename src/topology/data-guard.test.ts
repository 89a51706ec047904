import { describe, expect, test } from 'vitest';
import { aSentinel, deadProcess, loading } from '../../test/support/views.ts';
import { emptyPrimaryOver, possibleHolders } from './data-guard.ts';
import type { MemberView, View } from './view.ts';

const blank: MemberView = {
  id: '',
  host: 'local',
  address: '127.0.0.1',
  port: 0,
  process: null,
  reachable: true,
  seenAtMs: 0,
  answersSinceMs: 0,
  lastAnswer: null,
  refuses: false,
  silentMs: 0,
  unansweredMs: 0,
  busy: null,
  locksOut: null,
  role: 'replica',
  lastRole: 'replica',
  follows: null,
  linkUp: true,
  linkSilentMs: 0,
  backlogBytes: 0,
  synced: true,
  syncing: false,
  offset: 0,
  priority: 100,
  keys: 0,
  memory: null,
  storeFails: false,
  writes: null,
  histories: [],
  diskKnown: true,
  dataIntact: true,
  dataStale: false,
  kept: null,
  heldBack: false,
  behindMs: 0,
  caughtUp: true,
  awaited: true,
  inSync: null,
  toldIn: 0,
  fenced: false,
  word: null,
  heard: true,
};
const lost = { reachable: false, keys: null };

/** Members redis-1, redis-2 and so on, and a Sentinel that names redis-1. */
function viewOf(...members: Partial<MemberView>[]): View {
  const all = members.map((member, i) => ({ ...blank, id: `redis-${i + 1}`, port: i + 1, ...member }));
  const sentinel = {
    reachable: true,
    answeredAtMs: 0,
    primary: 'redis-1',
    configEpoch: 0,
    agreedDownAtMs: null,
    primarySilentMs: 0,
    failoverInProgress: false,
  };
  const place = { id: 'sentinel-1', host: 'local', address: '127.0.0.1', port: 9 };
  return {
    name: 'test',
    paused: false,
    operation: null,
    givesWay: false,
    operationRests: false,
    helpersKept: true,
    ending: false,
    members: all,
    sentinels: [aSentinel('sentinel-1', { ...place, ...sentinel, process: null })],
    gates: [],
    noPrimarySinceMs: null,
    selection: null,
    promoted: null,
    unwilling: [],
    namedSinceMs: null,
    vote: null,
    standAgainAtMs: null,
    troubles: [],
  };
}

describe('who an empty primary might wipe', () => {
  const holders = (...others: Partial<MemberView>[]) => {
    const view = viewOf({ ...lost, dataIntact: false }, ...others);
    return possibleHolders(view, view.members[0] as MemberView).map(({ id }) => id);
  };

  test('nobody, when all others are empty, or when there is no other', () => {
    expect(holders({}, {})).toEqual([]);
    expect(holders()).toEqual([]);
  });
  test('one that holds keys, also where the rest is empty', () => {
    expect(holders({ keys: 1 }, {})).toEqual(['redis-2']);
  });
  test('nobody, when a majority is known to be empty: a first start need not wait for the last host', () => {
    expect(holders({}, lost)).toEqual([]);
  });
  test('everyone who can’t be asked, when that leaves no majority', () => {
    expect(holders(lost, lost)).toEqual(['redis-2', 'redis-3']);
    expect(holders(lost)).toEqual(['redis-2']);
  });
  test('one that is still loading: it has no keys yet', () => {
    expect(holders({ busy: loading }, lost)).toEqual(['redis-2', 'redis-3']);
  });
});

describe('the empty primary over a replica with data', () => {
  const kept = { keys: 7, history: 'old' };
  const over = (primary: Partial<MemberView>, member: Partial<MemberView> = { kept }) => {
    const view = viewOf({ role: 'primary', histories: ['new', 'newer'], ...primary }, { ...lost, ...member });
    return emptyPrimaryOver(view, view.members[1] as MemberView)?.id;
  };

  test('a stranger without keys is refused', () => {
    expect(over({})).toBe('redis-1');
  });
  test('one that has keys is not: it is a primary like others', () => {
    expect(over({ keys: 1 })).toBeUndefined();
  });
  test('once refused it stays so, by its code and not by its words, until another is primary', () => {
    const refused = (about: string) =>
      deadProcess(0, { refusal: { code: 'would-be-wiped', about: [about], reason: 'in whatever words' } });
    expect(over({ keys: 1 }, { kept, process: refused('redis-1') })).toBe('redis-1');
    expect(over({ keys: 1 }, { kept, process: refused('redis-3') })).toBeUndefined();
  });
  test('nor one of the same history: it was emptied on purpose', () => {
    expect(over({ histories: ['old', 'older'] })).toBeUndefined();
    expect(over({ histories: ['new', 'old'] })).toBeUndefined();
  });
  test('nor one that is loading, or can’t be asked', () => {
    expect(over({ busy: loading })).toBeUndefined();
    expect(over({ ...lost })).toBeUndefined();
  });
  test('a replica that held nothing has nothing to lose', () => {
    expect(over({}, { kept: null })).toBeUndefined();
    expect(over({}, { kept: { keys: 0, history: 'old' } })).toBeUndefined();
  });
});
