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
