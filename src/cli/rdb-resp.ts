import type { Command } from 'commander';
import { verb } from './verb.ts';
export function respVerb(): Command { return verb('resp', 'todo', [['a','b']]); }
