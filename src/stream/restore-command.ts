/** What makes a key of an RDB at the target: one RESTORE, which is one step. Pure. */
import { convertBody } from '../rdb/convert.ts';
import type { RdbEntry } from '../rdb/entries.ts';
import { quoteKey } from '../rdb/errors.ts';
import { isKnownTo, type Target } from '../rdb/target.ts';
import type { Part } from './byte-gatherer.ts';
import { StreamCantCarry } from './errors.ts';

export interface RestoreOptions {
  target: Target;
  /** Overwrite what is there. Else it is answered with BUSYKEY. */
  replaces: boolean;
}

/**
 * @param key as it is called in the target
 * @throws STREAM_CANT_CARRY for a value that this target cannot hold whole
 */
export function restoreCommand(entry: RdbEntry, key: Buffer, { target, replaces }: RestoreOptions): Part[] {
  const { type, body } = loadable(entry, target);
  const expiry = entry.expireMs === undefined ? '0' : String(entry.expireMs);
  const command: Part[] = ['RESTORE', key, expiry, { type, body, version: target.version }];
  if (replaces) command.push('REPLACE');
  if (entry.expireMs !== undefined) command.push('ABSTTL');
  if (entry.idle !== undefined) command.push('IDLETIME', String(entry.idle));
  else if (entry.freq !== undefined) command.push('FREQ', String(entry.freq));
  return command;
}

function loadable(entry: RdbEntry, target: Target): { type: number; body: Buffer } {
  if (!isKnownTo(target, entry.type, entry.flavor)) {
    const converted = convertBody(entry.type, entry.flavor, entry.body, target);
    if ('reason' in converted) throw cannotBeCarried(entry, converted.reason);
    if (converted.without !== undefined) throw cannotBeCarried(entry, `without ${converted.without}`);
    return converted;
  }
  return entry;
}

export function cannotBeCarried(
  { key, db, kind }: Pick<RdbEntry, 'key' | 'db' | 'kind'>,
  reason: string,
): Error {
  return StreamCantCarry(
    `the ${kind} ${quoteKey(key)} of database ${db} can't be carried to this target: ${reason}`,
    {
      hint: 'Take a target of at least the source’s version and modules, or leave such keys out with --match.',
    },
  );
}
