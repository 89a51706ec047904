import type { Manifest } from '../../src/backup/manifest.ts';
import type { BackupStore } from '../../src/backup/store.ts';

export type MemoryStore = BackupStore & {
  readonly objects: Map<string, Buffer>;
  readonly removed: string[];
};
export const MemoryStore: new (options?: { ignoresConditions?: boolean }) => MemoryStore;

export function sampleManifest(startedAt: string, deployment?: string): Manifest;
