/**
 * Reads one answer of HTTP/1.1 after the other, of a server that names the length of each body (RFC 9112, section 6.3).
 * Nothing is kept of a body: who measures wants to know that it came whole. No sockets.
 */

const headEnd = Buffer.from('\r\n\r\n');
/** A server whose head is longer than that is none that we measure. */
const mostHeadBytes = 16_384;

export type HttpProgress =
  | { kind: 'more' }
  | { kind: 'whole'; status: number }
  | { kind: 'bad'; why: string };

const more: HttpProgress = { kind: 'more' };

export class HttpReplyReader {
  #head: Buffer = Buffer.alloc(0);
  #status = 0;
  /** Of the body; null while the head comes. */
  #missing: number | null = null;

  /** @param chunk what came; more than one answer at a time is not expected, as one is asked for at a time. */
  push(chunk: Buffer): HttpProgress {
    if (this.#missing !== null) return this.#body(chunk.length);
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(headEnd);
    if (end < 0) {
      return this.#head.length > mostHeadBytes ? { kind: 'bad', why: 'HEAD_TOO_LONG' } : more;
    }
    const head = this.#head.toString('latin1', 0, end);
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(head);
    const length = /\r\ncontent-length: *(\d{1,12}) *(?:\r\n|$)/i.exec(head);
    if (status === null || length === null)
      return { kind: 'bad', why: status === null ? 'NO_HTTP' : 'NO_LENGTH' };
    const came = this.#head.length - end - headEnd.length;
    this.#head = Buffer.alloc(0);
    this.#status = Number(status[1]);
    this.#missing = Number(length[1]);
    return this.#body(came);
  }

  #body(came: number): HttpProgress {
    const missing = (this.#missing ?? 0) - came;
    if (missing < 0) return { kind: 'bad', why: 'TOO_MUCH' };
    this.#missing = missing > 0 ? missing : null;
    return missing > 0 ? more : { kind: 'whole', status: this.#status };
  }
}
