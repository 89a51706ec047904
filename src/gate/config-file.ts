import { readFileSync } from 'node:fs';
import path from 'node:path';
import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import {
  type Credentials,
  completeRoute,
  type GateConfig,
  type GateConfigInput,
  type GateTls,
  gateConfig,
  type Predecessor,
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
  'memberCredentials' | 'sentinelCredentials' | 'predecessor' | 'routes'
> & {
  memberCredentials?: CredentialsInput | null;
  sentinelCredentials?: CredentialsInput | null;
  predecessor?: (Omit<Predecessor, 'credentials'> & { credentials?: CredentialsInput | null }) | null;
  routes?: RouteFileInput[];
};

const routeLogins = ['memberCredentials', 'sentinelCredentials', 'clientCredentials'] as const;

type RouteFileInput = Omit<RouteInput, (typeof routeLogins)[number]> & {
  [Key in (typeof routeLogins)[number]]?: CredentialsInput | null;
};

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
  const secret = [
    ...[input.memberCredentials, input.sentinelCredentials, input.predecessor?.credentials],
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
    routes: routesOf(input.routes, refuse).map((route, index) => ({
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
function routesOf(routes: unknown, refuse: (wrong: string) => Error): RouteFileInput[] {
  if (routes === undefined) return [];
  if (!Array.isArray(routes)) throw refuse('routes must be a list');
  for (const [index, route] of routes.entries()) {
    if (typeof route !== 'object' || route === null) throw refuse(`routes[${index}] must be an object`);
    const unknown = Object.keys(route).find((key) => !knownOfRoute.has(key));
    if (unknown !== undefined) throw refuse(`routes[${index}]: there is no key '${unknown}'`);
  }
  return routes as RouteFileInput[];
}

function inFolder(tls: GateTls, folder: string): GateTls {
  const paths = Object.entries({ cert: tls.cert, key: tls.key, ca: tls.ca }).flatMap(([key, file]) =>
    file === undefined ? [] : [[key, path.resolve(folder, file)]],
  );
  return { ...tls, ...Object.fromEntries(paths) };
}

const knownOfRoute = new Set(Object.keys(completeRoute({ id: '', prefixes: [] })));
const known = new Set(Object.keys(gateConfig({ deployment: '', id: '', listen: { host: '', port: 0 } })));
