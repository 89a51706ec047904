/** What a migration needs of a source, however it is read. Interface of those who run it and change over. */
import type { RedisConnection } from '../redis/connection.ts';
import type { SourceProgress } from './progress.ts';

export interface FollowedSource {
  /** As the plan has it. */
  readonly name: string;
  /** Until the signal is aborted. @throws what no later attempt could change */
  run(signal: AbortSignal): Promise<void>;
  /** Whoever takes its writes now. @throws STREAM_SOURCE_NOT_READY, REDIS_UNREACHABLE */
  connections(): Promise<RedisConnection[]>;
  /** Asks how far it is. @throws REDIS_UNREACHABLE and others */
  look(): Promise<unknown>;
  progress(): SourceProgress;
  /**
   * Returns when the target has all that the source holds; its writers are held.
   * @param deadline as performance.now() has it. @throws when that is over, and what keeps it from being done
   */
  drain(deadline: number): Promise<void>;
  /** Behind `drain`, also when it does not run any more: that the target has that still. @throws when another server is there, which may lack it */
  confirm(): Promise<void>;
  close(): void;
}
