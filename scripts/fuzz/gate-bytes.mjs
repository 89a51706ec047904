// Hostile bytes to a running gate, before a real server. Whatever comes, and however the client leaves: the gate lives,
// its memory stays within a bound, a client that behaves gets its answers in time, and nobody gets a reply that is
// another's. Each run sends a hundred inputs on four connections; `--long` sends ten million.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../setup.mjs';

export const runs = { usual: 300, long: 100_000 };
const connections = 4;
const inputsPerConnection = 25;
const answerMs = 10_000;
const mostRss = 400 * 2 ** 20;

const seeds = [
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n',
  '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n',
  'SET "a b" \'c\' \\x41\r\n',
  'GET k\r\nMULTI\r\nGET k\r\nEXEC\r\n',
  '*0\r\n*-1\r\n\r\n',
  '*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nEXEC\r\n',
  '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n*1\r\n$11\r\nUNSUBSCRIBE\r\n',
  '*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm\r\n',
  '*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n',
  '*3\r\n$5\r\nBLPOP\r\n$1\r\nl\r\n$4\r\n0.01\r\n',
  '*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n',
  '*2\r\n$4\r\nSCAN\r\n$16\r\n9007199254740991\r\n',
  '*3\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\non\r\n*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n',
  '*3\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n*1\r\n$5\r\nRESET\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n',
  '*1000000\r\n$1\r\n',
  '*2147483647\r\n$2147483647\r\n',
  '$5\r\n*2\r\n:1\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));
const alphabet = Buffer.from('*$+-:%~>|_#,(!=\r\n0123456789 \'"\\xak\u0000\u00ff', 'latin1');

function makeInput(random) {
  if (random(12) === 0) return Buffer.from(Array.from({ length: random(80) }, () => random(256)));
  if (random(12) === 0) return Buffer.alloc(random(70_000), alphabet[random(alphabet.length)]);
  const bytes = Buffer.concat([seeds[random(seeds.length)], seeds[random(seeds.length)]]);
  for (let changes = random(3); changes > 0; changes--) {
    bytes[random(bytes.length)] = random(2) === 0 ? random(256) : alphabet[random(alphabet.length)];
  }
  return bytes.subarray(0, bytes.length - (random(4) === 0 ? random(10) : 0));
}

/** The server says `mark`. The request does not contain it: as a part of a value that is too long, others may read a request. */
function askFor(mark) {
  const words = ['EVAL', `return '${mark[0]}'..ARGV[1]`, '0', mark.slice(1)];
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function open(port) {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.on('error', () => {});
      return socket;
    } catch (error) {
      if (attempt > 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export async function create() {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-fuzz-'));
  const [redisPort, port] = [await freePort(), await freePort()];
  const redisArgs = `--port ${redisPort} --bind 127.0.0.1 --save --appendonly no --dir ${folder}`.split(' ');
  redisArgs.splice(redisArgs.indexOf('--save') + 1, 0, '');
  const redis = spawn('redis-server', redisArgs, { stdio: 'ignore' });
  const file = path.join(folder, 'gate.json');
  const config = {
    deployment: 'fuzz',
    id: 'gate-1',
    listen: { host: '127.0.0.1', port },
    members: [{ id: 'redis-1', address: '127.0.0.1', port: redisPort }],
    limits: { clients: 5000, replyBytes: 2 ** 24, totalBytes: 2 ** 26 },
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  (await open(redisPort)).destroy();
  const main = path.join(root, 'dist', 'gate', 'main.js');
  const gate = spawn(process.execPath, [main, '--config', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const processes = [redis, gate];
  process.on('exit', () => {
    for (const each of processes) each.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  let behaved = '';
  const witness = await open(port);
  witness.on('data', (chunk) => {
    behaved += chunk.toString('latin1');
  });
  let asked = 0;
  let inputs = 0;
  let most = 0;

  /** A client that behaves asks something, and gets just that. */
  async function isAnswered() {
    const text = `w${++asked}`;
    behaved = '';
    witness.write(`*2\r\n$4\r\nECHO\r\n$${text.length}\r\n${text}\r\n`);
    const wanted = `$${text.length}\r\n${text}\r\n`;
    const until = performance.now() + answerMs;
    while (behaved.length < wanted.length) {
      if (gate.exitCode !== null || gate.signalCode !== null)
        return `the gate ended with ${gate.exitCode ?? gate.signalCode}`;
      if (witness.destroyed) return 'a client that behaves was disconnected';
      if (performance.now() > until) return `no answer within ${answerMs} ms`;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return behaved === wanted
      ? undefined
      : `wanted ${JSON.stringify(wanted)}, found ${JSON.stringify(behaved)}`;
  }

  async function hostile(random, number) {
    const socket = await open(port);
    const mark = `T${asked}-${number};`;
    let received = '';
    socket.on('data', (chunk) => {
      if (received.length < 100_000) received += chunk.toString('latin1');
    });
    for (let input = 0; input < inputsPerConnection; input++) {
      inputs++;
      if (random(3) === 0) socket.write(askFor(mark));
      socket.write(makeInput(random));
      if (random(8) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (random(3) === 0) socket.end();
    return () => {
      socket.destroy();
      const foreign = received.match(/T\d+-\d+;/g)?.find((each) => each !== mark);
      return foreign === undefined ? undefined : `${mark} got the reply of ${foreign}`;
    };
  }

  async function run(random) {
    const ends = await Promise.all(
      Array.from({ length: connections }, (_, number) => hostile(random, number)),
    );
    const complaint = (await isAnswered()) ?? (await isAnswered());
    const wrong = ends.map((end) => end()).find((each) => each !== undefined);
    const rss =
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${gate.pid}/status`, 'utf8'))?.[1]) * 1024;
    most = Math.max(most, rss);
    if (rss > mostRss) return `the gate has ${Math.round(rss / 2 ** 20)} MiB`;
    return complaint ?? wrong;
  }

  async function close() {
    witness.destroy();
    const gone = processes.map((each) => once(each, 'exit'));
    for (const each of processes) each.kill('SIGKILL');
    await Promise.all(gone);
  }

  return { run, close, summary: () => `${inputs} inputs, at most ${Math.round(most / 2 ** 20)} MiB` };
}
