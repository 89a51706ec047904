import { expect } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { GateProcess } from './gate-process.ts';
import { client, type Server } from './redis-processes.ts';

/**
 * Waits until a client waits in a blocking command at this server and the gate was told so. Nobody else may have asked
 * that server for CLIENT LIST since it started, or since `CONFIG RESETSTAT`.
 */
export async function untilKnownToWait(
  gate: Pick<GateProcess, 'port'>,
  server: Pick<Server, 'port'>,
  login: { password?: string } = {},
): Promise<void> {
  const direct = client(server.port, login);
  const within = { withinMs: 5000, everyMs: 10 };
  const waits = async () => /blocked_clients:[1-9]/.test(await direct.info('clients'));
  await waitFor(waits, { what: 'a client to wait', ...within });
  const told = async () => (await direct.info('commandstats')).includes('cmdstat_client|list:');
  await waitFor(told, { what: 'the gate to ask', ...within });
  // The answer to that has come before this one.
  expect(await client(gate.port, login).ping()).toBe('PONG');
}
