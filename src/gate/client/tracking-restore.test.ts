import { expect, test } from 'vitest';
import type { Upstream } from '../upstream/upstream.ts';
import type { Client } from './client.ts';
import { Tracking } from './tracking.ts';
import { redirectTarget } from './tracking-restore.ts';

const target = {};

/** Clients of one listener, each with a connection of its own at the same member. */
function clients(count: number) {
  const all: Client[] = [];
  const kept: number[] = [];
  for (let id = 1; id <= count; id++) {
    const own = { target, ready: true, atServer: { id: id * 100 }, keepFromOthers: () => kept.push(id) };
    const session = { tracking: new Tracking() };
    const place = { own, current: own };
    all.push({
      id,
      closing: false,
      inFlight: 0,
      session,
      place,
      router: { clients: all },
    } as unknown as Client);
  }
  return { all, kept };
}

test('a connection that is told what another tracks is given to nobody else: that may come late', () => {
  const { all, kept } = clients(2);
  const [reads, hears] = all as [Client, Client];
  expect(redirectTarget(reads, hears.id, reads.place.own as Upstream)).toBe(200);
  expect(kept).toEqual([2]);
});

test('what a client tracks itself ends with the answer to TRACKING OFF', () => {
  const { all, kept } = clients(1);
  const [reads] = all as [Client];
  expect(redirectTarget(reads, reads.id, reads.place.own as Upstream)).toBe(100);
  expect(kept).toEqual([]);
});

test('what is kept of broadcasts is counted; said again it adds nothing, and ten thousand take no time', () => {
  const tracking = new Tracking();
  const said = (prefix: string) =>
    tracking.onAccepted(
      ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', prefix].map((each) => Buffer.from(each)),
    );
  const count = 10_000;
  for (let index = 0; index < count; index++) said(`prefix-${index}`);
  const { bytes } = tracking;
  expect(bytes).toBeGreaterThan(count * 'prefix-0'.length);
  said('prefix-0');
  expect(tracking.bytes).toBe(bytes);
  expect(tracking.requests(null)).toHaveLength(count);
  tracking.onAccepted(['CLIENT', 'TRACKING', 'OFF'].map((each) => Buffer.from(each)));
  expect([tracking.on, tracking.broadcasts, tracking.bytes]).toEqual([false, false, 0]);
});
