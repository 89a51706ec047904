// Requests and replies, random and mutated: framing must neither crash nor hang, must find the same ends whether the
// bytes come whole or in two pieces, and what was framed must be readable. Each run tries ten inputs.
import path from 'node:path';
import { root } from '../setup.mjs';

const inputsPerRun = 10;
const maxGrowth = 64 * 2 ** 20;

const seeds = [
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n',
  '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n',
  'SET "a b" \'c\' \\x41\r\n',
  '*0\r\n*-1\r\n\r\n',
  '%2\r\n+a\r\n*2\r\n:1\r\n$1\r\nx\r\n+b\r\n~1\r\n_\r\n',
  '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n',
  '|1\r\n+ttl\r\n:1\r\n*3\r\n,1.5\r\n#t\r\n(123456789012345678901\r\n',
  '=7\r\ntxt:abc\r\n!5\r\nERR x\r\n-ERR y\r\n$-1\r\n*-1\r\n',
].map((text) => Buffer.from(text, 'latin1'));
const alphabet = Buffer.from('*$+-:%~>|_#,(!=\r\n0123456789 \'"\\xak', 'latin1');

/** A whole number from 0 to n - 1 comes from `random(n)`. */
function makeInput(random) {
  if (random(5) === 0) return Buffer.from(Array.from({ length: random(80) }, () => random(256)));
  if (random(4) === 0) {
    return Buffer.from(Array.from({ length: random(60) }, () => alphabet[random(alphabet.length)]));
  }
  const bytes = Buffer.concat([seeds[random(seeds.length)], seeds[random(seeds.length)]]);
  for (let changes = random(4); changes > 0; changes--) {
    bytes[random(bytes.length)] = random(2) === 0 ? random(256) : alphabet[random(alphabet.length)];
  }
  return bytes.subarray(0, bytes.length - random(3) * random(10));
}

/** The ends of all frames, as text; `cut` bytes come first, then the rest. */
function ends(input, frame, cut) {
  const found = [];
  let pos = 0;
  for (const end of [cut, input.length]) {
    while (pos < end) {
      const next = frame(pos, end);
      if (next === -1) break;
      if (next === -2) return `${found.join()} malformed`;
      if (next <= pos) throw new Error(`no progress at ${pos}`);
      found.push(next);
      pos = next;
    }
  }
  return found.join();
}

export async function create() {
  const load = (name) => import(path.join(root, 'dist', 'resp', `${name}.js`));
  const [{ readArguments, splitInline }, { readReply }, { frameReply }, request] = await Promise.all(
    ['arguments', 'read', 'reply', 'request'].map(load),
  );
  const { createRequestFrame, frameRequest, redisRequestLimits } = request;
  const before = process.memoryUsage().heapUsed;
  let inputs = 0;

  function checkRequests(input, cut) {
    const [one, two] = [createRequestFrame(), createRequestFrame()];
    const readToo = (pos, end) => {
      const next = frameRequest(input, pos, end, one, redisRequestLimits);
      if (next > 0 && one.count > 0) {
        const args = readArguments(input, pos, next);
        if (args.length !== one.count) throw new Error(`${args.length} arguments of ${one.count}`);
      } else if (next > 0 && one.count < 0) splitInline(input.subarray(pos, next - 1));
      return next;
    };
    const whole = ends(input, readToo, input.length);
    const pieces = ends(input, (pos, end) => frameRequest(input, pos, end, two, redisRequestLimits), cut);
    return whole === pieces ? undefined : `requests end at ${whole} whole, at ${pieces} cut at ${cut}`;
  }

  function checkReplies(input, cut) {
    const [one, two] = [
      { missing: 0, at: 0 },
      { missing: 0, at: 0 },
    ];
    const readToo = (pos, end) => {
      const next = frameReply(input, pos, end, one);
      if (next > 0) readLoosely(input, pos, next);
      return next;
    };
    const whole = ends(input, readToo, input.length);
    const pieces = ends(input, (pos, end) => frameReply(input, pos, end, two), cut);
    return whole === pieces ? undefined : `replies end at ${whole} whole, at ${pieces} cut at ${cut}`;
  }

  /** A big number that is none is a SyntaxError; nothing else may be thrown. */
  function readLoosely(input, start, end) {
    try {
      readReply(input, start, end);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }

  return {
    run(random) {
      for (let index = 0; index < inputsPerRun; index++) {
        const input = makeInput(random);
        const cut = random(input.length + 1);
        const complaint = checkRequests(input, cut) ?? checkReplies(input, cut);
        inputs++;
        if (complaint !== undefined) return `${complaint}: ${JSON.stringify(input.toString('latin1'))}`;
      }
      if (inputs % 100_000 === 0) {
        const grown = process.memoryUsage().heapUsed - before;
        if (grown > maxGrowth) return `memory grew by ${grown} bytes`;
      }
      return undefined;
    },
    summary: () => `${inputs} inputs`,
  };
}
