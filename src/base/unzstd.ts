/**
 * Unpacks zstd by the program of that name where it is installed, which works beside us on another core, and by `zstd/`
 * where it is not. Node's own, where it has one, ends at the first frame and says nothing of the others.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { errorCode } from './errors.ts';
import { through } from './through.ts';
import { Frames } from './zstd/frames.ts';

/** Throws an Error that says what is wrong, also when the data ends too early. */
export async function* unzstd(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const program = await startZstd();
  yield* program === undefined ? unzstdHere(pieces) : unzstdBy(program, pieces);
}

type ZstdProgram = ChildProcessByStdio<Writable, Readable, Readable>;

/** Undefined where there is none that runs. */
async function startZstd(): Promise<ZstdProgram | undefined> {
  const child = spawn('zstd', ['-d', '-q', '-c', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    await once(child, 'spawn');
    return child;
  } catch {
    return undefined;
  }
}

async function* unzstdBy(child: ZstdProgram, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-500);
  });
  const ended = once(child, 'close').then(([status]) => {
    if (status !== 0)
      throw new Error(said.replace(/^zstd: \S+ ?: /, '').trim() || `zstd ended with status ${status}`);
  });
  ended.catch(() => {});
  try {
    yield* through(pieces, child.stdin, child.stdout);
    await ended;
  } catch (error) {
    // When it ended, what it said is the reason, and not the pipe that broke.
    if (errorCode(error) === 'EPIPE') await ended;
    throw error;
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

/** The same without another program. */
export async function* unzstdHere(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const frames = new Frames();
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      at += frames.take(piece.subarray(at));
      const ready = frames.ready();
      if (ready !== undefined) yield ready;
    }
  }
  frames.finish();
}
