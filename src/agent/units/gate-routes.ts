import type { RouteInput } from '../../gate/config.ts';
import { parseServerAddress } from '../../redis/server-address.ts';
import { readSecret } from '../../spec/secrets.ts';
import type { GateRoute } from '../../spec/spec.ts';

/**
 * A route of a spec in the words of the gate's configuration. With a password everybody is that user at the target, and so
 * is the gate itself; without one clients are who they are.
 * @throws SECRET_UNAVAILABLE
 */
export function gateRoute(
  { name, to, prefixes, removePrefix, readsHere, password, ca }: GateRoute,
  env = process.env,
): RouteInput {
  const target = parseServerAddress(to.replace(/\/$/, ''));
  const login =
    password === null
      ? null
      : {
          username: target.username === '' ? 'default' : target.username,
          password: readSecret(password, `gate.routes.${name}.password`, env),
        };
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
    tls: target.tls ? { upstream: true, ...(ca === null ? {} : { ca }) } : null,
  };
}
