import type { Command } from 'commander';
import { verb } from './verb.ts';
export function diffVerb(): Command { return verb('diff', 'todo', [['a','b']]); }
