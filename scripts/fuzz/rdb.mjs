// RDB files, changed at random: whatever reads them must end with a result or with an error that names the place,
// soon, and in bounded memory.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../setup.mjs';

const maxMs = 2000;
const maxBytes = 400 * 2 ** 20;
const maxBase = 8000;

export async function create() {
  const load = (name) => import(path.join(root, 'dist', 'rdb', `${name}.js`));
  const [
    { Scanner },
    { problemOf },
    { bodyMode },
    { ByteSink },
    { RdbWriter },
    { filterInto },
    { JsonWriter },
    { RespWriter },
  ] = await Promise.all(
    ['scanner', 'errors', 'body/mode', 'byte-sink', 'writer', 'filter', 'json', 'resp'].map(load),
  );
  const { Crc64 } = await load('crc64');
  const { targetOfServer } = await load('target');
  const { MemoryEstimator } = await load('memory');
  const { unzstdHere } = await import(path.join(root, 'dist', 'base', 'unzstd.js'));
  const { boundedUnpacked } = await import(path.join(root, 'dist', 'backup', 'unpack-limit.js'));
  const targets = ['redis-2.8', 'redis-5.0', 'redis-7.0', 'redis-7.4', 'valkey-9'].map(targetOfServer);
  const bases = fixtures();
  const counts = { good: 0, bad: 0, packed: 0 };
  const always = () => true;

  async function* unpacked(pieces) {
    try {
      yield* boundedUnpacked(unzstdHere(pieces), 1, 'zstd', 'it');
    } catch (error) {
      throw new PackedBadly(error.message);
    }
  }

  const handlers = [
    () => ({ key: () => ({ mode: bodyMode.skip, raw: undefined }) }),
    () => ({ key: () => ({ mode: bodyMode.check, raw: 'entry' }), raw: () => {} }),
    (sink) => new JsonWriter(sink, { lines: true, test: always }),
    (sink) => new RespWriter(sink, { replace: true, test: always, onUnloadable: () => {} }),
    () => new MemoryEstimator(always, () => {}),
    (sink, random) => {
      const target = targets[random(targets.length)];
      const writer = new RdbWriter(sink, target.flavor, target.version);
      return filterInto(writer, { test: always, target, inputAux: {}, nowMs: 0, onUnloadable: () => {} });
    },
  ];

  return {
    summary: () =>
      `${counts.good} were read, ${counts.bad} told to be bad, ${counts.packed} told to be packed badly`,
    run: async (random) => {
      const base = random(3) === 0 ? made(random, bases) : bases[random(bases.length)];
      const rdb = change(base, random, bases, Crc64);
      const isPacked = random(5) === 0;
      const bytes = isPacked ? packed(rdb, random) : rdb;
      const sink = new ByteSink(async () => {});
      const scanner = new Scanner(handlers[random(handlers.length)](sink, random));
      const size = [bytes.length, 1 + random(64), 1024][random(3)] || 1;
      const pieces = inPieces(bytes, size);
      const started = performance.now();
      try {
        for await (const piece of isPacked ? unpacked(pieces) : pieces) {
          scanner.push(piece);
          await sink.drain();
        }
        scanner.finish();
        counts.good++;
      } catch (error) {
        const problem = problemOf(error);
        if (error instanceof PackedBadly) counts.packed++;
        else if (problem === undefined) return `${error.stack}\n${bytes.toString('base64')}`;
        else if (!(problem.offset >= 0)) return `no place: ${error.message}\n${bytes.toString('base64')}`;
        else counts.bad++;
      }
      await sink.flush();
      const ms = performance.now() - started;
      if (ms > maxMs) return `it took ${ms.toFixed(0)} ms\n${bytes.toString('base64')}`;
      const { rss } = process.memoryUsage();
      if (rss > maxBytes) return `${rss} bytes of memory are taken\n${bytes.toString('base64')}`;
      return undefined;
    },
  };
}

function fixtures() {
  const folder = path.join(root, 'test', 'fixtures', 'rdb');
  return ['hdt3213-cases', 'redis-assets', 'engines', 'broken'].flatMap((each) =>
    readdirSync(path.join(folder, each))
      .filter((file) => file.endsWith('.rdb'))
      .map((file) => readFileSync(path.join(folder, each, file)))
      .filter((bytes) => bytes.length <= maxBase),
  );
}

