import { StreamNeedsCopy } from './errors.ts';
import type { Rewriter } from './rewrite.ts';

/**
 * Everything as it is, where the target holds others' keys besides: what reaches whole databases, or belongs to no key
 * (functions), is not carried. Behind the first of them what is ours is copied anew.
 */
export const onlyKeys: Rewriter = {
  targetDb: (db) => db,
  keepsKeys: true,
  targetKey: (key) => key,
  rewrite: (name) => {
    if (name === 'function') return 'nothing';
    if (!wholeDatabases.has(name)) return 'as-it-is';
    throw StreamNeedsCopy(`the source executed ${name.toUpperCase()}: what is carried of it is copied anew`, {
      hint: 'Nothing is to be done: only the keys that are this copy’s are removed at the target.',
    });
  },
};

const wholeDatabases = new Set(['flushall', 'flushdb', 'swapdb']);
