import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { behaviourTable } from './behaviour-table.ts';

test('docs/gate.md has the table of what the gate does with each kind of command', () => {
  const page = readFileSync(new URL('../../../docs/gate.md', import.meta.url), 'utf8');
  const [table] = /\| kind \| commands \|(?:.*\n)(?:\|.*\n)*/.exec(page) ?? [''];
  expect(table.trimEnd()).toBe(behaviourTable());
});
