import { isPositionKey, positionPrefix } from './position.ts';
import type { Rewriter } from './rewrite.ts';

/**
 * Everything as it is, but for what streams write about themselves: so that two servers, each of which may follow the other at
 * some time, keep their own positions.
 */
export const withoutPositions: Rewriter = {
  targetDb: (db) => db,
  keepsKeys: true,
  targetKey: (key) => key,
  rewrite: (name, args) => {
    if (name !== 'set' && name !== 'del') return 'as-it-is';
    const [, key, ...more] = args();
    const isPosition = key !== undefined && isPositionKey(key) && (name === 'set' || more.length === 0);
    return isPosition ? 'nothing' : 'as-it-is';
  },
  isUntouched: (name, command) =>
    (name !== 'set' && name !== 'del') || (command.argCount > 1 && !command.argBeginsWith(positionPrefix)),
};
