import { commonPrefixes } from '../../base/key-prefixes.ts';
import { isLoopback } from '../address.ts';
import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Mirror, Spec } from '../spec.ts';

/** What of a mirror can be seen without asking anyone. What it leads to is asked when it runs (mirror/guard.ts). */
export function mirrorRules(spec: Spec, file: SpecFile): Problem[] {
  return [...spec.mirrors, ...spec.gate.mirrors].flatMap((mirror): Problem[] => {
    const misplaced = misplacedKeys(mirror, spec, file.mirrors?.[mirror.name]);
    if (misplaced.length > 0) return misplaced;
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

/** What has a meaning in one of both ways only. */
function misplacedKeys(
  { name }: Pick<Mirror, 'name'>,
  { gate }: Spec,
  written: NonNullable<SpecFile['mirrors']>[string] | undefined,
): Problem[] {
  const problem = (key: string, message: string): Problem => ({ path: ['mirrors', name, key], message });
  const { how, writes, percentage, maxRate, queue } = written ?? {};
  if (how === 'requests') {
    return [
      ...(maxRate === undefined
        ? []
        : [problem('maxRate', 'requests are copied as they come; say percentage, or how: stream')]),
      ...(queue === undefined
        ? []
        : [problem('queue', 'nothing waits for a mirror of requests; leave this out, or say how: stream')]),
      ...(gate.kind !== 'haproxy'
        ? []
        : [
            problem(
              'how',
              'copying requests is beyond HAProxy, which does not see commands; use gate.kind: gate',
            ),
          ]),
    ];
  }
  return [
    ...(percentage === undefined
      ? []
      : [problem('percentage', 'a stream carries every write of its keys; say prefixes, or how: requests')]),
    ...(writes !== 'all'
      ? []
      : [problem('writes', 'a stream has no reads in it; leave this out, or say how: requests')]),
  ];
}

function isOwn(spec: Spec, url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || 6379);
  return [...spec.members, ...spec.gates].some(
    (place) =>
      place.port === port && (place.address === host || (isLoopback(place.address) && isLoopback(host))),
  );
}
