import type { Redis } from 'ioredis';

/** A highly available Redis whose primary can be killed, again and again. */
export interface Contender {
  readonly name: string;
  start(): Promise<void>;
  /** Connections for writers. */
  connect(count: number): Redis[];
  /** Kills the primary with SIGKILL. */
  killPrimary(): Promise<void>;
  /** Waits until everyone is back in place, so that the next kill is fair. */
  waitUntilWhole(): Promise<void>;
  /** How often a replica was promoted since the start. */
  promotions(): Promise<number>;
  stop(): Promise<void>;
}
