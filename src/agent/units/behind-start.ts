/** What a member is told as soon as it answers behind its start. */
import { errorCode } from '../../base/errors.ts';
import { refusalKind } from '../../redis/errors.ts';

/** Pauses between two attempts, which grow: who has much to load is asked seldom. */
const firstPauseMs = 4;
const longestPauseMs = 250;
const growth = 1.2;

/** Whether it is still called for, and how to wait. */
export interface Wish {
  isWanted: () => boolean;
  pause: (ms: number) => Promise<unknown>;
}

/**
 * Until it was told, or refused for good, or is not wanted any more.
 * @param client a connection of its own, which is closed
 * @param withinMs of pauses
 */
export async function tellBehindStart(
  client: { close(): void },
  tell: () => Promise<unknown>,
  { isWanted, pause }: Wish,
  withinMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  let waitedMs = 0;
  try {
    for (let pauseMs = firstPauseMs; isWanted() && waitedMs < withinMs; waitedMs += pauseMs) {
      await pause(pauseMs);
      if (isWanted() && (await isOver(tell))) return;
      pauseMs = Math.min(longestPauseMs, pauseMs * growth);
    }
  } finally {
    client.close();
  }
}

async function isOver(tell: () => Promise<unknown>): Promise<boolean> {
  try {
    await tell();
    return true;
  } catch (error) {
    // Since its start was decided on somebody else was voted for.
    if (errorCode(error) === 'MEMBER_TOLD_LATER') return true;
    const refusal = refusalKind(error);
    // Not there yet, or it loads. Any other refusal is for good.
    return refusal !== undefined && refusal !== 'LOADING';
  }
}
