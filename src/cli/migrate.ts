import type { Command } from 'commander';
import { migrateScanVerb } from './migrate-scan.ts';
import { migrateVerifyVerb } from './migrate-verify.ts';
import { verb } from './verb.ts';

/** `holdfast migrate`: data from other servers into a deployment. */
export function migrateVerb(): Command {
  const group = verb('migrate', 'move data in from other Redis servers', [
    ['holdfast migrate scan rediss://cache.example:6379 holdfast.yaml', 'where replication is refused'],
    ['holdfast migrate verify redis://10.0.1.7:6379 holdfast.yaml', 'is every key there, and the same?'],
  ]);
  for (const make of [migrateScanVerb, migrateVerifyVerb]) group.addCommand(make());
  return group;
}
