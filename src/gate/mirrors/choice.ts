/**
 * Which requests a mirror gets a copy of. Of a request that is copied every key is one that the mirror has: it begins with one
 * of the mirror's prefixes, and belongs to its share. A key belongs to a share of so many percent always or never, so that
 * what is read from the mirror was written there before.
 */
import type { Buffer } from 'node:buffer';
import { type KeyPrefixes, keysUnder } from '../../base/key-prefixes.ts';
import { keysIn } from '../../redis/key-places.ts';
import { readArguments } from '../../resp/arguments.ts';
import type { Command } from '../commands/command-table.ts';

export interface Chosen {
  prefixes: KeyPrefixes;
  percentage: number;
  copies: 'writes' | 'all';
}

/** Of the request in `buf[start, end)`: `unknown` when nobody knows its keys. */
export type IsCopied = (
  command: Pick<Command, 'read' | 'keys'>,
  buf: Buffer,
  start: number,
  end: number,
) => 'yes' | 'no' | 'unknown';

export function choiceOf({ prefixes, percentage, copies }: Chosen): IsCopied {
  const isUnder = keysUnder(prefixes);
  const takesAll = prefixes.length === 0 && percentage >= 100;
  return (command, buf, start, end) => {
    if (command.keys === 'none' || (command.read && copies === 'writes')) return 'no';
    if (command.keys === 'unknown') return 'unknown';
    if (takesAll) return 'yes';
    const args = readArguments(buf, start, end);
    const keys = keysIn(command.keys, args) ?? [];
    const isOurs = keys.every((index) => {
      const key = args[index] as Buffer;
      return isUnder(key) && shareOf(key) < percentage;
    });
    return isOurs && keys.length > 0 ? 'yes' : 'no';
  };
}

const parts = 10_000;

/** Of a hundred, by FNV-1a with what MurmurHash ends with: neighbours in name are strangers here. */
export function shareOf(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) % parts) / (parts / 100);
}
