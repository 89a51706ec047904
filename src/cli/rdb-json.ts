import type { Command } from 'commander';
import { verb } from './verb.ts';
export function jsonVerb(): Command { return verb('json', 'todo', [['a','b']]); }
