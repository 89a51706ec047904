import type { ScanState } from '../rdb/scan-state.ts';
import type { Target } from '../rdb/target.ts';

/** What is to take the data. */
export interface Taker {
  /** With what it says of its modules. */
  target: Target;
  /** `redis 7.0.15`, for people. */
  version: string;
  databases: number;
}

/** Which keys, and where they go. */
export interface KeyChoice {
  test(scanner: ScanState): boolean;
  /** Databases that change their number. */
  moves: ReadonlyMap<number, number>;
  prefix: string;
}
