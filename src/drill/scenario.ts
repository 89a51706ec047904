import type { Durability, Standalone } from '../testbed/testbed.ts';
import type { DrillPromise } from './promises.ts';
import type { Stage } from './stage.ts';

/** What the person who runs the drill chose. */
export interface DrillSettings {
  durability: Durability;
  persistence: 'none' | 'rdb' | 'aof-everysec' | 'aof-always';
  /** Of the drills of standalone members. */
  standalone: Standalone;
  /** Everything speaks TLS only. */
  tls: boolean;
  clients: number;
  /** Null for as fast as they are answered. */
  writesPerSecond: number | null;
  valueBytes: number;
  /** How long the load runs at least. */
  durationMs: number;
}

interface Live {
  safe: boolean;
  why: string;
  /** Why it does harm, or makes no sense, in such a deployment all the same; null where it does not. */
  butNot?(spec: LiveSpec): string | null;
}

/** What matters of a deployment that runs. */
export interface LiveSpec {
  sentinels: readonly unknown[];
  mirror: { ack: 'one' | 'quorum' | 'all' } | null;
}

/** A failure made on purpose. Its parts read as one sentence: given …, when …, then …. */
export interface Scenario {
  name: string;
  given: string;
  when: string;
  /** What is to hold, besides what always does. */
  thenHolds(settings: DrillSettings): DrillPromise[];
  hosts: 'one' | 'three';
  /** Why it may be run on a deployment that people depend on, or why not. */
  live: Live;
  /** `mirror`: standalone members, of which one leads; with `durability: replicated`, `ack: all`. */
  topology?: 'mirror';
  /** Sections of the spec that must be otherwise than usual. */
  sections?: Record<string, Record<string, unknown>>;
  /** `drill all` leaves it out: it takes long and has many ways, or is about another topology. */
  onlyByName?: boolean;
  /** The hosts whose listeners the clients use; all of them unless given. */
  clientsOn?(stage: Stage): Promise<readonly string[]>;
  act(stage: Stage, settings: DrillSettings): Promise<void>;
}
