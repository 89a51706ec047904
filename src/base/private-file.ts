/**
 * What may be believed because of who could have written it, and what may be kept secret because of who can read it.
 * The rules are those of OpenSSH (safe_path in its misc.c) and PostgreSQL (private keys): the owner is this user or
 * root, nobody else can write, and for a secret, not everyone can read; a group may, so that a service's user gets a key
 * that root owns. Root may be pointed at any user's files, because it could read them anyway.
 */
import { lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Why this file, or what a link leads to, can't be taken for a secret; undefined when it can. */
function whyNotSecret(file: string): string | undefined {
  const found = statSync(file);
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  if ((found.mode & 0o004) !== 0) return `everyone can read it (mode ${mode}): chmod 600 it`;
  return whyNotOwn(found) ?? undefined;
}

/** The text of a file that holds a password or a key. @throws Error when others can read or change it, or it isn't there. */
export async function readSecretFile(file: string): Promise<string> {
  refuse(whyNotSecret(file));
  return await readFile(file, 'utf8');
}

export function readSecretFileSync(file: string): Buffer {
  refuse(whyNotSecret(file));
  return readFileSync(file);
}

/**
 * Why what lies in this folder can't be believed to be the owner's; undefined when it can.
 * @param owners who may own it, besides this process's user and root.
 */
export function whyNotOwnFolder(folder: string, owners: readonly number[] = []): string | undefined {
  const found = lstatSync(folder);
  if (!found.isDirectory()) return 'it is not a folder';
  return whyNotOwn(found, owners);
}

function whyNotOwn({ uid, mode }: Stats, owners: readonly number[] = []): string | undefined {
  const own = process.getuid?.() ?? uid;
  if (uid !== own && uid !== 0 && own !== 0 && !owners.includes(uid)) {
    return `it belongs to another user (uid ${uid})`;
  }
  if ((mode & 0o022) !== 0) {
    return `others can write it (mode ${(mode & 0o7777).toString(8).padStart(4, '0')})`;
  }
  return undefined;
}

function refuse(why: string | undefined): void {
  if (why !== undefined) throw new Error(why);
}
