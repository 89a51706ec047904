import { expect, test } from 'vitest';
import { whenInSight } from './when-in-sight.ts';

/** The browser's, as far as it is needed: a test says what comes in sight. */
class Sight {
  static last: Sight | undefined;
  readonly watched = new Set<Element>();
  readonly #look: IntersectionObserverCallback;

  constructor(look: IntersectionObserverCallback) {
    this.#look = look;
    Sight.last = this;
  }

  observe(element: Element): void {
    this.watched.add(element);
  }

  unobserve(element: Element): void {
    this.watched.delete(element);
  }

  /** The browser says so of what is watched only. */
  say(target: Element, isIntersecting: boolean): void {
    if (this.watched.has(target)) {
      const entry = { target, isIntersecting } as IntersectionObserverEntry;
      this.#look([entry], this as unknown as IntersectionObserver);
    }
  }
}

test('work is done when its element is in sight, once, and of what was due before only the last', () => {
  globalThis.IntersectionObserver = Sight as unknown as typeof IntersectionObserver;
  const element = {} as Element;
  const done: string[] = [];
  const work = (name: string) => () => {
    done.push(name);
    return () => done.push(`${name} taken back`);
  };
  const takeBack = whenInSight(element, work('first'));
  Sight.last?.say(element, false);
  expect(done).toEqual([]);
  takeBack();
  const takeBackSecond = whenInSight(element, work('second'));
  Sight.last?.say(element, true);
  Sight.last?.say(element, true);
  expect(done).toEqual(['second']);
  takeBackSecond();
  expect(done).toEqual(['second', 'second taken back']);
  expect(Sight.last?.watched.size).toBe(0);
});
