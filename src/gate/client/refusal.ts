import { Buffer } from 'node:buffer';
import { createRequestFrame, frameRequest, redisRequestLimits } from '../../resp/request.ts';
import type { Command } from '../commands/command-table.ts';
import type { Run } from '../upstream/run-ring.ts';

/** Why a server refused without executing; null for every other error, which is the client's to see. */
export type Refusal = 'readonly' | 'not-ready' | null;

const prefixes: [string, Refusal][] = [
  ['-READONLY ', 'readonly'],
  ['-UNBLOCKED force unblock ', 'readonly'],
  ['-NOREPLICAS ', 'not-ready'],
  ['-LOADING ', 'not-ready'],
  ['-MASTERDOWN ', 'not-ready'],
];

/** What runs somebody's own code, whose errors may begin with any word, after it has written. */
function runsCode({ name, behaviour }: Pick<Command, 'name' | 'behaviour'>): boolean {
  return behaviour.kind === 'foreign' || /^(eval|evalsha|fcall)(_ro)?$/.test(name);
}

/**
 * A server's own words, for code that it did not begin, or whose first write it refused: nothing was executed. Redis 7 and
 * Valkey name the script behind them. (`scriptPrepareForRun` and `scriptCall` in Redis's script.c.)
 */
const ownWords = new RegExp(
  "^-(READONLY (You can't write against a read only (replica|slave)|Can not run script with write flag on readonly replica)|" +
    'NOREPLICAS Not enough good (replicas|slaves) to write|LOADING \\w+ is loading the dataset in memory|' +
    "MASTERDOWN Link with (MASTER|PRIMARY) is down( and |, )replica-serve-stale-data is set to 'no'[^.]*)\\.?" +
    '( script: \\w+, on @\\w+:-?\\d+\\.)?\\r\\n$',
);

/** Why the server refused this request without executing it; null: it did not, or nobody can know. */
export function refusalFor(
  command: Pick<Command, 'name' | 'behaviour'>,
  buf: Buffer,
  start: number,
  end: number,
): Refusal {
  const refusal = refusalOf(buf, start, end);
  if (refusal === null || !runsCode(command)) return refusal;
  return ownWords.test(buf.toString('latin1', start, end)) ? refusal : null;
}

/** The same by its first words, which code of somebody's own may say too. */
export function refusalOf(buf: Buffer, start: number, end: number): Refusal {
  const head = buf.toString('latin1', start, Math.min(end, start + 32));
  for (const [prefix, refusal] of prefixes) if (head.startsWith(prefix)) return refusal;
  if (!head.startsWith('-EXECABORT ')) return null;
  const text = buf.toString('latin1', start, end);
  if (text.includes(' of: READONLY ')) return 'readonly';
  return text.includes(' of: NOREPLICAS ') ? 'not-ready' : null;
}

/** The bytes of the request in `run` whose reply comes next, copied. */
export function currentRequest(run: Run): Buffer {
  return requestsOf(run)[0] as Buffer;
}

/** The bytes of every request in `run` that is not answered, copied. */
export function requestsOf(run: Run): Buffer[] {
  const bytes = run.bytes as Buffer;
  const frame = createRequestFrame();
  const requests: Buffer[] = [];
  let pos = run.start;
  for (let index = 0; index < run.count; index++) {
    const end = frameRequest(bytes, pos, run.end, frame, redisRequestLimits);
    if (index >= run.count - run.left) requests.push(Buffer.from(bytes.subarray(pos, end)));
    pos = end;
  }
  return requests;
}
