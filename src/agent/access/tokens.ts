/**
 * The tokens of the API. The deployment has two of its own, derived from its secret and so the same on every host: one to
 * look, one to change something; they lie in a file each, for its owner and for programs that read a file. Others are made for a
 * person or a program, on one host: of those only a digest is kept (SHA-256: they are 256 random bits, so that nothing slower is
 * needed), in tokens.json, mode 0600. The files may be changed while the agent runs: they are looked at whenever somebody shows a
 * token.
 *
 * Without tokens.json none is valid that was made. That one of the deployment's own was revoked stands in its own file too, so
 * that it stays revoked when either is lost.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic, writeFileIfNew } from '../../base/atomic-file.ts';
import { errorCode, errorText } from '../../base/errors.ts';
import { StateDirUnusable, TokenUnknown, TokenWrong } from '../errors.ts';
import type { StatePaths } from '../state/paths.ts';

export type TokenRole = 'read' | 'operate';

export interface Token {
  /** For people and for the record; the deployment's own are called as their role is. */
  name: string;
  role: TokenRole;
  /** SHA-256 of the token. */
  digest: Buffer;
  /** ISO 8601; null for the deployment's own. */
  madeAt: string | null;
}

type KnownToken = Pick<Token, 'name' | 'role'>;

const nameRule = /^[a-z0-9][a-z0-9._-]{0,40}$/i;
const mostTokens = 200;
/** Of the deployment's own, and of those who act without a token: nobody may be taken for one of them. */
const reserved = ['read', 'operate', 'owner', 'the-owner', 'agent', 'somebody'];

const fileSchema = z.object({
  version: z.literal(1),
  tokens: z
    .array(
      z.object({
        name: z.string().regex(nameRule),
        role: z.enum(['read', 'operate']),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        madeAt: z.iso.datetime(),
      }),
    )
    .max(mostTokens),
  /** Which of the deployment's own are not valid on this host. */
  revoked: z.array(z.enum(['read', 'operate'])),
});
type TokenFile = z.infer<typeof fileSchema>;

const empty: TokenFile = { version: 1, tokens: [], revoked: [] };

/** The deployment's own, as they are derived. */
export interface OwnTokens {
  apiToken: string;
  apiOperateToken: string;
  agentToken: string;
  /** Valid too while the deployment's secret is changed. */
  beside: Omit<OwnTokens, 'beside'> | null;
}

/** Whose agents' tokens are: of a colleague, who looks. */
export const agentTokenName = 'another agent';

type TokenPaths = Pick<StatePaths, 'tokens' | 'apiToken' | 'apiOperateToken'>;

const ownRoles = ['read', 'operate'] as const;
/** What stands in the file of one that was revoked, in its place. */
const revokedText = 'revoked\n';

export class Tokens {
  readonly #file: string;
  readonly #ownFiles: Record<TokenRole, string>;
  readonly #texts: Record<TokenRole, string>;
  readonly #own: readonly Token[];
  /** Known to programs only, and not listed. */
  readonly #unlisted: readonly Token[];
  #kept: TokenFile = empty;
  /** Which of the deployment's own tokens.json says to be revoked. */
  #listed: TokenFile['revoked'] = [];
  #stamp = '';
  /** What was valid when it was looked last for changes; null before. */
  #known: ReadonlyMap<string, KnownToken> | null = null;

