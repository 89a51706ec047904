import { startTransition, useCallback, useEffect, useState } from 'react';
import { ask, asRefusal, type Refusal } from './ask.ts';

/** What was asked for, and how it stands with it. While it is asked again, what is known stays. */
export interface Answer<T> {
  value: T | null;
  refusal: Refusal | null;
  again: () => void;
}

/** @param path null asks for nothing. @param everyMs how often it is asked again, while somebody looks. */
export function useAnswer<T>(path: string | null, everyMs: number | null = null): Answer<T> {
  const [known, setKnown] = useState<{ path: string | null; value: T | null; refusal: Refusal | null }>({
    path,
    value: null,
    refusal: null,
  });
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn asks again.
  useEffect(() => {
    if (path === null) return;
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      try {
        if (!document.hidden) {
          const value = await ask<T>(path, ended.signal);
          startTransition(() => setKnown({ path, value, refusal: null }));
        }
      } catch (error) {
        if (ended.signal.aborted) return;
        const refusal = asRefusal(error);
        setKnown((before) => ({ path, value: before.path === path ? before.value : null, refusal }));
      }
      if (everyMs !== null && !ended.signal.aborted) timer = setTimeout(() => void look(), everyMs);
    };
    void look();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, turn]);
  const again = useCallback(() => setTurn((each) => each + 1), []);
  const isKnown = known.path === path;
  return { value: isKnown ? known.value : null, refusal: isKnown ? known.refusal : null, again };
}
