/** Keys on their way: some left out, the others under another name. What comes and what becomes of it is pure. */
import { StreamCantCarry } from './errors.ts';
import type { KeyPositions } from './key-positions.ts';
import type { Rewriter, Rewritten } from './rewrite.ts';

export interface KeyChanges {
  /** Stands before every key at the target; may be empty. */
  prefix: Buffer;
  /** Whether a key, as the source has it, is carried. */
  isCarried: (key: Buffer) => boolean;
  positions: KeyPositions;
}

/** Each key, with what belongs to it, stands for itself: some may be left out. */
const separable: Readonly<Record<string, number>> = { del: 1, unlink: 1, mset: 2 };

/**
 * The same as another rewriter, with keys left out and renamed.
 *
 * A command with keys of both kinds, those that are carried and those that are not, can't be carried as a whole: of one that
 * treats each by itself a part is; a key that gets a name that is not carried is deleted; any other ends the stream, because
 * what it made came from data that is not there.
 */
export function changingKeys(inner: Rewriter, { prefix, isCarried, positions }: KeyChanges): Rewriter {
  const renamed = (key: Buffer) => (prefix.length === 0 ? key : Buffer.concat([prefix, key]));

  const change = (args: readonly (Buffer | string)[]): readonly (Buffer | string)[][] => {
    const given = args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg));
    const name = given[0]!.toString('latin1').toLowerCase();
    const at = positions.of(name, given);
    if (at === undefined) throw unclear(name);
    const carried = at.filter((index) => isCarried(given[index]!));
    if (at.length > 0 && carried.length === 0) return [];
    if (carried.length === at.length) {
      return [given.map((arg, index) => (at.includes(index) ? renamed(arg) : arg))];
    }
    const width = Object.hasOwn(separable, name) ? separable[name] : undefined;
    if (width !== undefined) {
      const parts = carried.flatMap((index) => [
        renamed(given[index]!),
        ...given.slice(index + 1, index + width),
      ]);
      return [[given[0]!, ...parts]];
    }
    if (/^rename(nx)?$/.test(name) && isCarried(given[1]!)) return [['DEL', renamed(given[1]!)]];
    throw mixed(name);
  };

  const rewrite = (name: string, args: () => Buffer[], db: number): Rewritten => {
    const rewritten = inner.rewrite(name, args, db);
    if (rewritten === 'nothing') return rewritten;
    return (rewritten === 'as-it-is' ? [args()] : rewritten).flatMap(change);
  };
  return {
    targetDb: (db) => inner.targetDb(db),
    keepsKeys: false,
    targetKey: (key) => {
      const kept = inner.targetKey(key);
      return kept === undefined || !isCarried(kept) ? undefined : renamed(kept);
    },
    rewrite,
  };
}

function unclear(name: string): Error {
  return StreamCantCarry(
    `the source executed ${name.toUpperCase()}, of which nobody knows what its keys are`,
    {
      hint: 'Where every key is carried as it is, it can be, to a target that has the command.',
    },
  );
}

function mixed(name: string): Error {
  return StreamCantCarry(
    `the source executed ${name.toUpperCase()} with keys that are carried and keys that are left out`,
    {
      hint: 'What it made came from data that is not there. Choose what is carried so that such keys go together.',
    },
  );
}
