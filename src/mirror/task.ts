/**
 * What the agent has the process of a mirror do (worker.ts), as lines of JSON on its stdin: the task, and later `stop`. It
 * answers with lines of JSON: how far it is, every half second; `error` when it can't go on. When its stdin ends, it was
 * left alone and ends. Passwords are not in it: it reads them where the agent did.
 */
import type { ErrorJson } from '../base/error-wire.ts';
import type { SourceProgress } from '../migrate/progress.ts';
import type { Spec } from '../spec/spec.ts';

export interface MirrorTask {
  /** Of a mirror in the spec. */
  name: string;
  spec: Spec;
  /** The file of the deployment's secret, where the spec names none. */
  secretFile: string;
  /** Empty the target, and fill it anew. */
  isAnew: boolean;
}

/** `copies`: full copies that this process has begun. */
export type MirrorLine = { progress: SourceProgress; copies: number } | { error: ErrorJson };
