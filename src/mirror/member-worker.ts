/** The process of one member's stream, for the agent: member-task.ts has what is said. Data never passes through the agent. */
import { createInterface } from 'node:readline';
import { errorToJson } from '../base/error-wire.ts';
import { loadSecrets } from '../spec/secrets.ts';
import { keepComparing, type Repaired } from './keep-comparing.ts';
import { keepDiverged } from './keep-diverged.ts';
import { memberSides, memberStream } from './member-stream.ts';
import type { MemberLine, MemberTask } from './member-task.ts';
import { untilAnswered } from './until-answered.ts';

const sayEveryMs = 500;
const lookEveryMs = 50;

const stopped = new AbortController();
let isLeft = false;
let hasStream = false;

function say(line: MemberLine): void {
  if (!isLeft) process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function work({ spec, secretFile, divergedFolder, ...task }: MemberTask): Promise<void> {
  const { signal } = stopped;
  const secrets = await loadSecrets(spec, secretFile);
  const sides = await memberSides(spec, secrets, task);
  const beforeEmptied = async () => {
    if (spec.mirror?.onSplit !== 'serve') return;
    const diverged = await keepDiverged({ spec, secrets, ids: task }, divergedFolder, new Date());
    if (diverged !== null) say({ diverged });
  };
  const stream = await untilAnswered(() => memberStream(sides, beforeEmptied), signal);
  if (stream === undefined) return;
  hasStream = true;
  let toldMs = 0;
  let told = '';
  const timer = setInterval(() => {
    const { phase, copies, bytes, totalBytes, problem } = stream.status;
    if (isLeft && phase === 'waiting') stopped.abort(new Error('the agent is gone'));
    if (`${phase} ${copies}` === told && performance.now() - toldMs < sayEveryMs) return;
    told = `${phase} ${copies}`;
    toldMs = performance.now();
    say({ phase, copies, bytes, totalBytes: totalBytes ?? null, problem });
  }, lookEveryMs);
  if (spec.mirror?.read === 'quorum') {
    const isFollowing = () => !isLeft && stream.status.phase === 'following';
    const onRepaired = (repaired: Repaired) => say({ repaired });
    void keepComparing({ spec, secrets, ids: task }, signal, { isFollowing, onRepaired });
  }
  try {
    await stream.run(signal);
  } finally {
    clearInterval(timer);
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('close', () => {
  isLeft = true;
  // Nobody waits for what has not begun: the next agent begins its own.
  if (!hasStream) stopped.abort(new Error('the agent is gone'));
});
process.stdout.on('error', () => {});
// Ctrl-C on a terminal is meant for the agent.
process.on('SIGINT', () => {});
lines.once('line', (line) => {
  work(JSON.parse(line) as MemberTask)
    .catch((error: unknown) => say({ error: errorToJson(error) }))
    .finally(() => process.exit(0));
});
