import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median } from './distribution.ts';

/** What persistence costs is mostly this. */
export interface Disk {
  folder: string;
  /** Median and 99th percentile of a write of 4 KiB with fdatasync, in ms. */
  syncMs: number;
  syncP99Ms: number;
  /** A file system in memory, where a sync costs nothing. */
  inMemory: boolean;
}

const tries = 100;
/** TMPFS_MAGIC and RAMFS_MAGIC of statfs(2). */
const memoryFileSystems = [0x01021994, 0x858458f6];

/** Measures the file system in which deployments are made to be measured. */
export async function measureDisk(): Promise<Disk> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hf-bench-'));
  try {
    const file = await open(path.join(folder, 'sync'), 'w', 0o600);
    const block = Buffer.alloc(4096, 1);
    const times: number[] = [];
    try {
      for (let i = 0; i < tries; i++) {
        const startedMs = performance.now();
        await file.write(block);
        await file.datasync();
        times.push(performance.now() - startedMs);
      }
    } finally {
      await file.close();
    }
    const sorted = times.toSorted((a, b) => a - b);
    const round = (ms: number) => Math.round(ms * 100) / 100;
    return {
      folder: tmpdir(),
      syncMs: round(median(times)),
      syncP99Ms: round(sorted[Math.ceil(tries * 0.99) - 1] ?? 0),
      inMemory: memoryFileSystems.includes((await statfs(folder)).type),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
