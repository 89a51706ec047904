import { expect, test } from 'vitest';
import { ClockWatch } from './clock-watch.ts';

/** Two clocks that are moved by hand. */
class Hands {
  wall = 1e12;
  monotonic = 5000;
  readingMs = 0;
  wallMs = () => this.wall;
  monotonicMs = () => {
    this.pass(this.readingMs);
    return this.monotonic;
  };
  pass(ms: number, wallMs = ms) {
    this.wall += wallMs;
    this.monotonic += ms;
  }
}

test('a clock that is set is noticed once, with how far', () => {
  const hands = new Hands();
  const watch = new ClockWatch(hands);
  hands.pass(1000);
  expect(watch.look()).toBe(0);
  hands.pass(1000, 6000);
  expect(watch.look()).toBe(5000);
  hands.pass(1000);
  expect(watch.look()).toBe(0);
  hands.pass(1000, -1000);
  expect(watch.look()).toBe(-2000);
});

test('slewing, late timers and slow readings are no steps', () => {
  const hands = new Hands();
  const watch = new ClockWatch(hands);
  for (let second = 0; second < 3600; second += 1) {
    hands.pass(1000, 1000.5);
    expect(watch.look()).toBe(0);
  }
  hands.pass(60_000);
  expect(watch.look()).toBe(0);
  hands.readingMs = 400;
  expect(watch.look()).toBe(0);
  hands.readingMs = 0;
  expect(watch.look()).toBe(0);
});
