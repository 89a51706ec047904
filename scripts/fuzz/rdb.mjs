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
  const targets = ['redis-2.8', 'redis-5.0', 'redis-7.0', 'redis-7.4', 'valkey-9'].map(targetOfServer);
  const bases = fixtures();
  const counts = { good: 0, bad: 0 };
  const always = () => true;

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
    summary: () => `${counts.good} were read, ${counts.bad} told to be bad`,
    run: async (random) => {
      const bytes = change(bases[random(bases.length)], random, bases, Crc64);
      const sink = new ByteSink(async () => {});
      const scanner = new Scanner(handlers[random(handlers.length)](sink, random));
      const size = [bytes.length, 1 + random(64), 1024][random(3)] || 1;
      const started = performance.now();
      try {
        for (let at = 0; at < bytes.length; at += size) {
          scanner.push(bytes.subarray(at, at + size));
          await sink.drain();
        }
        scanner.finish();
        counts.good++;
      } catch (error) {
        const problem = problemOf(error);
        if (problem === undefined) return `${error.stack}\n${bytes.toString('base64')}`;
        if (!(problem.offset >= 0)) return `no place: ${error.message}\n${bytes.toString('base64')}`;
        counts.bad++;
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
  return ['hdt3213-cases', 'redis-assets'].flatMap((each) =>
    readdirSync(path.join(folder, each))
      .filter((file) => file.endsWith('.rdb'))
      .map((file) => readFileSync(path.join(folder, each, file)))
      .filter((bytes) => bytes.length <= maxBase),
  );
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
