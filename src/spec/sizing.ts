import { describeSize, formatSize } from '../base/size.ts';
import type { Persistence, Spec } from './spec.ts';

/** Rules of thumb that rendering, the doctor and `holdfast size` share. Each says where it comes from. */

const kb = 2 ** 10;
const mb = 2 ** 20;

/** Memory of a machine per maxmemory of its members: the data, as much again while a save copies pages, and slack. */
export const memoryFactor = 2.5;
/** Of the process that reads the member that leads for one that follows, with what it holds. */
const streamBytes = 128 * mb;
/** Room to grow before maxMemory must be raised. */
const growthFactor = 1.25;

const sources = {
  operators: 'operators’ rule: server memory 2.5 times maxmemory, disk 6 times',
  persistence: 'https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/',
  admin: 'https://redis.io/docs/latest/operate/oss_and_stack/management/admin/',
  replication: 'https://redis.io/docs/latest/operate/oss_and_stack/management/replication/',
  clients: 'https://redis.io/docs/latest/develop/reference/clients/',
  holdfast: 'holdfast’s own limits',
} as const;

/** Disk per maxmemory of a member, by how it persists. */
export function diskFactor(persistence: Persistence): number {
  if (persistence === 'none') return 0;
  return persistence === 'rdb' ? 3 : 6;
}

/**
 * The replication backlog, in bytes: what a replica may miss and still catch up without copying everything. A tenth
 * of maxmemory, at least 64 MiB (some 10 minutes of 100 kB/s), at most 1 GiB.
 */
export function backlogBytes(maxMemoryBytes: number | null): number {
  return clamp(roundUp((maxMemoryBytes ?? 0) / 10, mb), 64 * mb, 1024 * mb);
}

/** How far a replica's output buffer may grow, in bytes, before the primary drops it: it must outlast a full copy. */
export function replicaBuffer(spec: Pick<Spec, 'redis'>): {
  hardBytes: number;
  softBytes: number;
  softSeconds: number;
} {
  const backlog = backlogBytes(spec.redis.maxMemoryBytes);
  return {
    hardBytes: Math.max(256 * mb, 2 * backlog),
    softBytes: Math.max(64 * mb, backlog),
    softSeconds: 60,
  };
}

export interface SizeQuestion {
  /** What the dataset takes in memory now. */
  dataBytes: number;
  members: number;
  /** The most members that one host holds. */
  membersOnHost: number;
  persistence: Persistence;
  clients: number;
  /** Bytes a second that writes add to the replication stream; null when unknown. */
  writeBytesPerSecond: number | null;
  /** How long a replica may be away and still catch up from the backlog. */
  outageSeconds: number;
  /** `topology: mirror`: the stream of each member that follows is a process beside it. */
  standalone?: boolean;
}

/** One figure of the answer, with the rule that it comes from, in words, and where the rule is written. */
export interface SizeFigure {
  key: 'maxMemory' | 'backlog' | 'replicaBuffers' | 'clientBuffers' | 'memory' | 'disk';
  bytes: number;
  rule: string;
  source: string;
}

/** What a dataset needs. Pure; figures are rounded up to whole MiB. */
export function sizeFor(question: SizeQuestion): SizeFigure[] {
  const { dataBytes, members, membersOnHost, persistence, clients } = question;
  const maxMemory = roundUp(dataBytes * growthFactor, 64 * mb);
  const backlog = backlogFor(question, maxMemory);
  const replicas = Math.max(0, members - 1);
  const { hardBytes } = replicaBuffer({ redis: { maxMemoryBytes: maxMemory } as Spec['redis'] });
  const clientBuffers = roundUp(clients * 40 * kb, mb);
  const streams = question.standalone ? membersOnHost * streamBytes : 0;
  const memory = roundUp(membersOnHost * maxMemory * memoryFactor, mb) + 512 * mb + streams;
  const factor = diskFactor(persistence);
  return [
    {
      key: 'maxMemory',
      bytes: maxMemory,
      rule: `the data (${describeSize(dataBytes)}) and a quarter to grow, for each member`,
      source: sources.admin,
    },
    { key: 'backlog', ...backlog, source: sources.replication },
    {
      key: 'replicaBuffers',
      bytes: replicas * Math.max(hardBytes, 2 * backlog.bytes),
      rule: `${replicas} replicas, each twice the backlog and at least 256mb, while they copy everything`,
      source: sources.clients,
    },
    {
      key: 'clientBuffers',
      bytes: clientBuffers,
      rule: `${clients} connections, each 16kb to read, 16kb to answer and its own books`,
      source: sources.clients,
    },
    {
      key: 'memory',
      bytes: memory,
      rule:
        `${memoryFactor} times maxMemory for each of the ${membersOnHost} members of a host (data, pages copied while ` +
        `saving, fragmentation and buffers), ${streams > 0 ? `${formatSize(streamBytes)} for the stream of each, ` : ''}` +
        'and 512mb for agent, gate, Sentinel and system',
      source: `${sources.operators}; ${sources.admin}`,
    },
    {
      key: 'disk',
      bytes: factor === 0 ? 1024 * mb : roundUp(membersOnHost * maxMemory * factor, mb),
      rule: diskRule(persistence, factor),
      source: factor === 0 ? sources.holdfast : `${sources.operators}; ${sources.persistence}`,
    },
  ];
}

function backlogFor(question: SizeQuestion, maxMemory: number): { bytes: number; rule: string } {
  const { writeBytesPerSecond: rate, outageSeconds } = question;
  if (rate === null) {
    return { bytes: backlogBytes(maxMemory), rule: 'a tenth of maxMemory, at least 64mb, at most 1gb' };
  }
  const bytes = Math.max(64 * mb, roundUp(rate * outageSeconds, mb));
  const rule = `${formatSize(Math.round(rate))} a second of writes for ${outageSeconds} s away, at least 64mb`;
  return { bytes, rule };
}

function diskRule(persistence: Persistence, factor: number): string {
  if (persistence === 'none') return 'nothing is persisted: logs and configuration only';
  const parts =
    persistence === 'rdb'
      ? 'the RDB, the next one while it is written, and one spare'
      : 'AOF base and as much again in increments, both anew while it is rewritten, an RDB, and one spare';
  return `${factor} times maxMemory for each member of a host: ${parts}`;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
