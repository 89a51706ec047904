/** Where a measurement was made: without it a figure says little. */
import os from 'node:os';
import { findRedisServer } from '../agent/server-program.ts';
import { describeSize } from '../base/size.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryBytes: number;
  kernel: string;
  node: string;
  /** Product and version: `Redis 7.0.15`. */
  server: string;
  /** The load averages over 1, 5 and 15 minutes when the measurement began. */
  loadAtStart: number[];
  /** What makes the figures doubtful from the outset; null when nothing does. */
  warning: string | null;
}

/** More than this share of the cores at work before a measurement begins is other people's work. */
const busyShare = 0.25;

/** @throws PROGRAM_MISSING, SERVER_TOO_OLD */
export async function describeMachine(): Promise<Machine> {
  const { version } = await findRedisServer();
  const cores = os.availableParallelism();
  const loadAtStart = os.loadavg().map((load) => Math.round(load * 100) / 100);
  return {
    cpu: os.cpus()[0]?.model.trim() || os.arch(),
    cores,
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    server: `${version.product} ${version.version}`,
    loadAtStart,
    warning: busyWarning(loadAtStart[0] ?? 0, cores),
  };
}

export function busyWarning(load: number, cores: number): string | null {
  if (load <= cores * busyShare) return null;
  return `the machine was busy before it began (load ${load.toFixed(2)} on ${cores} ${cores === 1 ? 'core' : 'cores'}): compare within a table, not with other days`;
}

export function machineSentence(machine: Machine): string {
  const { cpu, cores, memoryBytes, kernel, server, node, loadAtStart } = machine;
  const many = `${cores} ${cores === 1 ? 'core' : 'cores'}`;
  return `${cpu}, ${many}, ${describeSize(memoryBytes)}, ${kernel}, ${server}, Node ${node}; load at start ${(loadAtStart[0] ?? 0).toFixed(2)}`;
}
