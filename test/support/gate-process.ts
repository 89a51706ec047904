import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hopeless, waitFor } from '../../src/base/retry.ts';
import { type GateConfigInput, gateConfig } from '../../src/gate/config.ts';
import { GateControl } from '../../src/gate/control/control-client.ts';
import { freePort, start, tempFolder } from './redis-processes.ts';
import type { Deployment } from './replica-set.ts';

export interface GateProcess {
  process: ChildProcess;
  port: number;
  replicaPort: number;
  control: GateControl;
  /** The path that `control` speaks to. */
  controlSocket: string;
  log: () => string;
}

/** Starts a gate as the agent does, from the build, and waits until it is open. */
export async function startGate(input: Partial<GateConfigInput>, open = true): Promise<GateProcess> {
  const folder = tempFolder();
  const file = path.join(folder, 'gate.json');
  const controlSocket = path.join(folder, 'gate.sock');
  const [port, replicaPort] = [await freePort(), await freePort()];
  const config = gateConfig({
    deployment: 'orders',
    id: 'gate-1',
    listen: { host: '127.0.0.1', port },
    replicaListen: { host: '127.0.0.1', port: replicaPort },
    controlSocket,
    members: [],
    ...input,
  });
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const log = path.join(folder, 'gate.log');
  const child = start(process.execPath, ['dist/gate/main.js', '--config', file], log);
  const control = new GateControl(controlSocket);
  let ended: number | string | null = null;
  // Only then all that it said has come.
  child.once('close', (code, signal) => {
    ended = code ?? signal;
  });
  const ready = async () => {
    if (ended !== null) throw hopeless(new Error(`the gate ended with ${ended}`));
    return (await control.status()).state === 'open' || !open;
  };
  await waitFor(ready, { what: 'the gate to open', withinMs: 60_000 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${readFileSync(log, 'utf8')}`, { cause: error });
  });
  // The table of commands comes a moment later; a test that keeps it from coming is not waited for.
  const knows = async () => !open || (await control.status()).commandsKnown;
  await waitFor(knows, { what: 'the table of commands', withinMs: 1000 }).catch(() => {});
  return { process: child, port, replicaPort, control, controlSocket, log: () => readFileSync(log, 'utf8') };
}

/** The configuration of a gate for a deployment. */
export function gateFor(deployment: Deployment): Partial<GateConfigInput> {
  return {
    deployment: deployment.name,
    members: deployment.members.map(({ port }, index) => ({
      id: `redis-${index + 1}`,
      address: '127.0.0.1',
      port,
    })),
    sentinels: deployment.sentinels.map(({ port }) => ({ address: '127.0.0.1', port })),
    memberCredentials: deployment.credentials,
  };
}
