/**
 * One mirror of requests: copies of what clients ask, to see how another server would do under the same load. Nobody waits
 * for it. What it can't take at once waits up to `queueBytes`; beyond that copies are dropped, and while it can't be reached all
 * of them are. Each is sent once: one that was under way when the connection ended counts as failed. What the clients' own server
 * would not execute is not sent: here everybody is the mirror's one user.
 *
 * A copy is executed as the mirror's server does: what is random, or depends on what is there, may come out otherwise. Who
 * wants the same data takes a mirror of the stream.
 */
import { Buffer } from 'node:buffer';
import { errorText } from '../../base/errors.ts';
import { ReplyError } from '../../resp/read.ts';
import { createRequestFrame, frameRequest, redisRequestLimits, resetFrame } from '../../resp/request.ts';
import type { CommandTable } from '../commands/command-table.ts';
import type { RequestMirror as Config } from '../config.ts';
import type { RequestMirrorStatus } from '../control/control-api.ts';
import { ErrorKinds } from '../control/error-kinds.ts';
import { LatencyHistogram } from '../control/latency.ts';
import { openLink } from '../upstream/open-link.ts';
import type { Run } from '../upstream/run.ts';
import { choiceOf, type IsCopied } from './choice.ts';
import { CopyLink } from './copy-link.ts';

/** More databases at a time are somebody's mistake; each is a connection. */
const mostLinks = 64;
const againMs = 1000;
const connectMs = 2000;
/** What a request costs beside its bytes: its reply is waited for. */
const bytesOfARequest = 64;
/** Of an error's first word, as of the errors that clients get. */
const longestKind = 32;

export class RequestMirror {
  readonly #config: Config;
  readonly #table: CommandTable;
  readonly #log: (text: string) => void;
  readonly #isCopied: IsCopied;
  readonly #frame = createRequestFrame();
  readonly #links = new Map<number, CopyLink>();
  readonly #errors = new ErrorKinds();
  readonly #reads = new LatencyHistogram();
  readonly #writes = new LatencyHistogram();
  #queuedBytes = 0;
  #copied = 0;
  #dropped = 0;
  #failed = 0;
  #reason: string | null = null;
  #againAtMs = 0;
  #stopped = false;

  constructor(config: Config, table: CommandTable, log: (text: string) => void) {
    this.#config = config;
    this.#table = table;
    this.#log = log;
    this.#isCopied = choiceOf(config);
  }

  /** Whole requests, of somebody who is at this database. Their memory is another's after that. */
  take(database: number, { bytes: buf, start, end, unexecuted }: Run): void {
    if (buf === null) return;
    let index = 0;
    let from = -1;
    let requests = 0;
    let writes = false;
    for (let pos = start; pos < end; ) {
      const next = frameRequest(buf, pos, end, this.#frame, redisRequestLimits);
      if (next < 0) {
        resetFrame(this.#frame);
        break;
      }
      const command = this.#table.commandOf(buf, this.#frame);
      const found = unexecuted?.has(index++) ? 'no' : this.#isCopied(command, buf, pos, next);
      if (found === 'yes') {
        if (from < 0) from = pos;
        requests++;
        writes ||= !command.read;
      } else {
        if (found === 'unknown') this.#dropped++;
        if (from >= 0) this.#queue(database, buf.subarray(from, pos), requests, writes);
        from = -1;
        requests = 0;
        writes = false;
      }
      pos = next;
    }
    if (from >= 0) this.#queue(database, buf.subarray(from, end), requests, writes);
  }

  /** So many were not kept. */
  skip(requests: number): void {
    this.#dropped += requests;
  }

  get status(): RequestMirrorStatus {
    return {
      state: this.#reason === null ? 'open' : 'waiting',
      reason: this.#reason,
      copied: this.#copied,
      dropped: this.#dropped,
      failed: this.#failed,
      queuedBytes: this.#queuedBytes,
      errors: this.#errors.read(),
      latency: { read: this.#reads.read(), write: this.#writes.read() },
    };
  }

  stop(): void {
    this.#stopped = true;
    for (const link of this.#links.values()) link.close();
  }

  #queue(database: number, requests: Buffer, count: number, writes: boolean): void {
    const bytes = requests.length + count * bytesOfARequest;
    const link = this.#queuedBytes + bytes > this.#config.queueBytes ? null : this.#linkTo(database);
    if (link === null) {
      this.#dropped += count;
      return;
    }
    this.#queuedBytes += bytes;
    this.#copied += count;
    link.push(Buffer.from(requests), count, writes);
  }

  #linkTo(database: number): CopyLink | null {
    const open = this.#links.get(database);
    if (open !== undefined && !open.closed) return open;
    if (this.#stopped || performance.now() < this.#againAtMs) return null;
    if (open === undefined && this.#links.size >= mostLinks) return null;
    const { id, credentials, tls } = this.#config;
    const link = openLink(this.#config, { credentials, tls }, { timeoutMs: connectMs });
    link.ready.then(
      () => this.#say(null),
      (error: unknown) => this.#say(errorText(error)),
    );
    const copies = new CopyLink(link, `${clientName}${id}`, database, {
      onAnswered: ({ requests, bytes, writes }, replies, ms) => {
        this.#queuedBytes -= bytes + requests * bytesOfARequest;
        (writes ? this.#writes : this.#reads).record(ms, requests);
        for (const reply of replies)
          if (reply instanceof ReplyError) this.#errors.add(reply.kind.slice(0, longestKind));
      },
      onLost: ({ requests, bytes }, error) => {
        this.#queuedBytes -= bytes + requests * bytesOfARequest;
        this.#failed += requests;
        this.#say(errorText(error));
      },
    });
    this.#links.set(database, copies);
    return copies;
  }

  /** @param reason null when it is well */
  #say(reason: string | null): void {
    if (this.#stopped) return;
    if (reason !== null) this.#againAtMs = performance.now() + againMs;
    if ((reason === null) !== (this.#reason === null))
      this.#log(`mirror ${this.#config.id}: ${reason ?? 'gets copies of requests again'}`);
    this.#reason = reason;
  }
}

const clientName = 'holdfast-mirror-';

/** Of a client that says it is a mirror: what it asks for is a copy already. */
export function isMirrorClient(name: string): boolean {
  return name.startsWith(clientName);
}
