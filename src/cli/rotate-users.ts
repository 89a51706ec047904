/**
 * `holdfast rotate users`: other passwords of applications. The rules:
 *
 * - The password before is kept beside the new one first, then the spec says that both are valid, then the new one takes its
 *   file. Cut off anywhere, what lies there is a spec with which everybody gets in, and the same command goes on.
 * - `apply` brings it to what runs. A change that is under way is brought again, and no third password is made.
 * - `--finish` takes the former ones out of the spec, and applies that.
 */
import { chown, readFile, realpath, rm, stat } from 'node:fs/promises';
import { writeFileAtomic } from '../base/atomic-file.ts';
import { formerFile, withFormerPasswords, withoutFormerPasswords } from '../spec/former-passwords.ts';
import { loadSpec } from '../spec/load.ts';
import { newSecret, readSecret } from '../spec/secrets.ts';
import type { AppUser, Spec } from '../spec/spec.ts';
import { apply } from './apply.ts';
import { confirm } from './confirm.ts';
import { BadOption } from './errors.ts';
import type { Output } from './output.ts';

export interface RotateUsersOptions {
  /** Only these. */
  user?: string[];
  yes?: boolean;
  finish?: boolean;
  stateDir?: string;
}

export async function rotateUsers(
  output: Output,
  file: string,
  options: RotateUsersOptions,
): Promise<number> {
  const users = usersNamed(await loadSpec(file), options.user ?? []);
  const names = users.map(({ name }) => name).join(', ');
  output.line(
    options.finish
      ? `The former passwords of ${names} become invalid.`
      : `${names}: new passwords become valid beside the present ones.`,
  );
  if (!(await confirm(output, 'Change the passwords?', options.yes === true))) return 1;
  if (options.finish) await forgetFormer(file, users);
  else await makeNew(file, users);
  const status = await apply(output, [file], options);
  if (status !== 0 || options.finish) return status;
  for (const user of users) output.line(`${user.name} has the password in ${fileOf(user)} now.`);
  output.line(`The former one is valid too, until: holdfast rotate users ${file} --finish`);
  return status;
}

/** All, or those that are named. @throws BAD_OPTION for one that is not there, or whose password is not in a file */
export function usersNamed({ name, security: { users } }: Spec, wanted: readonly string[]): AppUser[] {
  const unknown = wanted.find((each) => !users.some((user) => user.name === each));
  if (unknown !== undefined || users.length === 0) {
    throw BadOption(
      unknown === undefined ? `${name} has no security.users` : `the spec has no user ${unknown}`,
      {
        hint:
          users.length === 0
            ? 'Clients have a password that is derived from the secret: holdfast rotate secret.'
            : `It has ${users.map((user) => user.name).join(', ')}.`,
      },
    );
  }
  const chosen = users.filter((user) => wanted.length === 0 || wanted.includes(user.name));
  const elsewhere = chosen.find(({ password }) => 'env' in password);
  if (elsewhere !== undefined) {
    throw BadOption(
      `the password of ${elsewhere.name} is in the environment, where holdfast can't put another`,
      {
        hint: 'Name a file in the spec (password: { file: PATH }), or name the others with --user. By hand: docs/spec.md, “Another password”.',
      },
    );
  }
  return chosen;
}

/** Writes the passwords and the spec, in an order that may be cut off anywhere; what is under way is left as it is. */
export async function makeNew(file: string, users: readonly AppUser[]): Promise<void> {
  const fresh = users.filter((user) => !isUnderWay(user));
  if (fresh.length === 0) return;
  for (const user of fresh) {
    const own = await realpath(fileOf(user));
    await writeLike(own, formerFile(fileOf(user)), await readFile(own, 'utf8'));
  }
  const names = fresh.map(({ name }) => name);
  await changeSpec(file, (text) => withFormerPasswords(text, names));
  for (const user of fresh) {
    const own = await realpath(fileOf(user));
    await writeLike(own, own, `${newSecret()}\n`);
  }
}

/** Takes the former passwords out of the spec, and away where this command had put them. */
export async function forgetFormer(file: string, users: readonly AppUser[]): Promise<void> {
  const two = users.filter(({ formerPassword }) => formerPassword !== null);
  if (two.length > 0)
    await changeSpec(file, (text) =>
      withoutFormerPasswords(
        text,
        two.map(({ name }) => name),
      ),
    );
  for (const user of users) await rm(formerFile(fileOf(user)), { force: true });
}

/** It has two passwords that differ: what was begun before, or by hand. */
function isUnderWay({ name, password, formerPassword }: AppUser): boolean {
  if (formerPassword === null) return false;
  const key = `security.users.${name}`;
  return (
    readSecret(password, `${key}.password`, process.env) !==
    readSecret(formerPassword, `${key}.formerPassword`, process.env)
  );
}

function fileOf({ password }: AppUser): string {
  return 'file' in password ? password.file : '';
}

async function changeSpec(file: string, change: (text: string) => string): Promise<void> {
  const own = await realpath(file);
  await writeLike(own, own, change(await readFile(own, 'utf8')));
}

/** With the rights and the owner of another file: an agent that may read the one has to read the other. */
async function writeLike(model: string, file: string, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(model);
  await writeFileAtomic(file, text, mode & 0o777);
  const written = await stat(file);
  if (written.uid !== uid || written.gid !== gid) await chown(file, uid, gid);
}
