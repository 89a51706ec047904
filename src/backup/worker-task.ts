/**
 * What the agent has its worker do (worker.ts), as one line of JSON on the worker's stdin. The worker answers with lines
 * of JSON: `step` for people, then `result` or `error`. When its stdin ends, it was left alone and gives up.
 */
import type { Credentials, TlsTexts } from '../redis/connection.ts';
import type { Backup } from '../spec/spec.ts';
import type { Manifest } from './manifest.ts';
import type { StoreOptions } from './open-store.ts';
import type { BackupSource } from './take.ts';

export interface WorkerBase {
  deployment: string;
  /** Who does it, for others: `the agent of host a`. */
  holder: string;
  store: { url: string; options: StoreOptions };
  /** In the order of preference. */
  sources: Omit<BackupSource, 'credentials' | 'tls'>[];
  credentials: Credentials;
  tls: TlsTexts | null;
  compression: Manifest['compression'];
  recipients: string[];
}

export interface TakeTask extends WorkerBase {
  task: 'take';
  reason: Manifest['reason'];
}

export interface ScheduledTask extends WorkerBase {
  task: 'scheduled';
  host: string;
  /** The time of the schedule that is due, wall-clock ms. */
  dueMs: number;
  keep: Backup['keep'];
  verify: Backup['verify'];
  /** redis-server, for verifying, and a folder with room for a whole RDB. */
  redisServer: string;
  workFolder: string;
  loadModules: string[];
}

export type WorkerTask = TakeTask | ScheduledTask;

export type WorkerLine =
  | { step: string }
  | { result: unknown }
  | { error: { code: string; exitStatus: 1 | 2 | 3; message: string; hint?: string } };