  constructor({ tokens, apiToken, apiOperateToken }: TokenPaths, own: OwnTokens) {
    this.#file = tokens;
    this.#ownFiles = { read: apiToken, operate: apiOperateToken };
    this.#texts = { read: own.apiToken, operate: own.apiOperateToken };
    this.#own = ownTokens(own);
    const ofAgents = [own.agentToken, own.beside?.agentToken].flatMap((text) => text ?? []);
    this.#unlisted = [
      ...(own.beside === null ? [] : ownTokens(own.beside)),
      ...ofAgents.map((text) => {
        return { name: agentTokenName, role: 'read' as const, digest: digestOf(text), madeAt: null };
      }),
    ];
  }

  /** All that are valid now. @throws STATE_DIR_UNUSABLE */
  all(): Token[] {
    this.#read();
    const made = this.#kept.tokens.map(({ name, role, sha256, madeAt }) => {
      return { name, role, madeAt, digest: Buffer.from(sha256, 'hex') };
    });
    return [...this.#own.filter((token) => !this.#isRevoked(token)), ...made];
  }

  #isRevoked({ name }: Token): boolean {
    return this.#kept.revoked.some((revoked) => revoked === name);
  }

  /**
   * What was made and revoked since the last look, by whichever process, as sentences; nothing of before the first one.
   * @throws STATE_DIR_UNUSABLE
   */
  changes(): string[] {
    const before = this.#known;
    const now = new Map(this.all().map(({ name, role, madeAt }) => [`${name} ${madeAt}`, { name, role }]));
    this.#known = now;
    if (before === null) return [];
    const text = ({ name, role }: KnownToken) => `the token ${name} of the role ${role}`;
    return [
      ...[...now].flatMap(([key, token]) => (before.has(key) ? [] : [`${text(token)} is valid now`])),
      ...[...before].flatMap(([key, token]) => (now.has(key) ? [] : [`${text(token)} was revoked`])),
    ];
  }

  /** Whose token this is; undefined for none. Takes as long whichever it is, and whether it is one. */
  find(given: string): Token | undefined {
    const digest = digestOf(given);
    let found: Token | undefined;
    for (const token of [...this.all(), ...this.#unlisted.filter((each) => !this.#isRevoked(each))]) {
      if (timingSafeEqual(token.digest, digest)) found = token;
    }
    return given === '' ? undefined : found;
  }

  named(name: string): Token | undefined {
    return this.all().find((token) => token.name === name);
  }

  /**
   * Makes one, or takes one that was made on another host.
   * @returns the token itself, which nobody can show again. @throws TOKEN_WRONG
   */
  async make(name: string, role: TokenRole, nowMs: number, given?: string): Promise<string> {
    if (given !== undefined && !/^[\w-]{43}$/.test(given)) {
      throw TokenWrong('what came by standard input is no token', {
        hint: 'holdfast token make prints them.',
      });
    }
    if (!nameRule.test(name)) {
      throw TokenWrong(`'${name.slice(0, 60)}' is no name for a token`, {
        hint: "Letters, digits, '.', '_' and '-', at most 41, beginning with a letter or digit.",
      });
    }
    const { tokens } = this.#readAll();
    if (reserved.includes(name.toLowerCase())) {
      throw TokenWrong(`a token can't be called ${name}: that is what the deployment calls its own`, {
        hint: 'Take another name, as that of the person or program whose it is to be.',
      });
    }
    if (tokens.some((each) => each.name === name)) {
      throw TokenWrong(`there is a token called ${name}`, { hint: 'holdfast token revoke takes it away.' });
    }
    if (tokens.length >= mostTokens) {
      throw TokenWrong(`there are ${mostTokens} tokens`, { hint: 'holdfast token revoke takes one away.' });
    }
    const text = given ?? randomBytes(32).toString('base64url');
    const madeAt = new Date(nowMs).toISOString();
    const entry = { name, role, sha256: digestOf(text).toString('hex'), madeAt };
    await this.#write({ ...this.#kept, tokens: [...tokens, entry] });
    return text;
  }

  /** Takes one away, on this host. @throws TOKEN_UNKNOWN */
  async revoke(name: string): Promise<void> {
    const { tokens, revoked } = this.#readAll();
    const role = ownRoles.find((each) => each === name);
    if (role !== undefined && !revoked.includes(role)) {
      await writeFileIfNew(this.#ownFiles[role], revokedText);
      return this.#write({ ...this.#kept, revoked: [...revoked, role] });
    }
    const left = tokens.filter((each) => each.name !== name);
    if (left.length < tokens.length) return this.#write({ ...this.#kept, tokens: left });
    const names = this.all().map((each) => each.name);
    throw TokenUnknown(`there is no token called ${name.slice(0, 60)}`, {
      hint: `Valid on this host: ${names.length === 0 ? 'none' : names.join(', ')}.`,
    });
  }

  /**
   * Writes the files of the deployment's own: what each is, or that it was revoked. What says so in one place only says it in
   * both then. @throws STATE_DIR_UNUSABLE
   */
  async writeOwn(): Promise<void> {
    const { revoked } = this.#readAll();
    for (const role of ownRoles)
      await writeFileIfNew(
        this.#ownFiles[role],
        revoked.includes(role) ? revokedText : `${this.#texts[role]}\n`,
      );
    if (this.#listed.length < revoked.length) await this.#write(this.#kept);
  }

  #readAll(): TokenFile {
    this.#stamp = '';
    this.#read();
    return this.#kept;
  }

  /** Looks whether a file changed: a name, a size and a time to the nanosecond tell. */
  #read(): void {
    const stamps = [this.#file, ...Object.values(this.#ownFiles)].map(stampOf);
    const stamp = stamps.join();
    if (stamp === this.#stamp) return;
    const kept = stamps[0] === missing ? empty : parse(this.#file);
    const noted = ownRoles.filter((role) => isRevokedIn(this.#ownFiles[role]));
    this.#listed = kept.revoked;
    this.#kept = { ...kept, revoked: [...new Set([...kept.revoked, ...noted])] };
    this.#stamp = stamp;
  }

  async #write(file: TokenFile): Promise<void> {
    await writeFileAtomic(this.#file, `${JSON.stringify(file, null, 2)}\n`);
    this.#readAll();
  }
}

function ownTokens({ apiToken, apiOperateToken }: Omit<OwnTokens, 'beside'>): Token[] {
  return [
    { name: 'read', role: 'read', digest: digestOf(apiToken), madeAt: null },
    { name: 'operate', role: 'operate', digest: digestOf(apiOperateToken), madeAt: null },
  ];
}

const missing = 'missing';

function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return missing;
    throw error;
  }
}

function isRevokedIn(file: string): boolean {
  try {
    return readFileSync(file, 'utf8') === revokedText;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function parse(file: string): TokenFile {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw StateDirUnusable(`${file} is not a list of tokens: ${errorText(cause).slice(0, 200)}`, {
      hint: 'Put it right, or remove it: tokens that were made are not valid then, and what was revoked stays so. No token is valid meanwhile.',
      cause,
    });
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
