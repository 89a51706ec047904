import { afterEach, expect, test, vi } from 'vitest';
import { Buffered } from './buffered.ts';
import { LetGo } from './let-go.ts';

const mib = 1024 * 1024;

afterEach(() => vi.useRealTimers());

/** A client that has so much of a request in the gate. */
function clientWith(size: number) {
  let counted = 0;
  return {
    unread: 0,
    requests: { size },
    closed: false,
    close() {
      this.closed = true;
    },
    recount() {
      const before = counted;
      counted = this.closed ? 0 : size;
      return counted - before;
    },
    get counted() {
      return counted;
    },
  };
}

function start() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  let collected = 0;
  const letGo = new LetGo(() => {
    collected++;
  });
  const buffered = new Buffered(512 * mib, letGo);
  const go = (clients: number, size: number) => {
    for (let i = 0; i < clients; i++) {
      const client = clientWith(size);
      buffered.update(client);
      client.close();
      buffered.update(client);
    }
  };
  return { go, collected: () => collected };
}

test('the memory of large clients that went is collected, once for all of them', () => {
  const { go, collected } = start();
  go(40, 60 * mib);
  expect(collected()).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(collected()).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(collected()).toBe(1);
});

test('clients that come again and again cause a collection every ten seconds at most', () => {
  const { go, collected } = start();
  for (let second = 0; second < 30; second++) {
    go(2, 60 * mib);
    vi.advanceTimersByTime(1000);
  }
  expect(collected()).toBe(3);
});

test('what is small, and what those who stay have let go of, causes none', () => {
  const { go, collected } = start();
  go(10_000, 64 * 1024);
  go(1, 60 * mib);
  vi.advanceTimersByTime(60_000);
  expect(collected()).toBe(0);
});
