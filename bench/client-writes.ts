import { Buffer } from 'node:buffer';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HandleWriter } from '../src/gate/client/handle-writer.ts';
import { withSharedReads } from '../src/gate/client/shared-reads.ts';

/**
 * What it costs the gate to write a reply to a client, in processor time and in turns: through Node's stream, through a
 * corked stream, and to the socket's handle, as the gate does.
 *
 * Usage: npm run bench:client-writes [-- --clients 50 --bytes 100 --rounds 60]
 */
const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '50' },
    bytes: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '60' },
    reader: { type: 'string' },
  },
});
const clients = Number(values.clients);
const turns = 40;

if (values.reader === undefined) await measure();
else for (let i = 0; i < clients; i++) connect(Number(values.reader), '127.0.0.1').on('data', () => {});

async function measure(): Promise<void> {
  const reply = Buffer.from(`$${values.bytes}\r\n${'x'.repeat(Number(values.bytes))}\r\n`);
  const text = () => reply.toString('latin1', 0, reply.length);
  const sockets: { socket: Socket; writer: HandleWriter | null }[] = [];
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    const socket = withSharedReads(accepted);
    sockets.push({ socket, writer: HandleWriter.of(socket, () => {}) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const readers = fork(fileURLToPath(import.meta.url), ['--reader', `${port}`, '--clients', `${clients}`]);
  while (sockets.length < clients) await new Promise((resolve) => setTimeout(resolve, 10));
  const ways = {
    stream: () => {
      for (const { socket } of sockets) socket.write(text(), 'latin1');
    },
    'corked stream': () => {
      for (const { socket } of sockets) {
        socket.cork();
        socket.write(text(), 'latin1');
        socket.uncork();
      }
    },
    handle: () => {
      for (const { writer } of sockets) writer?.writeText(text());
    },
  };
  const found = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, write] of Object.entries(ways)) {
      const before = process.cpuUsage();
      for (let turn = 0; turn < turns; turn++) {
        write();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { user, system } = process.cpuUsage(before);
      // The first rounds are slow: nothing is compiled yet.
      if (round >= 10) found[name]?.push((user + system) / (turns * clients));
    }
  }
  const base = median(found['stream'] ?? []);
  console.log(
    '| way | µs of processor for a write, median | least | ÷ stream |\n| --- | ---: | ---: | ---: |',
  );
  for (const [name, all] of Object.entries(found)) {
    const middle = median(all);
    console.log(
      `| ${name} | ${middle.toFixed(2)} | ${Math.min(...all).toFixed(2)} | ${(middle / base).toFixed(2)} |`,
    );
  }
  readers.kill();
  process.exit(0);
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
