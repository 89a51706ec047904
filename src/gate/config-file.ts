import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { errorText } from '../base/errors.ts';
import { readSecretFileSync } from '../base/private-file.ts';
import {
  type Credentials,
  findMistake,
  type GateConfig,
  type GateConfigInput,
  gateConfig,
} from './config.ts';
import { BadGateConfig } from './errors.ts';

/** A user whose password stands in the file, or in another one that it names. */
export type CredentialsInput = { username: string } & ({ password: string } | { passwordFile: string });

/** What the file may say: passwords may lie in files of their own, whose paths are relative to its folder. */
export type GateFileInput = Omit<GateConfigInput, 'memberCredentials' | 'sentinelCredentials'> & {
  memberCredentials?: CredentialsInput | null;
  sentinelCredentials?: CredentialsInput | null;
};

/** Reads the file, fills the defaults in and checks it. @throws GATE_CONFIG */
export function readGateConfig(file: string): GateConfig {
  let input: GateFileInput;
  let mode: number;
  try {
    mode = statSync(file).mode;
    input = JSON.parse(readFileSync(file, 'utf8')) as GateFileInput;
  } catch (error) {
    throw BadGateConfig(`cannot read the gate's configuration ${file}: ${errorText(error)}`, {
      hint: 'It is a JSON file; `holdfast up` writes it, and `holdfast gate … --print-config` shows one.',
      cause: error,
    });
  }
  if (typeof input !== 'object' || input === null) {
    throw BadGateConfig(`${file} must hold one JSON object`, { hint: 'docs/gate.md lists the keys.' });
  }
  const secret = [input.memberCredentials, input.sentinelCredentials].some(
    (each) => each && 'password' in each,
  );
  if (secret && (mode & 0o077) !== 0) {
    throw BadGateConfig(`${file} holds passwords and others can read it`, { hint: `chmod 600 ${file}` });
  }
  return completeGateConfig(input, { where: file, folder: path.dirname(file) });
}

/** Fills the defaults in, reads the passwords, and checks everything. @throws GATE_CONFIG */
export function completeGateConfig(
  input: GateFileInput,
  { where, folder }: { where: string; folder: string },
): GateConfig {
  const refuse = (wrong: string) =>
    BadGateConfig(`${where}: ${wrong}`, { hint: 'docs/gate.md lists the keys.' });
  const unknown = Object.keys(input).find((key) => !known.has(key));
  if (unknown !== undefined) throw refuse(`there is no key '${unknown}'`);
  const credentials = (name: 'memberCredentials' | 'sentinelCredentials'): Credentials | null => {
    const given = input[name] ?? null;
    if (given === null) return null;
    const { username } = given;
    if ('password' in given) return { username, password: given.password };
    try {
      const text = readSecretFileSync(path.resolve(folder, given.passwordFile)).toString('utf8');
      return { username, password: text.replace(/\r?\n$/, '') };
    } catch (error) {
      throw refuse(`cannot read ${name}.passwordFile ${given.passwordFile}: ${errorText(error)}`);
    }
  };
  const config = gateConfig({
    ...input,
    memberCredentials: credentials('memberCredentials'),
    sentinelCredentials: credentials('sentinelCredentials'),
  });
  const wrong = findMistake(config);
  if (wrong !== undefined) throw refuse(wrong);
  return config;
}

const known = new Set(Object.keys(gateConfig({ deployment: '', id: '', listen: { host: '', port: 0 } })));
