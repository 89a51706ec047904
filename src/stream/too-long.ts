/**
 * What no connection takes: an argument longer than the target's `proto-max-bulk-len` ends the connection, without a word that
 * tells the one from a network that broke. So it is looked at before anything is sent.
 *
 * Source: networking.c (processMultibulkBuffer) of Redis 6.2 to 8.6.
 */
import { describeSize } from '../base/size.ts';
import { quoteKey } from '../rdb/errors.ts';
import { StreamCantCarry } from './errors.ts';

/** What a server takes unless it was told otherwise. */
export const usualLongestArgument = 512 * 2 ** 20;

/** Of a value, or of a command: a longer one goes on as it comes, where that can be. */
export const usualHeldBytes = 8 * 2 ** 20;

export function tooLong(what: string, key: Buffer, db: number, longest: number): Error {
  return StreamCantCarry(
    `${what} key ${quoteKey(key)} of database ${db} is longer than the target takes: its proto-max-bulk-len is ${describeSize(longest)}`,
    {
      hint: 'Raise proto-max-bulk-len at the target, take that value apart at the source, or leave such keys out with --match.',
    },
  );
}
