import { StreamCantCarry } from './errors.ts';
import type { Rewriter, Rewritten } from './rewrite.ts';

export interface DatabaseMoves {
  /** Databases of the source that become others; the rest keep their numbers. */
  dbs: ReadonlyMap<number, number>;
  /** The target holds nothing but what comes from this source. */
  isAlone: boolean;
}

/**
 * Carries everything, with databases moved. What empties or exchanges whole databases reaches beyond the source's own
 * keys where the target has others, so that it is refused there.
 */
export function movingDatabases({ dbs, isAlone }: DatabaseMoves): Rewriter {
  const targetDb = (db: number) => dbs.get(db) ?? db;
  const moved = (arg: Buffer | undefined) => String(targetDb(Number(arg?.toString('latin1'))));
  const rewrite = (name: string, args: () => Buffer[]): Rewritten => {
    switch (name) {
      case 'flushall':
      case 'flushdb':
        if (isAlone && dbs.size === 0) return 'as-it-is';
        throw wholeDatabase(name);
      case 'swapdb':
        if (!isAlone || dbs.size > 0) throw wholeDatabase(name);
        if (args().slice(1).some(isZero)) throw placeWouldMove();
        return 'as-it-is';
      case 'move': {
        if (dbs.size === 0) return 'as-it-is';
        const [command, key, db] = args();
        return [[command!, key!, moved(db)]];
      }
      case 'copy': {
        if (dbs.size === 0) return 'as-it-is';
        const given = args();
        const at = given.findIndex(
          (arg, index) => index > 2 && arg.toString('latin1').toLowerCase() === 'db',
        );
        return [given.map((arg, index) => (at > 0 && index === at + 1 ? moved(arg) : arg))];
      }
      default:
        return 'as-it-is';
    }
  };
  return { targetDb, keepsKeys: true, targetKey: (key) => key, rewrite };
}

const isZero = (arg: Buffer) => Number(arg.toString('latin1')) === 0;

function placeWouldMove(): Error {
  return StreamCantCarry(
    'the source executed SWAPDB with database 0, which at the target has how far the copy is',
    {
      hint: 'Abort the migration, remove what it copied, and begin again: the source is as it is behind that.',
    },
  );
}

function wholeDatabase(name: string): Error {
  return StreamCantCarry(
    `the source executed ${name.toUpperCase()}, which would reach data of others at the target`,
    {
      hint: 'Abort the migration, remove what it copied, and begin again: the source is as it is behind that.',
    },
  );
}
