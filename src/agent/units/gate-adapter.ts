import type { GateClientInfo, GateStatus } from '../../gate/control/control-api.ts';
import type { ProcessCommand } from '../../process/spawn-held.ts';
import type { Member } from '../../spec/spec.ts';
import type { GateView } from '../../topology/view.ts';

export interface GateObservation {
  state: GateView['state'];
  clients: number;
  /** Of one on another host that is not known to be open: what is known of why. */
  reason?: string;
  /** All that holdfast's own gate on this host says; undefined for others, and when it doesn't answer. */
  status?: GateStatus;
}

/** What the agent asks of a front door, whichever it is: holdfast's own gate, HAProxy, or one on another host. */
export interface GateAdapter {
  readonly seen: GateObservation;
  /** Writes its configuration. Only for a gate of this host, as is `command`. */
  configure(): Promise<void>;
  command(): ProcessCommand;
  /**
   * Tells one that runs who belongs to the deployment now, after a start with another spec. @returns why it has to be started
   * anew for that; null when it took it.
   */
  tellPlaces(): Promise<string | null>;
  /** Observes it. Never throws. */
  look(): Promise<void>;
  /** Who is connected; only of a gate of this host. @throws Error when it can't tell. */
  clients(): Promise<{ total: number; clients: GateClientInfo[] }>;
  /**
   * Stops sending writes and waits until those in flight are answered, at most `maxMs`; then it goes on by itself.
   * @param next who is to be primary then, where that is known
   */
  hold(reason: string, maxMs: number, next?: Member): Promise<void>;
  /** Sends everything to this member from now on. @param epoch under which it was elected, where it was just now */
  switchTo(member: Member, epoch?: number): Promise<void>;
  /** Goes on with the primary that it had. */
  release(): Promise<void>;
  close(): void;
}
