/**
 * What the log of a redis-server says of why it does not serve. Redis has no codes for it, only sentences, which are
 * alike in Redis 6.2 to 8.6 and Valkey 8 and 9 (aof.c, rdb.c, server.c).
 */
import { parseLogLine } from '../base/log-line.ts';

/** Its AOF, or its RDB, can't be loaded as it is. */
const damage = [
  /Bad file format reading the append only file/,
  /Unexpected end of file reading the append only file/,
  /Unrecoverable error reading the append only file/,
  /Error reading the RDB preamble of the AOF file/,
  /Unknown command '.*' reading the append only file/,
  /FATAL AOF MANIFEST FILE ERROR/,
  /The append log file .* doesn't exist/,
  /The AOF manifest file .* doesn't exist/,
  /Wrong RDB checksum expected/,
  /Wrong signature trying to load DB from file/,
  /Unexpected EOF reading RDB file/,
  /Short read or OOM loading DB/,
  /Internal error in RDB reading/,
  /Terminating server after rdb file reading failure/,
];

/** A file takes less than all of it only when there is no room for more (readSyncBulkPayload in replication.c). */
const noRoom = /No space left on device|Disk quota exceeded|: short write$/;
/** Its files are loaded by then: what it can't load afterwards, another server or a restore gave it (server.c, main). */
const ready = /Ready to accept connections/;
const started = /oO0OoO0OoO0Oo \S+ is starting/;
/** Said before the log is opened, and so before that one. */
const refused = /FATAL CONFIG FILE ERROR/;
/** `>>> 'loglevel shout'` */
const quoted = /^>>> '(.*)'$/;
/** `1234:M 26 Nov 2026 17:07:45.123 # ` */
const prefix = /^\d+:[A-Z] \d+ \w+ \d+ [\d:.]+ \S /;

/** The first line that says that its files are damaged, since it was started last; null when none does, or it had loaded them. */
export function damageIn(log: readonly string[]): string | null {
  const lines = sinceStart(log);
  if (lines.some((line) => ready.test(line))) return null;
  return sentence(lines.find((line) => damage.some((each) => each.test(line))));
}

/**
 * The directive for which it did not start, as it was written, and what is wrong with it; undefined when it was none. It
 * is said on stderr before the log is opened (config.c, loadServerConfigFromString).
 */
export function refusedDirective(log: readonly string[]): { directive: string; reason: string } | undefined {
  const at = log.findLastIndex((line) => quoted.test(line));
  const directive = quoted.exec(log[at] ?? '')?.[1];
  return directive === undefined
    ? undefined
    : { directive, reason: log[at + 1]?.trim() || 'it is not taken' };
}

/** Whether it did not start the last time, because of something in its configuration file. */
export function refusesConfig(log: readonly string[]): boolean {
  return log.findLastIndex((line) => refused.test(line)) > log.findLastIndex((line) => started.test(line));
}

/**
 * The last line that says that its disk is full, since it was started last; null when none does.
 * @param sinceMs an earlier one does not count, in ms since 1970
 */
export function noRoomIn(log: readonly string[], sinceMs = 0): string | null {
  const isNew = (line: string) => (parseLogLine(line)?.atMs ?? sinceMs) >= sinceMs;
  return sentence(sinceStart(log).findLast((line) => noRoom.test(line) && isNew(line)));
}

function sinceStart(log: readonly string[]): readonly string[] {
  const begin = log.findLastIndex((line) => started.test(line));
  return begin < 0 ? log : log.slice(begin);
}

function sentence(line: string | undefined): string | null {
  return line === undefined ? null : line.replace(prefix, '').trim();
}
