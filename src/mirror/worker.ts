/** The process of one mirror, for the agent: task.ts has what is said. Data never passes through the agent. */
import { createInterface } from 'node:readline';
import { errorToJson } from '../base/error-wire.ts';
import { loadSecrets } from '../spec/secrets.ts';
import { Mirror } from './mirror.ts';
import { askTarget, mirrorSides } from './sides.ts';
import type { MirrorLine, MirrorTask } from './task.ts';
import { untilAnswered } from './until-answered.ts';

const sayEveryMs = 500;

function say(line: MirrorLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function work({ name, spec, secretFile, isAnew }: MirrorTask, signal: AbortSignal): Promise<void> {
  const mirror = spec.mirrors.find((each) => each.name === name);
  if (mirror === undefined) throw new TypeError(`the spec has no mirror ${name}`);
  const sides = await mirrorSides(spec, mirror, await loadSecrets(spec, secretFile));
  const at = await untilAnswered(() => askTarget(sides.target), signal);
  if (at === undefined) return;
  const running = new Mirror(sides, at);
  const timer = setInterval(async () => {
    // Who can't be asked now is asked again in a moment; the lag then shows what was known.
    await running.run.position().catch(() => {});
    say({ progress: running.run.progress(), copies: running.run.stream.status.copies });
  }, sayEveryMs);
  try {
    await running.follow(isAnew, signal);
  } finally {
    clearInterval(timer);
  }
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
