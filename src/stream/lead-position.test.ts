import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replicationInfo } from '../redis/info.ts';
import { writeRequest } from '../resp/write.ts';
import { CommandFramer } from './command-framer.ts';
import {
  asReplica,
  endedRun,
  epochField,
  epochOf,
  fencedAt,
  fencedField,
  mayLead,
  newRun,
  readRun,
  releasedAt,
  toFollow,
  toLead,
  withoutLead,
} from './lead-position.ts';
import { encodePosition } from './position.ts';
import { withoutPositions } from './without-positions.ts';

const lead = { address: '10.0.0.1', port: 6379 };
const info = {
  role: 'master',
  run_id: 'me',
  master_replid: 'a'.repeat(40),
  master_repl_offset: '7',
  db0: 'keys=3,expires=0',
};
const streaming = (run: string) =>
  encodePosition({ phase: 'streaming', run, replId: 'b'.repeat(40), offset: 42, db: 0 });

test('one that follows nobody is as it is, but for our own keys', () => {
  expect(replicationInfo(asReplica(info, [null, null], 100, null))).toMatchObject({
    role: 'primary',
    offset: 7,
  });
  expect(asReplica(info, [null, 'me'], 100, '{}')['db0']).toBe('keys=1,expires=0');
});

test('one that follows shows as a replica with what is applied, linked only for a stream that its own process has', () => {
  const seen = (run: string) => replicationInfo(asReplica(info, [streaming(run), null], 10, null));
  const run = newRun(lead, 'me', 3);
  expect(seen(run)).toMatchObject({
    ...{ role: 'replica', primaryAddress: lead.address, primaryPort: lead.port },
    ...{
      linkUp: true,
      syncing: false,
      offset: 42,
      priority: 10,
      replId: 'b'.repeat(40),
      linkDownSeconds: undefined,
    },
  });
  expect(seen(endedRun(run))).toMatchObject({ linkUp: false, linkDownSeconds: 1 });
  expect(seen(newRun(lead, 'before', 3))).toMatchObject({ linkUp: false, linkDownSeconds: undefined });
  expect(seen('strange')).toMatchObject({ role: 'replica', linkUp: false });
});

test('told to follow, it has nothing yet; what can’t be read follows nobody that there is', () => {
  const told = replicationInfo(asReplica(info, [toFollow(lead, 3), null], 0, null));
  expect(told).toMatchObject({ primaryPort: lead.port, linkUp: false, syncing: true, offset: 0 });
  const damaged = replicationInfo(asReplica(info, ['no position', null], 0, null));
  expect(damaged).toMatchObject({ role: 'replica', primaryAddress: '?', linkUp: false, syncing: false });
});

test('who may be taken for the one that leads, by its own word', () => {
  const mine = streaming(newRun(lead, 'me', 3));
  expect(mayLead([null, 'me'], 'me')).toBe(true);
  expect(mayLead([null, null], 'me')).toBe(true);
  expect(mayLead([null, 'before'], 'me')).toBe(false);
  expect(mayLead([null, toLead('me', 7)], 'me')).toBe(true);
  expect(mayLead([null, toLead('before', 7)], 'me')).toBe(false);
  expect(mayLead([mine, 'me'], 'me')).toBe(false);
});

test('a run is read as it was written, and nothing else is one', () => {
  expect(readRun(newRun(lead, 'me', 3))).toEqual({
    of: lead,
    by: 'me',
    epoch: 3,
    ended: false,
    fenced: false,
  });
  expect(readRun(endedRun(newRun(lead, 'me', 3)))).toEqual({
    of: lead,
    by: 'me',
    epoch: 3,
    ended: true,
    fenced: false,
  });
  expect(readRun('whole')).toBeUndefined();
});

test('what a member says of itself is not carried to another; everything else is', () => {
  const rewrite = (...args: string[]) =>
    withoutLead.rewrite(args[0]!.toLowerCase(), () => args.map((arg) => Buffer.from(arg)), 0);
  expect(rewrite('SET', 'holdfast:stream:{lead}:leads', 'x')).toBe('nothing');
  expect(rewrite('DEL', 'holdfast:stream:{lead}', 'holdfast:stream:{lead}:leads')).toBe('nothing');
  expect(rewrite('SET', 'holdfast:stream:{lead}:in-sync', 'x')).toBe('as-it-is');
  expect(rewrite('DEL', 'holdfast:stream:{lead}', 'a')).toBe('as-it-is');
  expect(rewrite('SET', 'holdfast:stream:{mirror-x}', 'x')).toBe('as-it-is');
  expect(rewrite('MOVE', 'holdfast:stream:{lead}:leads', '1')).toBe('nothing');
  expect(rewrite('MOVE', 'a', '1')).toBe('as-it-is');
});

test('what is told at a glance is what reading it tells, wherever that is asked', () => {
  const key = fc.constantFrom(
    'a',
    'holdfast:stream:{lead}',
    'holdfast:stream:{lead}:leads',
    'holdfast:stream:{x}',
    '',
  );
  const name = fc.constantFrom('set', 'SET', 'del', 'Move', 'incr', 'mset');
  let untouched = 0;
  fc.assert(
    fc.property(name, fc.array(key, { maxLength: 3 }), (word, keys) => {
      const framer = new CommandFramer();
      framer.add(writeRequest([word, ...keys]));
      expect(framer.next()).toBe(true);
      for (const rewriter of [withoutLead, withoutPositions]) {
        if (!rewriter.isUntouched!(framer.name, framer)) continue;
        untouched++;
        expect(rewriter.rewrite(framer.name, () => framer.args(), 0)).toBe('as-it-is');
      }
    }),
  );
  expect(untouched).toBeGreaterThan(0);
});

test('databases that are exchanged: with that of the position everything is copied anew', () => {
  const swap = (...dbs: string[]) =>
    withoutLead.rewrite('swapdb', () => ['SWAPDB', ...dbs].map((arg) => Buffer.from(arg)), 0);
  expect(swap('1', '2')).toBe('as-it-is');
  for (const dbs of [
    ['0', '1'],
    ['1', '0'],
  ])
    expect(() => swap(...dbs)).toThrow(expect.objectContaining({ code: 'STREAM_NEEDS_COPY' }));
});

test('one that is fenced keeps its place and its epoch, has no link, and goes on from there when it is released', () => {
  const fenced = fencedAt(streaming(newRun(lead, 'me', 3)), 5) ?? '';
  const info5 = asReplica(info, [fenced, null], 10, null);
  expect(replicationInfo(info5)).toMatchObject({ linkUp: false, linkDownSeconds: 1, offset: 42 });
  expect([info5[epochField], info5[fencedField]]).toEqual(['5', '1']);
  const released = asReplica(info, [releasedAt(fenced, 6) ?? '', null], 10, null);
  expect(replicationInfo(released)).toMatchObject({
    primaryAddress: lead.address,
    linkUp: false,
    offset: 42,
  });
  expect([released[epochField], released[fencedField]]).toEqual(['6', undefined]);
  expect(fencedAt('no position', 5)).toBeUndefined();
});

test('in which epoch a member was told last it says as a follower and as the lead', () => {
  expect(epochOf([toFollow(lead, 3), null])).toBe(3);
  expect(epochOf([null, toLead('me', 7)])).toBe(7);
  expect(epochOf([null, null])).toBe(0);
  expect(epochOf([null, 'me'])).toBe(0);
});
