import { expect, test } from 'vitest';
import type { AgentClient } from '../agent/api/agent-client.ts';
import { statePaths } from '../agent/state/paths.ts';
import { parseSpec } from '../spec/parse.ts';
import { LiveTestbed } from './live-testbed.ts';

/** By which logs it is found out who was promoted. */
function kindsOf(topology: string): string[] {
  const spec = parseSpec(`name: x\n${topology}`, 'x.yaml');
  const agent = {} as AgentClient;
  const testbed = new LiveTestbed({
    spec,
    paths: statePaths('/s'),
    agent,
    credentials: undefined,
    tls: undefined,
  });
  return testbed.logs().map(({ kind }) => kind);
}

test('who leads of standalone members an agent tells: to their own logs each is a primary', () => {
  expect(kindsOf('')).toContain('events');
  const mirrored = kindsOf('topology: mirror\nsentinel: { count: 0 }');
  expect(mirrored).toContain('words');
  expect(mirrored).not.toContain('events');
});
