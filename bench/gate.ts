import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Throughput and latency of one gate worker beside the server itself, HAProxy and twemproxy, measured with
 * redis-benchmark in turns, so that a noisy machine is noisy for all of them. Prints medians and ratios.
 *
 * Usage: npm run bench:gate [-- --rounds 5 --requests 100000 --clients 50 --pipeline 1,16 --tests set,get]
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    requests: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '50' },
    pipeline: { type: 'string', default: '1,16' },
    tests: { type: 'string', default: 'set,get,incr,lpush,lpop,mset,lrange_100,lrange_600' },
    durability: { type: 'string', default: 'async' },
  },
});
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-bench-gate-'));
const children: ChildProcess[] = [];

interface Result {
  rps: number;
  p50: number;
  p99: number;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(program: string, args: string[], port: number): Promise<number> {
  const child = spawn(program, args, { stdio: 'ignore' });
  children.push(child);
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return port;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${program} does not listen on ${port}`);
}

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function startAll(): Promise<[name: string, port: number][]> {
  const server = await freePort();
  const plain = [
    '--port',
    `${server}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    folder,
    '--logfile',
    'redis.log',
  ];
  await start('redis-server', plain, server);
  const gate = await freePort();
  const config = {
    deployment: 'bench',
    id: 'gate-1',
    listen: { host: '127.0.0.1', port: gate },
    members: [{ id: 'redis-1', address: '127.0.0.1', port: server }],
    durability: values.durability,
  };
  const file = path.join(folder, 'gate.json');
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  await start(process.execPath, [path.join(root, 'dist', 'gate', 'main.js'), '--config', file], gate);
  const doors: [string, number][] = [
    ['direct', server],
    ['gate', gate],
  ];
  if (has('haproxy')) {
    const port = await freePort();
    const lines = [
      'global\n nbthread 1',
      'defaults\n mode tcp\n timeout connect 1s\n timeout client 1h\n timeout server 1h',
      `listen redis\n bind 127.0.0.1:${port}\n server redis 127.0.0.1:${server}`,
    ];
    writeFileSync(path.join(folder, 'haproxy.cfg'), `${lines.join('\n')}\n`);
    doors.push(['haproxy', await start('haproxy', ['-f', path.join(folder, 'haproxy.cfg')], port)]);
  }
  if (has('nutcracker')) {
    const port = await freePort();
    const lines = [
      'redis:',
      `  listen: 127.0.0.1:${port}`,
      '  redis: true',
      '  servers:',
      `   - 127.0.0.1:${server}:1`,
    ];
    writeFileSync(path.join(folder, 'nutcracker.yml'), `${lines.join('\n')}\n`);
    const statistics = await freePort();
    const args = ['-c', path.join(folder, 'nutcracker.yml'), '-s', `${statistics}`];
    doors.push(['twemproxy', await start('nutcracker', args, port)]);
  }
  return doors;
}

/** One test; the figures are those of redis-benchmark's CSV. LRANGE's own preparation is its first line. */
function measure(port: number, test: string, pipeline: string): Result {
  const requests = test.startsWith('lrange')
    ? Math.ceil(Number(values.requests) / 5)
    : Number(values.requests);
  const count = pipeline === '1' ? requests : requests * 4;
  const args = [
    '-p',
    `${port}`,
    '-c',
    values.clients,
    '-n',
    `${count}`,
    '-d',
    '100',
    '-P',
    pipeline,
    '-t',
    test,
    '--csv',
  ];
  const out = execFileSync('redis-benchmark', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = out.trim().split('\n').at(-1) ?? '';
  const [, rps, , , p50, , p99] = line.split(',').map((cell) => Number(cell.replaceAll('"', '')));
  return { rps: rps ?? 0, p50: p50 ?? 0, p99: p99 ?? 0 };
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function print(pipeline: string, test: string, results: Map<string, Result[]>): void {
  const of = (name: string, key: keyof Result) =>
    median((results.get(name) ?? []).map((result) => result[key]));
  const gate = of('gate', 'rps');
  const cells = [...results.keys()].map((name) => {
    const ratio = name === 'gate' ? '' : ` (gate ${(gate / of(name, 'rps')).toFixed(2)}x)`;
    return `${name} ${Math.round(of(name, 'rps'))}/s p50 ${of(name, 'p50')} p99 ${of(name, 'p99')} ms${ratio}`;
  });
  console.log(`-P ${pipeline} ${test.padEnd(11)} ${cells.join(' | ')}`);
}

try {
  const doors = await startAll();
  console.log(
    `${values.rounds} rounds, ${values.clients} clients, 100-byte values, ${os.cpus().length} cores; medians`,
  );
  for (const pipeline of values.pipeline.split(',')) {
    for (const test of values.tests.split(',')) {
      const results = new Map<string, Result[]>(doors.map(([name]) => [name, []]));
      for (let round = 0; round < Number(values.rounds); round++) {
        for (const [name, port] of doors) results.get(name)?.push(measure(port, test, pipeline));
      }
      print(pipeline, test, results);
    }
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
