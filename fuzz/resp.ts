/**
 * Feeds random and mutated bytes to the framing of requests and replies: no crash, no hang, and the same ends whether
 * the bytes come whole or in pieces. `npm run fuzz:resp [-- COUNT [SEED]]`; a million inputs unless told otherwise.
 */
import { readArguments, splitInline } from '../src/resp/arguments.ts';
import { readReply } from '../src/resp/read.ts';
import { frameReply } from '../src/resp/reply.ts';
import { createRequestFrame, frameRequest, redisRequestLimits } from '../src/resp/request.ts';

const count = Number(process.argv[2] ?? 1_000_000);
let state = Number(process.argv[3] ?? Date.now() % 2 ** 31) | 0;
const seed = state;

/** A small generator (mulberry32), so that a seed gives the same inputs again. */
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
}

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

function makeInput(): Buffer {
  if (random(5) === 0) return Buffer.from(Array.from({ length: random(80) }, () => random(256)));
  if (random(4) === 0) {
    return Buffer.from(Array.from({ length: random(60) }, () => alphabet[random(alphabet.length)] as number));
  }
  const bytes = Buffer.concat([seeds[random(seeds.length)] as Buffer, seeds[random(seeds.length)] as Buffer]);
  for (let changes = random(4); changes > 0; changes--) {
    const at = random(bytes.length);
    bytes[at] = random(2) === 0 ? random(256) : (alphabet[random(alphabet.length)] as number);
  }
  return bytes.subarray(0, bytes.length - random(3) * random(10));
}

/** Ends of all frames, with what stopped it. `cut` bytes come first, then the rest. */
function ends(input: Buffer, frame: (pos: number, end: number) => number, cut: number): string {
  const found: number[] = [];
  let pos = 0;
  for (const end of cut < input.length ? [cut, input.length] : [input.length]) {
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

function checkRequests(input: Buffer): void {
  const one = createRequestFrame();
  const two = createRequestFrame();
  const whole = ends(
    input,
    (pos, end) => {
      const next = frameRequest(input, pos, end, one, redisRequestLimits);
      if (next > 0 && one.count > 0) {
        const args = readArguments(input, pos, next);
        if (args.length !== one.count) throw new Error(`${args.length} arguments of ${one.count}`);
      } else if (next > 0 && one.count < 0) splitInline(input.subarray(pos, next - 1));
      return next;
    },
    input.length,
  );
  const cut = ends(
    input,
    (pos, end) => frameRequest(input, pos, end, two, redisRequestLimits),
    random(input.length + 1),
  );
  if (whole !== cut) throw new Error(`requests: whole ${whole}, cut ${cut}`);
}

function checkReplies(input: Buffer): void {
  const one = { missing: 0, at: 0 };
  const two = { missing: 0, at: 0 };
  const whole = ends(
    input,
    (pos, end) => {
      const next = frameReply(input, pos, end, one);
      if (next > 0) readReplyLoosely(input, pos, next);
      return next;
    },
    input.length,
  );
  const cut = ends(input, (pos, end) => frameReply(input, pos, end, two), random(input.length + 1));
  if (whole !== cut) throw new Error(`replies: whole ${whole}, cut ${cut}`);
}

/** A big number or a length that is not one is a syntax error; nothing else may be thrown. */
function readReplyLoosely(input: Buffer, start: number, end: number): void {
  try {
    readReply(input, start, end);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

const before = process.memoryUsage().heapUsed;
const started = performance.now();
for (let index = 0; index < count; index++) {
  const input = makeInput();
  try {
    checkRequests(input);
    checkReplies(input);
  } catch (error) {
    console.error(`seed ${seed}, input ${index}: ${JSON.stringify(input.toString('latin1'))}`);
    throw error;
  }
}
globalThis.gc?.();
const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20;
const seconds = (performance.now() - started) / 1000;
console.log(
  `resp: ${count} inputs, seed ${seed}, ${seconds.toFixed(1)} s, heap ${grown.toFixed(1)} MiB more: no failure`,
);
if (grown > 64) throw new Error('memory grew');
