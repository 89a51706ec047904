import { MINUS } from '../../resp/bytes.ts';
import { writeRequest } from '../../resp/write.ts';
import type { MemberAddress } from '../config.ts';
import type { ReplyHandler } from './run.ts';
import type { Restorable } from './tenant.ts';
import { Upstream } from './upstream.ts';
import type { UpstreamOptions } from './upstream-options.ts';

export interface OpenEvents {
  /** The session stands on the new connection: requests may follow. */
  onReady(upstream: Upstream): void;
  /** The server does not let this session in; the connection is still open. */
  onRefused(upstream: Upstream, error: string): void;
  onClosed(upstream: Upstream, reason: string): void;
  onSlow?: (upstream: Upstream) => void;
}

export interface OpenOptions extends UpstreamOptions {
  /** What it is called at the server. */
  name: string;
  /** The run of the server's process, once that is known. */
  run: Promise<string>;
  /**
   * Whether it is still where clients' requests go, asked when the server has let us in; where the server itself
   * would take any.
   */
  leads?: (() => Promise<boolean>) | undefined;
}

/** A script that does not end keeps the server from letting anybody in; it lives, and may be asked again. */
export function isBusy(error: string): boolean {
  return error.startsWith('BUSY ');
}

/** What a server says that has as many connections as it may; so says the gate. */
const noRoom = 'ERR max number of clients reached: the gate may open no more files';

/** A server that has as many connections as it may: it says so at once, whatever was asked, and closes. */
export function isFull(error: string): boolean {
  return error.startsWith('ERR max number of clients reached');
}

/** Opens a connection and puts the session onto it before anything else is sent. */
export function openUpstream(
  session: Restorable,
  target: MemberAddress,
  options: OpenOptions,
  events: OpenEvents,
): Upstream {
  const upstream: Upstream = new Upstream(target, options, {
    onConnect: () => restore(session, upstream, options, events),
    onClosed: (reason) => events.onClosed(upstream, reason),
    onNoRoom: () => events.onRefused(upstream, noRoom),
    onSlow: () => events.onSlow?.(upstream),
  });
  return upstream;
}

function restore(session: Restorable, upstream: Upstream, options: OpenOptions, events: OpenEvents): void {
  session.onMove();
  const steps = session.restoring(options.name);
  let failed = '';
  let left = steps.length;
  for (const step of steps) {
    const swallow = new Swallow(step.replies, (error, reply) => {
      if (error === null) upstream.atServer.onHello(reply);
      if (error !== null && (step.must || isFull(error)) && failed === '') failed = error;
      if (--left > 0 && !isFull(failed)) return;
      if (failed !== '') events.onRefused(upstream, failed);
      else {
        const admit = (run: string) => {
          if (upstream.closed) return;
          upstream.becomeReady(run);
          events.onReady(upstream);
        };
        const { run, leads } = options;
        void (leads === undefined
          ? run.then(admit)
          : whenItLeads(upstream, leads, async () => admit(await run)));
      }
    });
    upstream.send(null, step.request, 0, step.request.length, 1, false, swallow);
  }
}

/**
 * Whoever makes a standalone server a follower writes so there, and ends all its clients' connections. So one that was
 * let in before is ended, and one that is let in later finds out here.
 */
async function whenItLeads(
  upstream: Upstream,
  leads: () => Promise<boolean>,
  admit: () => Promise<void>,
): Promise<void> {
  try {
    if (await leads()) return await admit();
    upstream.fail('it says that it does not lead');
  } catch {
    upstream.abandon('it does not say whether it leads');
  }
}

/**
 * A server that wants a password tells a stranger nothing: when the client has logged in since on this connection, the server is
 * asked what it calls it.
 */
export function introduce(
  upstream: Upstream,
  { presented }: Restorable,
  name: string,
  onAnswered: () => void = () => {},
): void {
  if (!upstream.atServer.introduce()) return;
  const { protocol } = presented;
  const request = writeRequest(['HELLO', String(protocol), 'SETNAME', name]);
  const swallow = new Swallow(1, (error, reply) => {
    upstream.atServer.onIntroduced(error === null ? reply : null);
    onAnswered();
  });
  upstream.send(null, request, 0, request.length, 1, false, swallow);
}

/** Takes replies that the client has had before, or never asked for. */
export class Swallow implements ReplyHandler {
  #left: number;
  readonly #onDone: (error: string | null, reply: string) => void;

  constructor(replies = 1, onDone: (error: string | null, reply: string) => void = () => {}) {
    this.#left = replies;
    this.#onDone = onDone;
  }

  onReply(buf: Buffer, start: number, end: number): boolean {
    const isError = buf[start] === MINUS;
    if (isError) this.#left = 1;
    if (--this.#left > 0) return false;
    const text = buf.toString('utf8', start, Math.min(end - 2, start + 512));
    this.#onDone(isError ? text.slice(1) : null, text);
    return true;
  }

  onLost(): void {}

  /** What the gate says by itself has to succeed, or nobody gets the connection. */
  proves(): boolean {
    return true;
  }
}
