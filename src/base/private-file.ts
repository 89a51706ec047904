/**
 * What may be believed because of who could have written it, and what may be kept secret because of who can read it.
 * The rules are those of OpenSSH (safe_path in its misc.c) and PostgreSQL (private keys): the owner is this user or
 * root, nobody else can write, and for a secret, not everyone can read; a group may, so that a service's user gets a key
 * that root owns. Root may be pointed at any user's files, because it could read them anyway.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { describeSize } from './size.ts';

const group = 0o020;
const everyone = 0o002;
/** Far longer than any password, key or chain of certificates. */
const longestBytes = 2 ** 20;

/**
 * What a file holds that somebody named: a password, a key, a certificate. A pipe is refused at once, not waited for,
 * and so is a device, which may have no end.
 * @throws Error when it isn't there, or is no regular file, or is longer than 1 MiB.
 */
export function readNamedFile(file: string): Buffer {
  return readIf(file, () => undefined);
}

/** What a file holds that is a password or a key. @throws Error also when others can read or change it. */
export function readSecretFile(file: string): Buffer {
  return readIf(file, whyNotSecret);
}

function readIf(file: string, whyNot: (found: Stats) => string | undefined): Buffer {
  // Without O_NONBLOCK a pipe is opened only when somebody writes to it.
  const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(handle);
    if (!found.isFile()) throw new Error(`it is ${kindOf(found)}, and not a regular file`);
    if (found.size > longestBytes) {
      throw new Error(
        `it has ${describeSize(found.size)}; such files have ${describeSize(longestBytes)} at most`,
      );
    }
    const why = whyNot(found);
    if (why !== undefined) throw new Error(why);
    return readFileSync(handle);
  } finally {
    closeSync(handle);
  }
}

function kindOf(found: Stats): string {
  if (found.isFIFO()) return 'a pipe';
  if (found.isDirectory()) return 'a folder';
  return found.isSocket() ? 'a socket' : 'a device';
}

/** Why this file, or what a link leads to, can't be taken for a secret; undefined when it can. */
function whyNotSecret(found: Stats): string | undefined {
  if ((found.mode & 0o004) !== 0) return `everyone can read it (mode ${shownMode(found)}): chmod 600 it`;
  // Root could read any user's file anyway.
  const owners = process.getuid?.() === 0 ? [found.uid] : [];
  return whyNotOwn(found, owners, group | everyone);
}

/**
 * Why what lies in this folder can't be believed to be its owner's; undefined when it can.
 * @param owners who may own it, besides this process's user and root.
 */
export function whyNotOwnFolder(folder: string, owners: readonly number[] = []): string | undefined {
  const found = lstatSync(folder);
  if (!found.isDirectory()) return 'it is not a folder';
  return whyNotOwn(found, owners, group | everyone);
}

/**
 * Why a folder is no place to keep things, or undefined: everyone can write it, or can put another in its place because
 * everyone can write a folder above it and that one is not sticky, as /tmp is. A group may write: volumes of containers
 * are made so.
 */
export function whyNotSafePlace(folder: string): string | undefined {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const { mode } = statSync(at);
    const open = (mode & everyone) !== 0 && (at === path.resolve(folder) || (mode & 0o1000) === 0);
    if (open) return `everyone can write ${at} (mode ${shownMode({ mode })})`;
    if (at === path.dirname(at)) return undefined;
  }
}

function whyNotOwn({ uid, mode }: Stats, owners: readonly number[], mayNotWrite: number): string | undefined {
  const own = process.getuid?.() ?? uid;
  if (uid !== own && uid !== 0 && !owners.includes(uid)) return `it belongs to another user (uid ${uid})`;
  return (mode & mayNotWrite) === 0 ? undefined : `others can write it (mode ${shownMode({ mode })})`;
}

function shownMode({ mode }: { mode: number }): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
