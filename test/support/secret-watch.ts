/**
 * Looks for secrets where others see them, for as long as a test's servers are there: in arguments and environments of all
 * processes, in what ssh was called with, in files, and in texts that the test hands over. It finds by itself what there is to
 * hide: the deployment's secrets and what is derived from them, passwords of users, keys of certificates.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets } from '../../src/spec/secrets.ts';

/**
 * Notes what processes are called with until it is told what to look for in it. One that is new is looked at again and again,
 * because it may turn into another program; one that has been there for long only now and then.
 */
const watcher = `
const { readdirSync, readFileSync } = require('node:fs');
const seen = new Set();
let looks = new Map();
const look = () => {
  const now = new Map();
  for (const pid of readdirSync('/proc')) {
    if (!/^\\d+$/.test(pid) || pid === String(process.pid)) continue;
    const times = looks.get(pid) ?? 0;
    now.set(pid, times + 1);
    if (times > 20 && times % 40 !== 0) continue;
    for (const file of ['cmdline', 'environ'])
      try {
        seen.add(readFileSync('/proc/' + pid + '/' + file, 'latin1'));
      } catch {}
  }
  looks = now;
};
look();
process.stdout.write('looking\\n');
const timer = setInterval(look, 25);
let text = '';
process.stdin.on('data', (piece) => { text += piece; }).on('end', () => {
  clearInterval(timer);
  looks = new Map();
  look();
  const secrets = JSON.parse(text);
  const found = [...seen].filter((each) => secrets.some((secret) => each.includes(secret)));
  process.stdout.write(JSON.stringify({ processes: seen.size, found: found.map((each) => each.slice(0, 200)) }));
});
`;
const collectEveryMs = 200;

export class SecretWatch {
  readonly #child: ChildProcess = spawn(process.execPath, ['-e', watcher], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  readonly #collect: () => Collected;
  readonly #roots = new Set<string>();
  readonly #others = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #said = '';
  /** Settles when it has looked for the first time. */
  readonly begun: Promise<void>;

  /** @param collect tells what there is to hide just now */
  constructor(collect: () => Collected) {
    this.#collect = collect;
    this.#timer = setInterval(() => this.#note(), collectEveryMs).unref();
    this.begun = new Promise((resolve, reject) => {
      this.#child.once('close', () => reject(new Error('the watch for secrets ended')));
      (this.#child.stdout as Readable).setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
        resolve();
      });
    });
  }

  #note(): void {
    const { roots, others } = this.#collect();
    for (const each of roots) this.#roots.add(each);
    for (const each of others) this.#others.add(each);
  }

  /** Ends it. @returns all that had to be hidden, how much of processes was seen, and who showed something of it */
  async end(specFile: string): Promise<{ secrets: string[]; processes: number; found: string[] }> {
    clearInterval(this.#timer);
    this.#note();
    const secrets = [...this.#roots, ...this.#others, ...derivedFrom(this.#roots, specFile)];
    await this.begun;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    (this.#child.stdin as Writable).end(JSON.stringify(secrets));
    await closed;
    const [, answer = ''] = this.#said.split('\n');
    return { secrets, ...(JSON.parse(answer) as { processes: number; found: string[] }) };
  }
}

export interface Collected {
  /** Secrets of deployments, from which passwords are derived. */
  roots: readonly string[];
  /** Passwords, and lines of keys. */
  others: readonly string[];
}

function derivedFrom(roots: ReadonlySet<string>, specFile: string): string[] {
  if (roots.size === 0) return [];
  const spec = parseSpec(readFileSync(specFile, 'utf8'), specFile);
  return [...roots].flatMap((root) => {
    const { own, elsewhere, sentinelPassword, apiToken, apiOperateToken, agentToken, sessionKey } =
      deriveSecrets(spec, root, {});
    const tokens = [apiToken, apiOperateToken, agentToken, sessionKey];
    return [...Object.values(own), ...Object.values(elsewhere), ...tokens, sentinelPassword ?? []].flat();
  });
}

/**
 * What is to be hidden in the files of a folder: a password each, or a key.
 * @param which `private`: in those that only their owner may read
 */
export function secretsIn(folder: string, name = /./, which: 'all' | 'private' = 'all'): string[] {
  return filesIn(folder).flatMap((file) => {
    if (!name.test(path.basename(file))) return [];
    try {
      const { mode, size } = statSync(file);
      const isMeant = which === 'all' || (mode & 0o077) === 0;
      return isMeant && size < 65_536 ? secretsOf(readFileSync(file, 'utf8')) : [];
    } catch {
      // It is gone by now.
      return [];
    }
  });
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((each) => each.isFile())
      .map(({ name }) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** Of a key the first line, which is long enough to be nobody else's. */
function secretsOf(text: string): string[] {
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----\n(.+)\n/.exec(text)?.[1];
  if (key !== undefined) return [key];
  const line = text.trim();
  return text.includes('-----BEGIN') || line.includes('\n') || line.length < 8 ? [] : [line];
}

/** In these a secret may lie, if only their owner may read them; never in another file. */
const keepsSecrets =
  /\/(?:secret[^/]*|api-(?:operate-)?token|users\.acl|redis\.conf|sentinel\.conf|gate\.json)$|\.secrets\/[^/]+$/;

/** A shell's words that list, with their rights, the files of folders that hold what comes by standard input, a line each. */
export function searchScript(folders: readonly string[]): string {
  // The patterns by standard input: in an argument they would be found there.
  return `grep -r -l -a -s -Z -F -f - ${folders.join(' ')} | xargs -0 -r stat -c '%a %n'`;
}

/** Of what that listed the files that must not hold a secret. */
export function wronglyKept(listed: string): string[] {
  return listed.split('\n').filter((line) => {
    const [mode = '', ...words] = line.split(' ');
    return line !== '' && (!/00$/.test(mode) || !keepsSecrets.test(words.join(' ')));
  });
}
