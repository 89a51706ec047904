import type { Buffer } from 'node:buffer';
import { unauthenticatedLimits } from '../../resp/request.ts';
import { writeError } from '../../resp/write.ts';
import type { Command } from '../commands/command-table.ts';

/**
 * What a client calls itself and logs in with is kept for as long as it is there, is told to others, and is what
 * connections are found by: so it is short. A server takes as much of who has not logged in yet.
 */
export const mostOwnBytes = unauthenticatedLimits.bulkBytes;

/** The error for a request of so many bytes that says more than that; null for every other. */
export function refusalOfOwnWords({ name, behaviour }: Command, bytes: number): Buffer | null {
  if (bytes <= mostOwnBytes) return null;
  if (behaviour.kind !== 'identity' && name !== 'client|setname') return null;
  const words = name.replace('|', ' ').toUpperCase();
  return writeError(`ERR ${words} of more than ${mostOwnBytes} bytes is not possible through a gate`);
}
