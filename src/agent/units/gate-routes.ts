import type { RequestMirrorInput, RouteInput } from '../../gate/config.ts';
import type { GateStatus } from '../../gate/control/control-api.ts';
import { parseServerAddress, type ServerAddress } from '../../redis/server-address.ts';
import { readSecret } from '../../spec/secrets.ts';
import type { GateRoute, RequestMirror } from '../../spec/spec.ts';

/**
 * A route of a spec in the words of the gate's configuration. With a password everybody is that user at the target, and so
 * is the gate itself; without one clients are who they are.
 * @throws SECRET_UNAVAILABLE
 */
export function gateRoute(
  { name, to, prefixes, removePrefix, readsHere, password, ca, faults }: GateRoute,
  env = process.env,
): RouteInput {
  const target = parseServerAddress(to.replace(/\/$/, ''));
  const login = loginAt(target, password, `gate.routes.${name}.password`, env);
  const places =
    target.kind === 'server'
      ? { members: [{ id: `${target.at.address}:${target.at.port}`, ...target.at }] }
      : { sentinels: target.at, deployment: target.name ?? '' };
  return {
    id: name,
    prefixes: [...prefixes],
    removePrefix,
    readsHere,
    ...places,
    memberCredentials: login,
    clientCredentials: login,
    tls: tlsTo(target, ca),
    ...(faults.length === 0
      ? {}
      : { faults: faults.map((fault) => ({ ...fault, commands: [...fault.commands] })) }),
  };
}

/** A mirror of requests, likewise. @throws SECRET_UNAVAILABLE */
export function gateMirror(
  { name, to, prefixes, percentage, copies, password, ca }: RequestMirror,
  env = process.env,
): RequestMirrorInput {
  const target = parseServerAddress(to.replace(/\/$/, ''));
  if (target.kind !== 'server') throw new TypeError(`the schema took ${to}`);
  return {
    ...{ id: name, ...target.at, prefixes: [...prefixes], percentage, copies },
    credentials: loginAt(target, password, `mirrors.${name}.password`, env),
    tls: tlsTo(target, ca),
  };
}

function loginAt(
  { username }: Pick<ServerAddress, 'username'>,
  password: GateRoute['password'],
  where: string,
  env: NodeJS.ProcessEnv,
) {
  if (password === null) return null;
  return { username: username === '' ? 'default' : username, password: readSecret(password, where, env) };
}

function tlsTo({ tls }: Pick<ServerAddress, 'tls'>, ca: string | null) {
  return tls ? { upstream: true, ...(ca === null ? {} : { ca }) } : null;
}

/** Of the first route whose target takes nothing: the gate serves on, and what goes there waits. Undefined when all are open. */
export function whyRouteHolds(status: Pick<GateStatus, 'routes'> | null | undefined): string | undefined {
  const held = Object.entries(status?.routes ?? {}).find(([, { state }]) => state === 'holding');
  return held && `the route ${held[0]} takes nothing: ${held[1].reason ?? 'nobody answers there'}`;
}
