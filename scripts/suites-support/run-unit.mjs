// Runs one unit of a suite within namespaces of its own, where nobody else has a port: the server, or the gate before
// it, is at 6379, where most suites look for one. What it found goes to a file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../setup.mjs';

const { suite, folder, unit, way, skip, seconds, file, log } = JSON.parse(process.argv[2]);
const port = 6379;
const behind = 7379;
const scratch = mkdtempSync(path.join(tmpdir(), 'holdfast-suite-'));
if (log !== null) mkdirSync(path.dirname(log), { recursive: true });
const output = log === null ? 'ignore' : openSync(log, 'w');

// As Redis's own instructions start a server for its suite.
const allowed = ['--enable-protected-configs', '--enable-debug-command', '--enable-module-command'].flatMap(
  (each) => [each, 'yes'],
);
const serverPort = way === 'gate' ? behind : port;
start(
  'redis-server',
  ['--port', String(serverPort), '--save', '', '--dir', scratch, ...allowed],
  path.join(scratch, 'redis.log'),
);
await answers(serverPort);
if (way === 'gate') {
  const config = path.join(scratch, 'gate.json');
  const gate = {
    deployment: 'suite',
    id: 'gate-1',
    listen: { host: ['127.0.0.1', '::1'], port },
    members: [{ id: 'redis-1', address: '127.0.0.1', port: behind }],
    allowDebug: true,
  };
  writeFileSync(config, JSON.stringify(gate), { mode: 0o600 });
  const gateLog = log === null ? path.join(scratch, 'gate.log') : log.replace(/\.log$/, '.gate.log');
  start(process.execPath, [path.join(root, 'dist', 'gate', 'main.js'), '--config', config], gateLog);
  await answers(port);
}

const { run } = await import(`../suites/${suite}.mjs`);
const result = await run(unit, { folder, port, memberPort: serverPort, skip, runProgram });
writeFileSync(file, JSON.stringify(result));
rmSync(scratch, { recursive: true, force: true });
process.exit(0);

function start(program, args, logged) {
  const sink = openSync(logged, 'w');
  spawn(program, args, { stdio: ['ignore', sink, sink] });
}

/** Runs a program of the suite to its end, or to the limit, and returns what it wrote; `ended` says how, if not well. */
async function runProgram(program, args, { cwd = folder, env = {} } = {}) {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk.toString('utf8');
      if (output !== 'ignore') writeFileSync(output, chunk);
    });
  }
  let ended = null;
  const timer = setTimeout(() => {
    ended = `not done after ${seconds} s`;
    child.kill('SIGKILL');
    // What it started may hold its output open.
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
  }, seconds * 1000);
  const [status] = await once(child, 'exit');
  await new Promise((resolve) => setImmediate(resolve));
  clearTimeout(timer);
  return { text, status, ended };
}

async function answers(at) {
  for (let attempt = 0; attempt < 600; attempt++) {
    const socket = connect(at, '127.0.0.1').on('error', () => {});
    socket.write('PING\r\n');
    const answer = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => []);
    socket.destroy();
    if (String(answer[0]).startsWith('+PONG')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing answers at port ${at}`);
}
