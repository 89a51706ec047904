/** The process of one mirror, for the agent: task.ts has what is said. Data never passes through the agent. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { errorToJson } from '../base/error-wire.ts';
import { loadSecrets } from '../spec/secrets.ts';
import { QueuedSource } from '../stream/queue/queued-source.ts';
import { StreamQueue } from '../stream/queue/stream-queue.ts';
import { TargetWriter } from '../stream/target-writer.ts';
import { Mirror, type MirrorSides } from './mirror.ts';
import { askTarget, mirrorSides } from './sides.ts';
import type { MirrorLine, MirrorTask } from './task.ts';
import { untilAnswered } from './until-answered.ts';

const sayEveryMs = 500;

function say(line: MirrorLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function work(task: MirrorTask, signal: AbortSignal): Promise<void> {
  const { name, spec, secretFile, queueFolder: folder } = task;
  const mirror = spec.mirrors.find((each) => each.name === name);
  if (mirror === undefined) throw new TypeError(`the spec has no mirror ${name}`);
  const sides = await mirrorSides(spec, mirror, await loadSecrets(spec, secretFile));
  const queue = await StreamQueue.open({ folder, mostBytes: mirror.queueBytes });
  const source = new QueuedSource(sides.source, queue);
  const stop = new AbortController();
  // From the first moment on, whether the target answers or not.
  const filling = source.fill(stop.signal);
  let running: Mirror | undefined;
  const timer = setInterval(async () => {
    // Who can't be asked now is asked again in a moment; the lag then shows what was known.
    await running?.run.position().catch(() => {});
    say({
      progress: running?.progress() ?? null,
      copies: running?.run.stream.status.copies ?? 0,
      queue: { ...queue.status(), lostWhy: source.lostWhy },
    });
  }, sayEveryMs);
  try {
    if (task.isPaused) return await keepWhatComes(sides, source, signal);
    const at = await untilAnswered(() => askTarget(sides.target), signal);
    if (at === undefined) return;
    running = new Mirror(sides, source, at);
    await running.follow(task.isAnew, signal);
  } finally {
    clearInterval(timer);
    stop.abort(new Error('the mirror stops'));
    await filling;
  }
}

/** What follows the place where the target is waits until the mirror goes on. */
async function keepWhatComes(
  { target, id }: MirrorSides,
  source: QueuedSource,
  signal: AbortSignal,
): Promise<void> {
  await untilAnswered(async () => {
    const writer = await TargetWriter.open(target, id);
    try {
      const { position } = writer;
      if (position?.phase === 'streaming') await source.hold(position, signal);
    } finally {
      writer.close();
    }
  }, signal);
  if (!signal.aborted) await once(signal, 'abort');
}

const left = new AbortController();
const lines = createInterface({ input: process.stdin });
lines.on('close', () => left.abort(new Error('the agent is gone')));
// Ctrl-C on a terminal is meant for the agent, which tells us.
process.on('SIGINT', () => {});
lines.once('line', (line) => {
  work(JSON.parse(line) as MirrorTask, left.signal)
    .catch((error: unknown) => say({ error: errorToJson(error) }))
    .finally(() => process.exit(0));
});
