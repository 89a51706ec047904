/** The server and the front doors before it, each as its own process. */
import { fileURLToPath } from 'node:url';
import { findRedisServer } from '../agent/server-program.ts';
import { freePorts } from '../process/free-ports.ts';
import { findProgram } from '../process/programs.ts';
import { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import type { DoorKind } from './door-kinds.ts';
import { BenchFailed } from './errors.ts';
import { listenerOf } from './own-testbed.ts';
import type { Scratch } from './scratch.ts';

const gateMain = fileURLToPath(new URL('../gate/main.js', import.meta.url));

export interface DoorProcess {
  name: string;
  port: number;
  /** Whose processor time, and that of whose children, is the door's; null for the server itself. */
  pid: number | null;
}

export interface DoorSettings {
  kinds: readonly DoorKind[];
  durability: 'async' | 'replicated';
  otherGate: string | null;
}

/** Each door has one thread, but for the gate with workers. Those whose program is not installed are left out. */
export async function startDoors(scratch: Scratch, settings: DoorSettings): Promise<DoorProcess[]> {
  const replicated = settings.durability === 'replicated';
  const servers = await startServers(scratch, replicated ? 2 : 0);
  const [server] = servers as [number, ...number[]];
  const gate = (name: string, durability: DoorSettings['durability'], main = gateMain) =>
    startGate(scratch, { name, durability, main, servers });
  const wants = (kind: DoorKind) => settings.kinds.includes(kind);
  const doors: DoorProcess[] = [];
  if (wants('direct')) doors.push({ name: 'direct', port: server, pid: null });
  if (wants('gate')) doors.push(await gate('gate', 'async'));
  if (wants('workers')) {
    const name = `gate, ${workerCount} workers`;
    doors.push(
      await startGate(scratch, { name, durability: 'async', main: gateMain, servers, workers: workerCount }),
    );
  }
  if (wants('routes')) {
    doors.push(
      await startGate(scratch, {
        name: 'gate, routes',
        durability: 'async',
        main: gateMain,
        servers,
        routes,
      }),
    );
  }
  if (wants('mirrored')) doors.push(await startMirrored(scratch, servers));
  if (wants('mirror')) doors.push(await startMirror(scratch));
  if (replicated) doors.push(await gate('gate, replicated', 'replicated'));
  if (replicated) doors.push(await startFsyncAlways(scratch));
  if (settings.otherGate !== null) doors.push(await gate('other gate', 'async', settings.otherGate));
  if (wants('haproxy') && findProgram('haproxy')) doors.push(await startHaproxy(scratch, server));
  if (wants('twemproxy') && findProgram('nutcracker')) doors.push(await startTwemproxy(scratch, server));
  return doors;
}

/** A primary that keeps nothing on disk, and its replicas. */
async function startServers(scratch: Scratch, replicas: number): Promise<number[]> {
  const { program } = await findRedisServer();
  const first = await freePorts(1 + replicas);
  const ports = Array.from({ length: 1 + replicas }, (_, i) => first + i);
  for (const port of ports) {
    const plain = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', scratch.folder];
    const follows = port === first ? [] : ['--replicaof', '127.0.0.1', `${first}`];
    const files = ['--dbfilename', `${port}.rdb`];
    await scratch.start(`redis-${port}`, program, [...plain, ...files, ...follows], port);
  }
  return ports;
}

/** The other way to be sure of a write: on disk before it is answered. */
async function startFsyncAlways(scratch: Scratch): Promise<DoorProcess> {
  const { program } = await findRedisServer();
  const port = await freePorts(1);
  const plain = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', scratch.folder];
  const always = ['--appendonly', 'yes', '--appendfsync', 'always', '--appenddirname', 'always'];
  await scratch.start(`redis-${port}`, program, [...plain, ...always], port);
  return { name: 'direct, AOF always', port, pid: null };
}

/** A gate that copies every request, reads too, to a server of its own. */
async function startMirrored(scratch: Scratch, servers: number[]): Promise<DoorProcess> {
  const { program } = await findRedisServer();
  const port = await freePorts(1);
  const plain = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', scratch.folder];
  await scratch.start(`redis-${port}`, program, plain, port);
  return startGate(scratch, {
    ...{ name: 'gate, mirrored', durability: 'async', main: gateMain, servers, mirrors: [port] },
  });
}

/** The gate of two standalone members, of which one leads: a write is acknowledged when both have it. */
async function startMirror(scratch: Scratch): Promise<DoorProcess> {
  const made = { durability: 'replicated', persistence: 'none', hosts: 'one', topology: 'mirror' } as const;
  const testbed = new HoldfastTestbed(made);
  scratch.atEnd(() => testbed.stop());
  await testbed.start();
  const { endpoint } = await listenerOf(testbed);
  if (!('port' in endpoint)) throw BenchFailed('the deployment has no gate to measure');
  const gate = (await testbed.processes()).find(({ kind }) => kind === 'gate');
  return { name: 'topology: mirror, ack: all', port: endpoint.port, pid: gate?.pid ?? null };
}

const workerCount = 2;

/** What redis-benchmark's keys begin with: everything it asks goes by a route. */
const routes = ['key:', 'counter:', 'my'];

interface GateSettings {
  routes?: readonly string[];
  /** Ports of servers that get copies of all requests. */
  mirrors?: readonly number[];
  workers?: number;
  name: string;
  durability: DoorSettings['durability'];
  main: string;
  servers: number[];
}

async function startGate(
  scratch: Scratch,
  { name, durability, main, servers, routes: prefixes = [], mirrors = [], workers = 1 }: GateSettings,
) {
  const port = await freePorts(1);
  const members = servers.map((server, i) => ({ id: `redis-${i + 1}`, address: '127.0.0.1', port: server }));
  const config = {
    deployment: 'bench',
    id: 'gate-1',
    listen: { host: '127.0.0.1', port },
    members,
    durability,
    // An older build of the gate refuses keys that it does not know.
    ...(prefixes.length > 0 && { routes: [{ id: 'keys', prefixes, members: members.slice(0, 1) }] }),
    ...(workers > 1 && { workers }),
    ...(mirrors.length > 0 && {
      mirrors: mirrors.map((mirror) => ({
        ...{ id: `mirror-${mirror}`, address: '127.0.0.1', port: mirror, copies: 'all' },
      })),
    }),
  };
  const file = await scratch.write(`gate-${port}.json`, JSON.stringify(config));
  const child = await scratch.start(`gate-${port}`, process.execPath, [main, '--config', file], port);
  return { name, port, pid: child.pid ?? null };
}

async function startHaproxy(scratch: Scratch, server: number): Promise<DoorProcess> {
  const port = await freePorts(1);
  const lines = [
    'global\n nbthread 1',
    'defaults\n mode tcp\n timeout connect 1s\n timeout client 1h\n timeout server 1h',
    `listen redis\n bind 127.0.0.1:${port}\n server redis 127.0.0.1:${server}`,
  ];
  const file = await scratch.write('haproxy.cfg', `${lines.join('\n')}\n`);
  const child = await scratch.start('haproxy', findProgram('haproxy') as string, ['-f', file], port);
  return { name: 'HAProxy', port, pid: child.pid ?? null };
}

async function startTwemproxy(scratch: Scratch, server: number): Promise<DoorProcess> {
  const port = await freePorts(2);
  const lines = ['redis:', `  listen: 127.0.0.1:${port}`, '  redis: true', '  servers:'];
  const file = await scratch.write(
    'nutcracker.yml',
    `${[...lines, `   - 127.0.0.1:${server}:1`].join('\n')}\n`,
  );
  const args = ['-c', file, '-s', `${port + 1}`, '-a', '127.0.0.1'];
  const child = await scratch.start('twemproxy', findProgram('nutcracker') as string, args, port);
  return { name: 'twemproxy', port, pid: child.pid ?? null };
}
