import { waitFor } from '../../src/base/retry.ts';
import type { GateProcess } from './gate-process.ts';
import { client, type Server } from './redis-processes.ts';

/** Waits until a client waits in a blocking command at this server and the gate was told so, which its CLIENT LIST shows. */
export async function untilKnownToWait(
  gate: Pick<GateProcess, 'port'>,
  server: Pick<Server, 'port'>,
  login: { password?: string } = {},
): Promise<void> {
  const within = { withinMs: 60_000, everyMs: 10 };
  const [direct, gated] = [client(server.port, login), client(gate.port, login)];
  const waits = async () => /blocked_clients:[1-9]/.test(await direct.info('clients'));
  await waitFor(waits, { what: 'a client to wait', ...within });
  const told = async () => / flags=[A-Za-z]*b/.test(String(await gated.client('LIST')));
  await waitFor(told, { what: 'the gate to be told', ...within });
}
