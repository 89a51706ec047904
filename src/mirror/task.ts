/**
 * What the agent has the process of a mirror do (worker.ts), as lines of JSON on its stdin: the task, and later `stop`. It
 * answers with lines of JSON: how far it is, every half second; `error` when it can't go on. When its stdin ends, it was
 * left alone and ends. Passwords are not in it: it reads them where the agent did.
 */
import type { ErrorJson } from '../base/error-wire.ts';
import type { SourceProgress } from '../migrate/progress.ts';
import type { Spec } from '../spec/spec.ts';
import type { QueueStatus } from '../stream/queue/stream-queue.ts';

export interface MirrorTask {
  /** Of a mirror in the spec. */
  name: string;
  spec: Spec;
  /** The file of the deployment's secret, where the spec names none. */
  secretFile: string;
  /** Empty the target, and fill it anew. */
  isAnew: boolean;
  /** Write nothing: keep what comes for when it goes on. */
  isPaused: boolean;
  /** The folder of what waits while the target is away. */
  queueFolder: string;
}

/** What waits to be applied. `lostWhy`: why what waited came to nothing, so that a full copy is needed; null when it did not. */
export type QueueLine = QueueStatus & { lostWhy: string | null };

/** `copies`: full copies that this process has begun. `progress`: null while it only keeps what comes. */
export type MirrorLine =
  | { progress: SourceProgress | null; copies: number; queue: QueueLine }
  | { error: ErrorJson };
