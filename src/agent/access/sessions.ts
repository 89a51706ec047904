/**
 * A browser's session, as a cookie that says whose token it was opened with and until when, signed. So it outlives the
 * agent, and is worth something on every host; it ends with its time, with its token, and when its owner logs out (which
 * this host's agents remember, in a file). When that file is gone, nobody knows who has: the sessions of before are over
 * then. What one may do is what its token may do at that moment.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Token, Tokens } from './tokens.ts';

const lastsMs = 12 * 3600_000;
const rememberedEnds = 1000;
/** Longer ones are none of ours. */
const longestCookie = 500;

export interface Session {
  token: Token;
  untilMs: number;
}

export interface SessionSettings {
  /** The deployment's name: several may be asked by one browser. */
  deployment: string;
  key: string;
  /** The page comes over TLS: the cookie is never sent without. */
  secure: boolean;
  /** Where those that were logged out are kept, until their time is over. */
  endedFile: string;
  /** Since 1970. */
  nowMs: number;
}

export class Sessions {
  readonly #key: string;
  readonly #secure: boolean;
  readonly #tokens: Tokens;
  readonly cookieName: string;
  readonly #endedFile: string;
  /** Those that were opened before are over. */
  readonly #sinceMs: number;
  /** By signature, until when each would have been valid. */
  readonly #ended: Map<string, number>;

  constructor({ deployment, key, secure, endedFile, nowMs }: SessionSettings, tokens: Tokens) {
    this.#endedFile = endedFile;
    const known = readEnded(endedFile);
    this.#sinceMs = known?.sinceMs ?? nowMs;
    this.#ended = new Map(known?.ended);
    if (known === null) this.#write();
    this.#secure = secure;
    this.cookieName = `holdfast-${deployment}`;
    this.#key = key;
    this.#tokens = tokens;
  }

  /** @returns the value of Set-Cookie. */
  open(token: Token, nowMs: number): { cookie: string; untilMs: number } {
    const untilMs = nowMs + lastsMs;
    const text = [token.name, untilMs, randomBytes(12).toString('base64url')].join(' ');
    const payload = Buffer.from(text).toString('base64url');
    return { cookie: this.#cookie(`${payload}.${this.#sign(payload, token)}`, lastsMs / 1000), untilMs };
  }

  /** @param header the request's Cookie. @returns the session that it shows, or undefined. */
  find(header: string | undefined, nowMs: number): Session | undefined {
    const value = this.#valueIn(header);
    const [payload = '', signature = ''] = value?.split('.', 2) ?? [];
    if (value === undefined || this.#ended.has(signature)) return undefined;
    const [name = '', until = ''] = Buffer.from(payload, 'base64url').toString('utf8').split(' ');
    const token = this.#tokens.named(name);
    const untilMs = Number(until);
    if (token === undefined || !(untilMs > nowMs) || untilMs > nowMs + lastsMs) return undefined;
    if (untilMs < this.#sinceMs + lastsMs) return undefined;
    const wanted = Buffer.from(this.#sign(payload, token));
    const given = Buffer.from(signature);
    return wanted.length === given.length && timingSafeEqual(wanted, given) ? { token, untilMs } : undefined;
  }

  /** @returns the value of Set-Cookie. */
  close(header: string | undefined, nowMs: number): string {
    const session = this.find(header, nowMs);
    if (session !== undefined) {
      for (const [signature, untilMs] of this.#ended) if (untilMs <= nowMs) this.#ended.delete(signature);
      const [oldest = ''] = this.#ended.keys();
      if (this.#ended.size >= rememberedEnds) this.#ended.delete(oldest);
      this.#ended.set(this.#valueIn(header)?.split('.')[1] ?? '', session.untilMs);
      this.#write();
    }
    return this.#cookie('', 0);
  }

  #write(): void {
    const file = { version: 1, sinceMs: this.#sinceMs, ended: [...this.#ended] };
    writeFileSync(this.#endedFile, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  }

  #valueIn(header: string | undefined): string | undefined {
    const start = `${this.cookieName}=`;
    const found = header?.split(';').map((each) => each.trim());
    const value = found?.find((each) => each.startsWith(start))?.slice(start.length);
    return value === undefined || value === '' || value.length > longestCookie ? undefined : value;
  }

  /** The token's digest is in it: another token of the same name opens nothing. */
  #sign(payload: string, token: Token): string {
    return createHmac('sha256', this.#key).update(payload).update(token.digest).digest('base64url');
  }

  #cookie(value: string, seconds: number): string {
    return `${this.cookieName}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${this.#secure ? '; Secure' : ''}`;
  }
}

const endedSchema = z.object({
  version: z.literal(1),
  sinceMs: z.number(),
  ended: z.array(z.tuple([z.string(), z.number()])),
});

/** Null where there is no such list, as before the first, or after a crash while it was written. */
function readEnded(file: string): z.infer<typeof endedSchema> | null {
  try {
    return endedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
