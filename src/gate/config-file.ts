import { readFileSync } from 'node:fs';
import path from 'node:path';
import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import {
  type Credentials,
  completeMirror,
  completeRoute,
  type GateConfig,
  type GateConfigInput,
  type GateTls,
  gateConfig,
  type Predecessor,
  type RequestMirrorInput,
  type RouteInput,
} from './config.ts';
import { findMistake } from './config-mistakes.ts';
import { BadGateConfig } from './errors.ts';

/** A user whose password stands in the file, in another one that it names, or in a variable of the environment. */
export type CredentialsInput = { username: string } & (
  | { password: string }
  | { passwordFile: string }
  | { passwordEnv: string }
);

/** What the file may say: paths of passwords and certificates are relative to its folder. */
export type GateFileInput = Omit<
  GateConfigInput,
  'memberCredentials' | 'sentinelCredentials' | 'predecessor' | 'routes' | 'mirrors'
> & {
  memberCredentials?: CredentialsInput | null;
  sentinelCredentials?: CredentialsInput | null;
  predecessor?: (Omit<Predecessor, 'credentials'> & { credentials?: CredentialsInput | null }) | null;
  routes?: RouteFileInput[];
  mirrors?: MirrorFileInput[];
};

type MirrorFileInput = Omit<RequestMirrorInput, 'credentials'> & { credentials?: CredentialsInput | null };

const routeLogins = ['memberCredentials', 'sentinelCredentials', 'clientCredentials'] as const;

type RouteFileInput = Omit<RouteInput, (typeof routeLogins)[number]> & {
  [Key in (typeof routeLogins)[number]]?: CredentialsInput | null;
};

/** In the environment of a worker of `holdfast gate`, which has no file: what such a file would say. */
export const configVariable = 'HOLDFAST_GATE_CONFIG';

/** The same as from a file, for a worker; null where nothing is said there. @throws GATE_CONFIG */
export function givenGateConfig(): GateConfig | null {
  const text = process.env[configVariable];
  if (text === undefined) return null;
  return completeGateConfig(JSON.parse(text) as GateFileInput, {
    where: 'holdfast gate',
    folder: process.cwd(),
  });
}

/** Reads the file, fills the defaults in and checks it. @throws GATE_CONFIG */
export function readGateConfig(file: string): GateConfig {
  let input: GateFileInput;
  try {
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
  const routed = Array.isArray(input.routes) ? input.routes : [];
  const mirrored = Array.isArray(input.mirrors) ? input.mirrors : [];
  const secret = [
    ...[input.memberCredentials, input.sentinelCredentials, input.predecessor?.credentials],
    ...mirrored.map((mirror) => mirror?.credentials),
    ...routed.flatMap((route) => routeLogins.map((key) => route?.[key])),
  ].some((each) => each && 'password' in each);
  try {
    if (secret) readSecretFile(file);
  } catch (error) {
    throw BadGateConfig(`${file} holds passwords: ${errorText(error)}`, { hint: `chmod 600 ${file}` });
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
  const credentials = (name: string, given: CredentialsInput | null | undefined): Credentials | null => {
    if (given === null || given === undefined) return null;
    const { username } = given;
    if ('password' in given) return { username, password: given.password };
    if ('passwordEnv' in given) {
      const password = process.env[given.passwordEnv];
      if (password === undefined || password === '')
        throw refuse(`the environment has no ${given.passwordEnv}`);
      return { username, password };
    }
    try {
      const text = readSecretFile(path.resolve(folder, given.passwordFile)).toString('utf8');
      return { username, password: text.replace(/\r?\n$/, '') };
    } catch (error) {
      throw refuse(`cannot read ${name}.passwordFile ${given.passwordFile}: ${errorText(error)}`);
    }
  };
  const config = gateConfig({
    ...input,
    memberCredentials: credentials('memberCredentials', input.memberCredentials),
    sentinelCredentials: credentials('sentinelCredentials', input.sentinelCredentials),
    predecessor: input.predecessor
      ? {
          ...input.predecessor,
          credentials: credentials('predecessor.credentials', input.predecessor.credentials),
          movedFile: path.resolve(folder, input.predecessor.movedFile ?? ''),
        }
      : null,
    mirrors: objectsIn('mirrors', input.mirrors, knownOfMirror, refuse).map((mirror, index) => ({
      ...mirror,
      credentials: credentials(`mirrors[${index}].credentials`, mirror.credentials),
      tls: mirror.tls ? inFolder(mirror.tls, folder) : null,
    })) as RequestMirrorInput[],
    routes: objectsIn('routes', input.routes, knownOfRoute, refuse).map((route, index) => ({
      ...route,
      ...Object.fromEntries(
        routeLogins.map((key) => [key, credentials(`routes[${index}].${key}`, route[key])]),
      ),
      tls: route.tls ? inFolder(route.tls, folder) : null,
    })) as RouteInput[],
    tls: input.tls ? inFolder(input.tls, folder) : null,
  });
  const wrong = findMistake(config);
  if (wrong !== undefined) throw refuse(wrong);
  return config;
}

/** @throws GATE_CONFIG what is no list of objects, or has a key that nobody knows */
function objectsIn<T extends object>(
  name: string,
  list: readonly T[] | undefined,
  allowed: ReadonlySet<string>,
  refuse: (wrong: string) => Error,
): readonly T[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw refuse(`${name} must be a list`);
  for (const [index, each] of list.entries()) {
    if (typeof each !== 'object' || each === null) throw refuse(`${name}[${index}] must be an object`);
    const unknown = Object.keys(each).find((key) => !allowed.has(key));
    if (unknown !== undefined) throw refuse(`${name}[${index}]: there is no key '${unknown}'`);
  }
  return list;
}

function inFolder(tls: GateTls, folder: string): GateTls {
  const paths = Object.entries({ cert: tls.cert, key: tls.key, ca: tls.ca }).flatMap(([key, file]) =>
    file === undefined ? [] : [[key, path.resolve(folder, file)]],
  );
  return { ...tls, ...Object.fromEntries(paths) };
}

const knownOfRoute = new Set(Object.keys(completeRoute({ id: '', prefixes: [] })));
const knownOfMirror = new Set(Object.keys(completeMirror({ id: '', address: '', port: 0 })));
const known = new Set(Object.keys(gateConfig({ deployment: '', id: '', listen: { host: '', port: 0 } })));
