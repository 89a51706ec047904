/** What is known before anything is taken over: of each server and Sentinel of the spec, and more of those on this host. */
import type { ServerVersion } from '../../process/programs.ts';
import type { Role } from '../../redis/role.ts';
import type { Member, SentinelPlace } from '../../spec/spec.ts';
import type { ServerSettings } from '../settings/compare-settings.ts';
import type { Keeper } from './keeper.ts';

export interface AdoptionFacts {
  /** This one's id. */
  host: string;
  /** Of whom runs holdfast. */
  uid: number;
  /** What starts them the next time. */
  engine: ServerVersion;
  /** What members should run with by the spec, in the engine's words. */
  wanted: ServerSettings;
  members: readonly Found<Member, RunningMember>[];
  sentinels: readonly Found<SentinelPlace, RunningSentinel>[];
  /** For the copies of members that are started. */
  free: { memoryBytes: number; diskBytes: number };
  /** By whom members know holdfast's user of the replication, as `#` and SHA-256; null while this host has no secret. */
  replicationDigest: string | null;
  /** What is wrong with the certificates of the spec, as sentences; null without TLS. */
  tlsProblems: readonly string[];
  /** The ids of what runs here and was started by holdfast: members, Sentinels, gates. */
  started: readonly string[];
  /** What else has a port that is needed, as a sentence; null for nothing. */
  portTaken: string | null;
}

/** Either nobody listens there (both null), or somebody does of whom nothing can be known, or it is known. */
export interface Found<Where, Running> {
  place: Where;
  running: Running | null;
  /** Why it can't be asked, as a sentence. */
  problem: string | null;
}

/** Who it is for the kernel. */
export interface ProcessFacts {
  pid: number;
  startTime: string;
  uid: number;
  /** The name of that user, or the uid. */
  user: string;
  /** What would start it again, as far as that shows; null for nothing. */
  keeper: Keeper | null;
}

export interface RunningMember {
  /** Its redis.conf, where others than its owner could read what is written there; null where they can't, or it has none. */
  openFile: string | null;
  /** A sentence when the process is not to be found on this machine; null on another host, where its own adopt looks. */
  process: ProcessFacts | string | null;
  runId: string;
  product: 'Redis' | 'Valkey';
  version: string;
  loading: boolean;
  cluster: boolean;
  role: Role;
  settings: ServerSettings;
  modules: readonly string[];
  /** Commands that holdfast needs and the server does not have, because they were renamed. */
  missing: readonly string[];
  usedBytes: number;
  /** How Sentinels call themselves at it: eight hexadecimal digits each. */
  watchers: readonly string[];
  /** Why its data folder can't be used; null when it can, and on another host. */
  folderProblem: string | null;
  /** The whole path of its data folder. */
  folder: string;
  /** The place of its data in the state directory, where other files lie already; null for free, and on another host. */
  inTheWay: string | null;
  /** An earlier, interrupted run has taken it over. */
  taken: boolean;
  /** holdfast started it. */
  ours: boolean;
}

export interface RunningSentinel {
  /** Its sentinel.conf, as of a member. */
  openFile: string | null;
  /** As of a member. */
  process: ProcessFacts | string | null;
  /** By which the others know it. */
  sentinelId: string;
  watches: readonly { name: string; address: string; port: number }[];
  /** Flags of the deployment's primary (`s_down`…), and who else it knows; empty when it does not watch it. */
  flags: readonly string[];
  colleagues: readonly { address: string; port: number; runId: string }[];
  /** It asks who talks to it for a password. */
  hasPassword: boolean;
  /** It was asked with holdfast's password, and takes no other that is known here. */
  knowsUs?: boolean;
  taken: boolean;
  ours: boolean;
}
