import { commonPrefixes } from '../../base/key-prefixes.ts';
import { isLoopback } from '../address.ts';
import type { Problem } from '../problems.ts';
import type { Spec } from '../spec.ts';

/** What of a mirror can be seen without asking anyone. What it leads to is asked when it runs (mirror/guard.ts). */
export function mirrorRules(spec: Spec): Problem[] {
  return spec.mirrors.flatMap((mirror): Problem[] => {
    const path = ['mirrors', mirror.name];
    const url = new URL(mirror.to);
    if (url.username !== '' && mirror.password === null) {
      return [
        {
          path: [...path, 'to'],
          message: `the user ${url.username} has no password; set \`password\` beside it`,
        },
      ];
    }
    if (mirror.ca !== null && url.protocol !== 'rediss:') {
      return [
        {
          path: [...path, 'ca'],
          message: 'it has no meaning without TLS; say rediss:// in `to`, or remove it',
        },
      ];
    }
    const held = mirror.prefixes.findIndex((prefix) => commonPrefixes([prefix], ['holdfast:']) !== undefined);
    if (held >= 0) {
      return [
        {
          path: [...path, 'prefixes', held],
          message: 'what begins with holdfast: is never mirrored; name other keys',
        },
      ];
    }
    return isOwn(spec, url)
      ? [
          {
            path: [...path, 'to'],
            message: 'this deployment itself would be its own copy; name another server',
          },
        ]
      : [];
  });
}

function isOwn(spec: Spec, url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || 6379);
  return [...spec.members, ...spec.gates].some(
    (place) =>
      place.port === port && (place.address === host || (isLoopback(place.address) && isLoopback(host))),
  );
}
