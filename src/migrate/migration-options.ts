/** What a migration that runs is given, and how it may end. */
import type { SourceAddress } from '../stream/source-address.ts';
import type { Progress } from './progress.ts';
import type { RunsOptions } from './source-runs.ts';

export interface MigrationOptions extends RunsOptions {
  /** How the target is read behind the cut-over, by the old side. */
  targetAsSource: SourceAddress;
  /** Called every second. @param unwritten why the state directory does not have it; null when it does */
  onProgress(progress: Progress, unwritten: string | null): void;
  /** Control sockets of gates of a cut-over that are gone for good. */
  withoutGates?: readonly string[];
}

export type MigrationEnd =
  /** It can be taken up again. */
  'stopped' | 'finished' | 'aborted';
