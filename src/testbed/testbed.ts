import type { Sabotage } from '../base/sabotage.ts';
import type { Listener } from './listener.ts';

/** What an acknowledgement means. `quorum` is for standalone members only. */
export type Durability = 'async' | 'replicated' | 'quorum';

/** Of standalone members: whether Sentinels vote on who leads, and what becomes of one that is cut off (`mirror.onSplit`). */
export interface Standalone {
  sentinels: boolean;
  onSplit: 'refuse' | 'serve';
}

/** What a testbed is made of, where a drill wants it otherwise than usual. */
export interface TestbedSettings {
  durability: Durability;
  persistence: 'none' | 'rdb' | 'aof-everysec' | 'aof-always';
  /** Everything on this machine, or each member, Sentinel and gate on one of three hosts of a network of their own. */
  hosts: 'one' | 'three';
  /** Members, Sentinels, gates and the API speak TLS only, with certificates of an authority of the testbed's own. */
  tls?: boolean;
  /**
   * `mirror`: standalone members, of which one leads: two, with `ack: one` or, for `replicated`, `ack: all`; three with `ack: quorum`.
   */
  topology?: 'mirror';
  /** How those are; with Sentinels, and `refuse`, unless it is said. */
  standalone?: Standalone;
  /** Sections of the spec that a scenario needs to be different. */
  sections?: Record<string, Record<string, unknown>>;
}

export type ProcessKind = 'member' | 'sentinel' | 'gate';

export interface TestbedProcess {
  id: string;
  kind: ProcessKind;
  host: string;
  /** Null while it does not run. */
  pid: number | null;
}

/** Where a log of the testbed lies, and whose it is. */
export interface TestbedLog {
  process: string;
  /**
   * `elections`: events of an agent, which alone tells who was promoted. `words`: events of an agent that knows other hosts only
   * by what the Sentinels say.
   */
  kind: ProcessKind | 'events' | 'words' | 'elections';
  file: string;
}

/** A deployment of its own to break: holdfast's, or what people run today. Ids are the same in both. */
export interface Testbed {
  readonly name: string;
  /** True for holdfast: who dies is restarted by it. Otherwise the drill does, as a person or a supervisor would. */
  readonly heals: boolean;
  readonly hosts: readonly string[];
  /** @throws when it can't be started; nothing is left then once `stop` was called. */
  start(): Promise<void>;
  /** Ends all of it at once, whatever state it is in, and removes its files. */
  stop(): Promise<void>;
  /** The listeners that clients of these hosts use; of all hosts unless said otherwise. */
  listeners(hosts?: readonly string[]): Promise<Listener[]>;
  processes(): Promise<TestbedProcess[]>;
  /** The member that the Sentinels name, by a majority, and that acts as primary; null when there is none. */
  primary(): Promise<string | null>;
  /** How to ask a member directly, past gates and faults of the network. */
  direct(member: string): Pick<Listener, 'endpoint' | 'credentials' | 'tls'>;
  /** Everyone is there, in their places, and in touch. */
  isWhole(): Promise<boolean>;
  signal(id: string, signal: NodeJS.Signals): Promise<void>;
  /** Kills the agent of a host, where there is one. */
  killAgent(host: string): Promise<void>;
  /** Starts the agent of a host anew, broken in this way until it is started again. */
  sabotageAgent(host: string, way: Sabotage): Promise<void>;
  /** Kills every process, the agent too. */
  killEverything(): Promise<void>;
  /** Starts again what a drill has killed and nobody else restarts. */
  revive(): Promise<void>;
  /** Deletes a member's data files. */
  wipe(member: string): Promise<void>;
  /** Moves the primary, as one does that with this kind of deployment. @returns who is primary then. */
  switchover(): Promise<string>;
  /**
   * Has the primary replaced, dead or alive: by the Sentinels, or, where there are none, by a person's word, that of whoever is at the
   * host of that member. @param to by whom; the one that is furthest unless it is said @throws when it is refused
   */
  failover(to?: string): Promise<void>;
  /** Why a member that died is not started; null when it was not refused. */
  refusal(member: string): Promise<string | null>;
  /** Whether whoever heals has noticed that this member holds data. */
  knowsDataOf(member: string): boolean;
  /** Keeps members from being promoted, or lets them again. Returns when the Sentinels know of the first. */
  setEligible(members: readonly string[], eligible: boolean): Promise<void>;
  /** Restarts every member, one after the other. */
  rollingRestart(): Promise<void>;
  /** Lets nothing pass between a host and the others, or everything again. */
  setCutOff(host: string, cutOff: boolean): void;
  /** Has what a host sends to the others be lost, while it hears them; or lets it pass again. */
  setMute(host: string, mute: boolean): void;
  /** Lets nothing pass between two hosts, or everything again. */
  setApart(hosts: readonly [string, string], apart: boolean): void;
  /** Cuts a host's power: its cable is out and everything on it dead. */
  loseHost(host: string): Promise<void>;
  returnHost(host: string): Promise<void>;
  logs(): TestbedLog[];
}
