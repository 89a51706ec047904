import { expect } from 'vitest';

export type End = 'done' | 'given up';

export interface Trial<T> {
  /** A world in which nothing was done. @returns what gives the change up */
  begin: () => Promise<AbortController>;
  /** @param onMessage is called before each message arrives */
  change: (onMessage: () => void) => Promise<T>;
  /** What must hold however it ended. @param result null when it was given up */
  check: (end: End, result: T | null, moment: number) => void | Promise<void>;
}

/**
 * Gives a change up at its first moment, then at its second, and so on, until it was done in spite of that three times.
 * @param what it is called. @returns how often it was given up
 */
export async function giveUpAtEachMoment<T>(
  what: string,
  { begin, change, check }: Trial<T>,
): Promise<number> {
  const ends = { done: 0, 'given up': 0 };
  for (let moment = 0; ends.done < 3; moment++) {
    const aborter = await begin();
    let moments = 0;
    const onMessage = () => {
      if (moments++ === moment) aborter.abort(new Error('op gave it up'));
    };
    const [end, result] = await change(onMessage).then(
      (found) => ['done', found] as const,
      (error) => {
        expect(error.message).toBe(`${what} was given up: op gave it up`);
        return ['given up', null] as const;
      },
    );
    ends[end] += 1;
    await check(end, result, moment);
  }
  return ends['given up'];
}
