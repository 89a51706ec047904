/** A value that components read and that one owner changes. */
import { startTransition, useEffect, useRef, useState } from 'react';

export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  update(change: Partial<T>): void {
    this.set({ ...this.#value, ...change });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/**
 * What comes from the agent can wait for a frame, and what the viewer does can't: so a change is a transition, which React
 * renders in slices, and not what `useSyncExternalStore` makes of it, one task for the whole page.
 *
 * @param select must return the same object while what it selects is the same, and depend on nothing but the value.
 */
export function useStore<T, S>(store: Store<T>, select: (value: T) => S): S {
  const latest = useRef(select);
  latest.current = select;
  const [selected, setSelected] = useState(() => select(store.value));
  useEffect(() => {
    const look = () => startTransition(() => setSelected(() => latest.current(store.value)));
    // It may have changed between the first render and now.
    look();
    return store.subscribe(look);
  }, [store]);
  return selected;
}
