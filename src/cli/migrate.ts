import type { Command } from 'commander';
import { migrateVerifyVerb } from './migrate-verify.ts';
import { verb } from './verb.ts';

/** `holdfast migrate`: data from other servers into a deployment. */
export function migrateVerb(): Command {
  const group = verb('migrate', 'move data in from other Redis servers', [
    ['holdfast migrate verify redis://10.0.1.7:6379 holdfast.yaml', 'is every key there, and the same?'],
  ]);
  group.addCommand(migrateVerifyVerb());
  return group;
}
