import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { hostPort } from '../../spec/address.ts';
import type { Spec } from '../../spec/spec.ts';

/**
 * A machine as its files show it. Everything is read below `root`, so that a folder with a few files is a machine for
 * a test. `what` answers undefined where the machine doesn't say.
 */
export interface HostFacts {
  spec: Spec;
  /** The id of this host in the spec; null when it isn't known: then the fullest host is assumed. */
  host: string | null;
  /** The state directory, absolute. */
  stateDir: string;
  read(file: string): string | undefined;
  list(folder: string): string[];
  /** When the agent noticed that the clock was set, oldest first; null when no agent has watched it here. */
  clockSteps: readonly ClockStep[] | null;
  nowMs: number;
  /** Of the file system that holds the state directory. */
  freeDiskBytes: number | undefined;
}

export interface ClockStep {
  atMs: number;
  /** The sentence of the event. */
  text: string;
}

export function readHost(
  spec: Spec,
  host: string | null,
  stateDir: string,
  root = '/',
  clockSteps: readonly ClockStep[] | null = null,
): HostFacts {
  return {
    spec,
    host,
    stateDir,
    clockSteps,
    nowMs: Date.now(),
    read: (file) => attempt(() => readFileSync(path.join(root, file), 'utf8').trim()),
    list: (folder) => attempt(() => readdirSync(path.join(root, folder))) ?? [],
    freeDiskBytes: freeBytes(path.join(root, stateDir)),
  };
}

/** How many redis-servers this host runs. */
export function membersHere({ spec, host }: HostFacts): number {
  const counts = spec.hosts
    .filter(({ id }) => host === null || id === host)
    .map(({ id }) => spec.members.filter((member) => member.host === id).length);
  return Math.max(0, ...counts);
}

/** All processes that this host runs, for messages and counts. */
export function processesHere({ spec, host }: HostFacts): string[] {
  const own = host ?? spec.hosts[0]?.id;
  return [...spec.members, ...spec.sentinels, ...spec.gates]
    .filter((place) => place.host === own)
    .map(({ id, address, port }) => `${id} (${hostPort(address, port)})`);
}

export function numberIn(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d+/.test(text)) return undefined;
  return Number.parseInt(text, 10);
}

/** Bytes from a line of /proc/meminfo, such as `MemAvailable:   123 kB`. */
export function memoryField(facts: HostFacts, field: string): number | undefined {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(facts.read('/proc/meminfo') ?? '');
  return match ? Number(match[1]) * 1024 : undefined;
}

/** Of the nearest folder above that is there: the state directory may not have been made yet. */
function freeBytes(folder: string): number | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    const found = attempt(() => statfsSync(at));
    if (found) return found.bavail * found.bsize;
    if (path.dirname(at) === at) return undefined;
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