/** Of the wrapping, not of the file. */
class PackedBadly extends Error {}

async function* inPieces(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A file of one to three keys of any type that there is, or is not, whose bodies are pieces of other files. */
function made(random, bases) {
  const version = random(6) === 0 ? 'VALKEY080' : `REDIS00${String(1 + random(15)).padStart(2, '0')}`;
  const parts = [Buffer.from(version)];
  for (let keys = 1 + random(3); keys > 0; keys--) {
    const other = bases[random(bases.length)];
    const from = random(other.length);
    parts.push(Buffer.from([random(31), 1, 107]), other.subarray(from, from + random(120)));
  }
  return Buffer.concat([...parts, Buffer.from([0xff]), Buffer.alloc(8)]);
}

/** Frames of zstd around these bytes, some with lengths that are not true. */
function packed(bytes, random) {
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    if (random(8) === 0)
      parts.push(Buffer.from([0x50 + random(16), 0x2a, 0x4d, 0x18]), lengthOf(4, random(3), random));
    const size = 1 + random(bytes.length - at);
    const sizeCode = random(4);
    const isSingle = random(2) === 0;
    const sizeBytes = sizeCode > 0 ? 1 << sizeCode : isSingle ? 1 : 0;
    const hasChecksum = random(6) === 0;
    parts.push(
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, (sizeCode << 6) | (isSingle ? 0x20 : 0) | (hasChecksum ? 4 : 0)]),
      ...(isSingle ? [] : [Buffer.from([random(20) === 0 ? random(256) : random(0x50)])]),
      lengthOf(sizeBytes, sizeBytes === 2 ? size - 256 : size, random),
    );
    const kind = random(6) === 0 ? 1 + random(3) : 0;
    const head = Buffer.alloc(3);
    head.writeUIntLE((((random(12) === 0 ? random(2 ** 21) : size) << 3) | (kind << 1) | 1) >>> 0, 0, 3);
    parts.push(head, kind === 1 ? Buffer.from([random(256)]) : bytes.subarray(at, at + size));
    if (hasChecksum) parts.push(Buffer.alloc(4, random(256)));
    at += size;
  }
  return Buffer.concat(parts);
}

/** A length in so many bytes, lowest first; one time in twelve it is anything. */
function lengthOf(bytes, value, random) {
  const out = Buffer.alloc(bytes);
  const isTrue = random(12) > 0;
  for (let at = 0; at < bytes; at++) out[at] = isTrue ? Math.floor(value / 256 ** at) & 255 : random(256);
  return out;
}

const interesting = [
  0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf3, 0xf5, 0xf7, 0xfa, 0xfc, 0xfe, 0xff,
];

function change(base, random, bases, Crc64) {
  let bytes = Buffer.from(base);
  for (let times = 1 + random(1 + random(6)); times > 0; times--) {
    const at = random(bytes.length + 1);
    const length = random(24);
    const way = random(8);
    if (way === 0 && at < bytes.length) bytes[at] ^= 1 << random(8);
    else if (way === 1 && at < bytes.length) bytes[at] = random(256);
    else if (way === 2 && at < bytes.length) bytes[at] = interesting[random(interesting.length)];
    else if (way === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (way === 4)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    else if (way === 5) bytes = bytes.subarray(0, at);
    else if (way === 6) bytes = spliced(bytes, at, random, bases);
    else bytes = Buffer.concat([bytes.subarray(0, at), hugeLength(random), bytes.subarray(at)]);
    bytes = Buffer.from(bytes);
  }
  // Half of them get a checksum that is right, so that nothing but their structure can give them away.
  const end = bytes.lastIndexOf(0xff);
  if (random(2) === 0 && end > 9) {
    const crc = new Crc64();
    crc.update(bytes, 0, end + 1);
    bytes = Buffer.concat([bytes.subarray(0, end + 1), Buffer.alloc(8)]);
    crc.writeTo(bytes, end + 1);
  }
  return bytes;
}

function spliced(bytes, at, random, bases) {
  const other = bases[random(bases.length)];
  const from = random(other.length);
  return Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + random(200)), bytes.subarray(at)]);
}

function hugeLength(random) {
  if (random(2) === 0) return Buffer.from([0x80, random(256), random(256), random(256), random(256)]);
  return Buffer.from([0x81, ...Array.from({ length: 8 }, () => random(256))]);
}
