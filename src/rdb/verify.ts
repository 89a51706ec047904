import { bodyMode } from './body/mode.ts';
import { DataDigest } from './data-digest.ts';
import type { RdbProblem } from './errors.ts';
import type { Flavor } from './format.ts';
import type { BodyWish, ScanHandler } from './scan-handler.ts';
import type { ScanState } from './scan-state.ts';
import { Scanner } from './scanner.ts';

export interface DatabaseCount {
  db: number;
  keys: number;
  /** How many of them have an expiry. */
  expiring: number;
}

/** What was found in a file that was read to its end. */
export interface VerifyReport {
  flavor: Flavor;
  version: number;
  /** The fields at the head of the file: redis-ver, ctime, repl-id and others, as text. */
  aux: Record<string, string>;
  keys: number;
  databases: DatabaseCount[];
  functions: number;
  /** Bytes of the RDB, with its checksum. */
  bytes: number;
  /** `absent`: the file was written with rdbchecksum no, or is older than version 5. */
  checksum: 'matches' | 'absent';
  /** What is wrong, though it could be read on; at most a hundred. */
  problems: RdbProblem[];
  /** All of them, listed or not. */
  problemCount: number;
  /** Of what it holds, when that was wished: see DataDigest. */
  dataDigest?: string;
}

export interface VerifyOptions {
  /** Sums up what the keys hold as well. It takes about twice as long, and holds the longest value in memory. */
  digest?: boolean;
  /** Keys that have expired by then, in ms since 1970, are not counted and not summed up: a server drops them. */
  aliveAtMs?: number;
}

const maxProblems = 100;
const checkWish: BodyWish = { mode: bodyMode.check, raw: undefined };

/**
 * Verifies an RDB that flows past: structure, encodings, checksum and counts. Give it each piece with `push`, then
 * use the piece for whatever it was meant for; memory does not grow with the file.
 *
 * It does not look for the same key twice, nor for the same member twice in one value: that takes memory for all.
 */
export class RdbVerifier {
  /** For those who have a source to pump through it. */
  readonly scanner: Scanner;
  private readonly aux: Record<string, string> = {};
  private readonly counts = new Map<number, DatabaseCount>();
  private readonly problems: RdbProblem[] = [];
  private problemCount = 0;
  private functions = 0;
  private readonly digest: DataDigest | undefined;
  private readonly aliveAtMs: number;

  constructor(options: VerifyOptions = {}) {
    this.digest = options.digest ? new DataDigest() : undefined;
    this.aliveAtMs = options.aliveAtMs ?? Number.NEGATIVE_INFINITY;
    this.scanner = new Scanner(this.handler());
  }

  /** True once the end of the RDB has been read. Bytes after it are not touched. */
  get isDone(): boolean {
    return this.scanner.isDone;
  }

  get bytes(): number {
    return this.scanner.offset;
  }

  get keys(): number {
    let keys = 0;
    for (const count of this.counts.values()) keys += count.keys;
    return keys;
  }

  /** Takes the next piece; returns how many of its bytes belong to the RDB. @throws RDB_CORRUPT and others. */
  push(chunk: Buffer): number {
    return this.scanner.push(chunk);
  }

  /** @throws RDB_TRUNCATED unless the RDB has come to its end. */
  finish(): VerifyReport {
    this.scanner.finish();
    return {
      ...this.scanner.header,
      aux: this.aux,
      keys: this.keys,
      databases: [...this.counts.values()].sort((a, b) => a.db - b.db),
      functions: this.functions,
      bytes: this.bytes,
      checksum: this.scanner.checksum === 'matches' ? 'matches' : 'absent',
      problems: this.problems,
      problemCount: this.problemCount,
      ...(this.digest === undefined ? {} : { dataDigest: `${this.digest}` }),
    };
  }

  private handler(): ScanHandler {
    const { digest } = this;
    let count: DatabaseCount | undefined;
    let isSummed = false;
    return {
      aux: (name, value) => {
        this.aux[name.toString()] = value.toString();
      },
      functionLibrary: (code) => {
        this.functions++;
        digest?.functionLibrary(code);
      },
      moduleAux: () => {
        isSummed = false;
        return checkWish;
      },
      key: (scanner) => {
        isSummed = false;
        if (scanner.expireMs !== -1 && scanner.expireMs <= this.aliveAtMs) return checkWish;
        if (count?.db !== scanner.db) count = this.countOf(scanner.db);
        count.keys++;
        if (scanner.expireMs !== -1) count.expiring++;
        if (digest === undefined) return checkWish;
        isSummed = true;
        return digest.key(scanner);
      },
      end: (scanner) => {
        if (scanner.isEmpty) this.addEmpty(scanner);
        if (isSummed) digest!.end(scanner);
      },
    };
  }

  private countOf(db: number): DatabaseCount {
    const count = this.counts.get(db) ?? { db, keys: 0, expiring: 0 };
    this.counts.set(db, count);
    return count;
  }

  private addEmpty(scanner: ScanState): void {
    this.problemCount++;
    if (this.problems.length >= maxProblems) return;
    this.problems.push({
      kind: 'empty',
      offset: scanner.entryOffset,
      reason: 'the value has no elements; a server drops this key when it loads the file',
      db: scanner.db,
      key: scanner.copyKey(),
    });
  }
}
