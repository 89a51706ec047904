import type { Cursor } from '../cursor.ts';
import type { Flavor, Kind } from '../format.ts';
import { type BodyMode, bodyMode } from './mode.ts';
import { newStreamState, type StreamState } from './stream-state.ts';
import type { ValueVisitor } from './visitor.ts';

/** Where the walk through a value's body stands: what the steps of each shape read and change. */
export class BodyState {
  readonly cursor: Cursor;
  mode: BodyMode = bodyMode.skip;
  type = 0;
  flavor: Flavor = 'redis';
  kind: Kind = 'string';
  /** Where in the body's grammar it stands; 0 at the start. Each shape has its own numbers. */
  phase = 0;
  /** Elements, or nodes, still to come. */
  left = 0;
  /** Elements seen so far, for values in several nodes. */
  seen = 0;
  /** The value has no elements, which no server writes: Redis drops such a key when it loads it. */
  isEmpty = false;
  /** A compressed string is being checked piece by piece: the next bytes are its own. */
  midString = false;
  /** A list that has no other node. */
  isSingleNode = false;
  /** Field expiry: what the file's relative times count from, and the time of the field under way, -1 for never. */
  expiryBase = 0;
  expiry = 0;
  readonly stream: StreamState = newStreamState();

  protected target: ValueVisitor | undefined;

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  /** The visitor; only in decode mode. */
  get visitor(): ValueVisitor {
    return this.target as ValueVisitor;
  }
}
