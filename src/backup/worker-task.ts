/**
 * What the agent has its worker do (worker.ts), as one line of JSON on the worker's stdin. The worker answers with lines
 * of JSON: `step` for people, then `result` or `error`. When its stdin ends, it was left alone and gives up. Passwords
 * are not in it: the worker reads them where the agent did.
 */
import type { ErrorJson } from '../base/error-wire.ts';
import type { Spec } from '../spec/spec.ts';
import type { Manifest } from './manifest.ts';
import type { StoreOptions } from './s3-client.ts';

interface WorkerBase {
  spec: Spec;
  /** The file of the deployment's secret, where the spec names none. */
  secretFile: string;
  /** Who does it, for others: `the agent of host a`. */
  holder: string;
}

export interface TakeTask extends WorkerBase {
  task: 'take';
  reason: Manifest['reason'];
  store: { url: string; options: StoreOptions };
  compression: Manifest['compression'];
  recipients: readonly string[];
}

export interface ScheduledTask extends WorkerBase {
  task: 'scheduled';
  host: string;
  /** Which life of the host's agent asks: a claim of another one is of one that is gone. */
  agent: string;
  /** The time of the schedule that is due, wall-clock ms. */
  dueMs: number;
  /** How many keys the deployment has now; null when that is not known. */
  keysNow: number | null;
  /** redis-server, for verifying, and a folder with room for a whole RDB, twice. */
  redisServer: string;
  workFolder: string;
}

export type WorkerTask = TakeTask | ScheduledTask;

export type WorkerLine = { step: string } | { result: unknown } | { error: ErrorJson };
