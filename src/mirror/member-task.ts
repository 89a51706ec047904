/**
 * What the agent has the process of a member's stream do (member-worker.ts), as a line of JSON on its stdin. It tells every half
 * second, and when that changes, how far it is; `error` when it can't go on. One that is not called for any more is killed: the
 * position is exact whenever that is.
 *
 * When its stdin ends the agent is gone, and the stream goes on: writes may wait for the member. It ends then at the first
 * thing that goes wrong, at once when the stream has not begun; or when the next agent's process takes over, whose position
 * is a fence to it.
 */
import type { ErrorJson } from '../base/error-wire.ts';
import type { Endpoint } from '../redis/endpoint.ts';
import type { Spec } from '../spec/spec.ts';
import type { StreamPhase } from '../stream/stream.ts';
import type { Repaired } from './keep-comparing.ts';
import type { Diverged } from './keep-diverged.ts';

export interface MemberTask {
  /** Ids of the member, and of the one that it follows. */
  member: string;
  lead: string;
  /** How the member is reached here. */
  endpoint: Endpoint;
  spec: Spec;
  /** The file of the deployment's secret, where the spec names none. */
  secretFile: string;
  /** For what a member had of its own, with `onSplit: serve`. */
  divergedFolder: string;
}

/** `copies`: full copies that this process has begun; `bytes` of the one under way, of `totalBytes` when that is known. */
export type MemberLine =
  | { phase: StreamPhase; copies: number; bytes: number; totalBytes: number | null; problem: string | null }
  | { repaired: Repaired }
  | { diverged: Diverged }
  | { error: ErrorJson };
