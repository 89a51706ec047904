import type { Command } from 'commander';
import { verb } from './verb.ts';
export function memoryVerb(): Command { return verb('memory', 'todo', [['a','b']]); }
