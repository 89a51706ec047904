/**
 * What must hold before anything is started, so that a start never ends half-way: the programs are there, the state directory can be written, the disk has room, and every port is free.
 */
import { rm, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { errorCode, errorText, HoldfastError, isDiskFull } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { whyNotSafePlace } from '../base/private-file.ts';
import { describeSize } from '../base/size.ts';
import { portHolder } from '../process/port-holder.ts';
import { findProgram } from '../process/programs.ts';
import type { Spec } from '../spec/spec.ts';
import { DiskFull, PortTaken, ProgramMissing, StateDirUnusable } from './errors.ts';

/** Redis needs room for its first files, the agent for its state and logs. */
const leastFreeBytes = 16 * 2 ** 20;

export function findHaproxy(): string {
  const program = findProgram('haproxy');
  if (program === undefined) {
    throw ProgramMissing(
      'the spec says gate.kind: haproxy, but haproxy is not installed, or not on the PATH',
      {
        hint: 'Debian, Ubuntu: apt-get install haproxy. Or use holdfast’s own gate: gate.kind: gate.',
      },
    );
  }
  return program;
}

function openToAll(root: string, why: string): Error {
  return StateDirUnusable(`the state directory ${root} is not safe: ${why}`, {
    hint: 'Passwords and data lie there. Take the right to write from the others (chmod o-w), or name another one with --state-dir. Nothing was started.',
  });
}

function ofAnother(root: string, uid: number): Error {
  return StateDirUnusable(`the state directory ${root} belongs to another user (uid ${uid})`, {
    hint: 'Who owns it could change what is run from there. Run holdfast as that user, or name another one with --state-dir. Nothing was started.',
  });
}

/**
 * Makes the state directory and proves that it can be written.
 * @param runs whether something runs there already: an agent looks after that on a full disk, too
 * @throws STATE_DIR_UNUSABLE, DISK_FULL
 */
export async function checkStateDir(root: string, runs: () => boolean = () => false): Promise<void> {
  const probe = path.join(root, `.probe-${process.pid}`);
  try {
    await makeFolder(root, 0o700);
    const why = whyNotSafePlace(root);
    if (why !== undefined) throw openToAll(root, why);
    const { uid } = await stat(root);
    const own = process.getuid?.() ?? uid;
    if (uid !== own && uid !== 0) throw ofAnother(root, uid);
    const { bavail, bsize } = await statfs(root);
    if (bavail * bsize < leastFreeBytes && !runs()) throw diskFull(root, bavail * bsize);
    await writeFile(probe, Buffer.alloc(64 * 1024), { mode: 0o600 });
  } catch (error) {
    if (isDiskFull(error)) {
      if (runs()) return;
      throw diskFull(root, 0);
    }
    if (error instanceof HoldfastError) throw error;
    throw StateDirUnusable(`the state directory ${root} can't be written: ${errorText(error)}`, {
      hint: 'Give this user the directory, or name another one with --state-dir.',
      cause: error,
    });
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
}

function diskFull(root: string, freeBytes: number): Error {
  const found = `${describeSize(freeBytes)} free on the file system of ${root}`;
  return DiskFull(`only ${found}; holdfast starts with at least ${describeSize(leastFreeBytes)}`, {
    hint: 'Make room, or name a directory on another disk with --state-dir.',
  });
}

export interface WantedPort {
  /** What wants it: `redis-1`, `gate-1`, `the API`. */
  who: string;
  /** The key of the spec that sets it. */
  key: string;
  address: string;
  port: number;
}

/** Every port that this host's share of the spec listens on. */
export function wantedPorts(spec: Spec, host: string): WantedPort[] {
  const here = <T extends { host: string }>(places: readonly T[]) =>
    places.filter((place) => place.host === host);
  return [
    ...here(spec.members).map(({ id, address, port }) => ({ who: id, key: 'redis.port', address, port })),
    ...here(spec.sentinels).map(({ id, address, port }) => ({
      who: id,
      key: 'sentinel.port',
      address,
      port,
    })),
    ...here(spec.gates).flatMap(({ id, address, port, replicaPort }) => [
      { who: id, key: 'gate.port', address, port },
      ...(replicaPort === null ? [] : [{ who: id, key: 'gate.replicaPort', address, port: replicaPort }]),
    ]),
    ...spec.agent.bind.map((address) => apiPort(spec, address)),
  ];
}

function apiPort({ agent: { port } }: Spec, address: string): WantedPort {
  return { who: 'the API', key: 'agent.bind, agent.port', address, port };
}

/**
 * Of a port of the API that something else took after it was looked at.
 * @param error what listening threw. @throws PORT_TAKEN, naming it and who has it; what was thrown if that has no code
 */
export function throwTaken(error: unknown, spec: Spec, address: string): never {
  const problem = errorCode(error);
  if (problem === undefined) throw error;
  const wanted = apiPort(spec, address);
  throw PortTaken(`${nameOf(wanted)} ${whyTaken(problem, wanted.port)}`, {
    hint: 'Stop what has it, or change the port in the spec. What this start had started has been stopped again.',
    cause: error,
  });
}

function nameOf({ who, key, address, port }: WantedPort): string {
  return `${address}:${port} for ${who} (${key})`;
}

/**
 * All of them at once: so two that are the same in other words (`localhost` and `127.0.0.1`, `0.0.0.0` and `::`) are found.
 * @throws PORT_TAKEN naming every port that something else has, and who.
 */
export async function checkPorts(wanted: readonly WantedPort[]): Promise<void> {
  const taken: string[] = [];
  let held: HeldPort[] = [];
  for (const each of wanted) {
    const { address, port } = each;
    const what = nameOf(each);
    const found = await tryPort(address, port);
    if (typeof found !== 'string') {
      held.push({ server: found, what, port });
      continue;
    }
    const others = held.filter((one) => one.port === port);
    held = held.filter((one) => one.port !== port);
    await letGo(others);
    const again = others.length === 0 ? found : await tryPort(address, port);
    if (typeof again !== 'string') held.push({ server: again, what, port });
    const same = typeof again === 'string' ? '' : others.map((one) => one.what).join(' and ');
    taken.push(`${what} ${same === '' ? whyTaken(found, port) : `is the same as ${same}`}`);
  }
  await letGo(held);
  if (taken.length === 0) return;
  throw PortTaken(taken.join('; '), {
    hint: 'Stop what has it, or change the port in the spec. Nothing was started.',
  });
}

interface HeldPort {
  server: Server;
  what: string;
  port: number;
}

async function letGo(held: readonly HeldPort[]): Promise<void> {
  await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))));
}

function whyTaken(problem: string, port: number): string {
  if (problem !== 'EADDRINUSE') return `can't be listened on: ${problem}`;
  const holder = portHolder(port);
  return `is taken${holder ? ` by ${holder.name} (pid ${holder.pid})` : ''}`;
}

/** @returns what listens now, or why it can't. */
async function tryPort(address: string, port: number): Promise<Server | string> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port, exclusive: true }, resolve);
    });
    return server;
  } catch (error) {
    return errorCode(error) ?? errorText(error);
  }
}
