import { Buffer } from 'node:buffer';
import { ReplyError } from '../../resp/read.ts';
import { createRequestFrame, frameRequest, redisRequestLimits } from '../../resp/request.ts';
import type { Command } from '../commands/command-table.ts';
import type { Run } from '../upstream/run.ts';

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

const readOnly = "READONLY You can't write against a read only (?:replica|slave)";
const noReplicas = 'NOREPLICAS Not enough good (?:replicas|slaves) to write';

/**
 * A server's own words, for code that it did not begin, or whose first write it refused: nothing was executed. Redis 7 and
 * Valkey 8 name the script behind them, Valkey 9 its line. (`scriptPrepareForRun` and `scriptVerifyWriteCommandAllow` in
 * Redis's script.c; once a script has written, neither refuses it anything.)
 */
const ownWords = new RegExp(
  `^-(${readOnly}|READONLY Can not run script with write flag on readonly replica|${noReplicas}|` +
    'LOADING \\w+ is loading the dataset in memory|' +
    "MASTERDOWN Link with (MASTER|PRIMARY) is down( and |, )replica-serve-stale-data is set to 'no'[^.]*)\\.?" +
    '( script: (\\w+, )?on @\\w+:-?\\d+\\.)?\\r\\n$',
);

/**
 * The same of a Redis before 7, which says first where the script was: `redis.pcall` once, and `redis.call`, which ends the
 * script, once more and behind words of its own. (`luaPushError` and `evalGenericCommand` in scripting.c of 6.2.)
 */
const olderWords = new RegExp(
  '^-(?:ERR Error running script \\(call to f_[0-9a-f]{40}\\): @user_script:\\d+: )?' +
    `(?:@user_script|=\\[C\\]): -?\\d+: -(?:(${readOnly})|${noReplicas})\\. *\\r\\n$`,
);
const olderHeads = ['-ERR Error running script (call to f_', '-@user_script: ', '-=[C]: '];

/**
 * A server is a replica for the whole of a script, so READONLY says that nothing of it was written. But a Redis before 7 counts
 * its replicas at each write of a script. It loses one in the middle of it only once the script has run for
 * `lua-time-limit`, until which it looks at no connection. That is 600 ms at least where holdfast writes it, and 5 s usually.
 */
const undisturbedMs = 500;

/**
 * Why the server refused this request without executing it; null: it did not, or nobody can know.
 *
 * @param ranMs how long it may have run, at most
 */
export function refusalFor(
  command: Pick<Command, 'name' | 'behaviour'>,
  buf: Buffer,
  start: number,
  end: number,
  ranMs = Number.POSITIVE_INFINITY,
): Refusal {
  const refusal = refusalOf(buf, start, end);
  if (refusal === null) return null;
  const text = buf.toString('latin1', start, end);
  const older = olderWords.test(text);
  if (!runsCode(command)) return older ? null : refusal;
  if (older) return refusal === 'readonly' || ranMs < undisturbedMs ? refusal : null;
  return ownWords.test(text) ? refusal : null;
}

/**
 * Why a server executed nothing of a transaction though it answered EXEC with a list: a script is no write to it, so it is
 * queued, and refused when it is executed. That the server is a replica holds for the whole of EXEC, unless something in it
 * changed that; of other refusals everything must have one. Null: something may have been executed.
 *
 * @param replies those to `commands`, in their order
 */
export function refusalWithin(
  commands: readonly Pick<Command, 'name' | 'behaviour' | 'read' | 'write'>[],
  replies: readonly unknown[],
  ranMs: number,
): Refusal {
  const ordinary = commands.every(
    (command) => command.behaviour.kind === 'plain' && (command.read || command.write || runsCode(command)),
  );
  if (!ordinary || replies.length !== commands.length) return null;
  const refusals = commands.map((command, index) => {
    const reply = replies[index];
    if (!(reply instanceof ReplyError)) return null;
    const said = Buffer.from(`-${reply.text}\r\n`, 'latin1');
    return refusalFor(command, said, 0, said.length, ranMs);
  });
  if (refusals.includes('readonly')) return 'readonly';
  const isStale = (reply: unknown) => reply instanceof ReplyError && reply.kind === 'MASTERDOWN';
  if (replies.some((reply, index) => refusals[index] !== null && isStale(reply))) return 'not-ready';
  const all = commands.every(({ read }, index) => read || refusals[index] === 'not-ready');
  return all && refusals.includes('not-ready') ? 'not-ready' : null;
}

/** The same by its first words, which code of somebody's own may say too. */
export function refusalOf(buf: Buffer, start: number, end: number): Refusal {
  const head = buf.toString('latin1', start, Math.min(end, start + 40));
  for (const [prefix, refusal] of prefixes) if (head.startsWith(prefix)) return refusal;
  if (olderHeads.some((words) => head.startsWith(words))) {
    const found = olderWords.exec(buf.toString('latin1', start, end));
    if (found === null) return null;
    return found[1] === undefined ? 'not-ready' : 'readonly';
  }
  if (!head.startsWith('-EXECABORT ')) return null;
  const text = buf.toString('latin1', start, end);
  if (text.includes(' of: READONLY ')) return 'readonly';
  return text.includes(' of: NOREPLICAS ') ? 'not-ready' : null;
}

/** Whether its server says that somebody unknown asks, or a user without the right. */
export function forbids(buf: Buffer, start: number, end: number): boolean {
  return /^-(NOAUTH|NOPERM) /.test(buf.toString('latin1', start, Math.min(end, start + 8)));
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
