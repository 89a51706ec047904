import { isIpv6, isLoopback } from '../address.ts';
import { helloChannel, unclearChannel } from '../hello-channel.ts';
import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';

export function securityRules(spec: Spec, file: SpecFile): Problem[] {
  return [
    ...userRules(spec),
    ...tlsRules(file),
    ...authorityRules(spec),
    ...bindRules(spec),
    ...overlapRules(spec),
  ];
}

/** Names with this prefix are those of holdfast's own users. */
const reservedPrefix = 'holdfast-';

function userRules(spec: Spec): Problem[] {
  return spec.security.users.flatMap(({ name, acl }): Problem[] => {
    const path = ['security', 'users', name];
    if (name.startsWith(reservedPrefix)) {
      const message = `names that start with '${reservedPrefix}' are for holdfast's own users; choose another`;
      return [{ path, message, about: 'key' }];
    }
    const wrong = acl.split(/\s+/).find((rule) => rule !== '' && !aclRule.test(rule));
    if (wrong !== undefined) {
      const message = `found '${wrong}', which is not an ACL rule; allowed: ~keys, &channels, +command, -command, +@category`;
      return [{ path: [...path, 'acl'], message }];
    }
    const channel = unclearChannel(`-@all ${acl}`);
    if (channel === undefined) return [];
    const message =
      `found '&${channel}', which covers ${helloChannel}: whoever publishes there tells the Sentinels who is primary; ` +
      'name narrower channels, or only a beginning and * (&* is narrowed for you), or take the right to publish away with -publish -spublish';
    return [{ path: [...path, 'acl'], message }];
  });
}

/** A rule's outline; whether its command or category exists, only the server knows. Brackets make selectors (7.0). */
const aclRule =
  /^\(?([~&].*|%[RW]{1,2}~.*|[+-]@?[\w|.-]+|on|allkeys|resetkeys|allchannels|resetchannels|allcommands|nocommands|clearselectors)?\)?$/i;

function tlsRules(file: SpecFile): Problem[] {
  const keys = ['cert', 'key', 'ca'] as const;
  return (['security', 'agent'] as const).flatMap((section) => {
    const tls = file[section]?.tls ?? {};
    if (tls === 'auto') return [];
    const missing = keys.filter((key) => tls[key] === undefined);
    if (missing.length === 0 || missing.length === keys.length) return [];
    const who = section === 'agent' ? 'every agent' : 'every server and gate';
    return missing.map((key) => ({
      path: [section, 'tls', key],
      message: `it is missing; TLS needs cert, key and ca: ${who} proves who it is to the others`,
    }));
  });
}

/**
 * The authority is where its key is: on the machine that `apply` is run on, or that everything runs on. Hosts that make
 * one each would not know each other.
 */
function authorityRules({ security, hosts, laptop }: Spec): Problem[] {
  const bare = hosts.find(({ ssh }) => ssh === null);
  if (security.authority === null || laptop || bare === undefined) return [];
  const message =
    `found 'auto', and host ${bare.id} is not reached by ssh: certificates are made on one machine and brought to the ` +
    'others by holdfast apply; give every host ssh, or name cert, key and ca';
  return [{ path: ['security', 'tls'], message }];
}

/** Two listeners of one address and port can't be: the second would fail when the servers run already. */
function overlapRules({ agent: { bind } }: Spec): Problem[] {
  const path = ['agent', 'bind'];
  const problems: Problem[] = [];
  for (const [index, address] of bind.entries()) {
    if (bind.indexOf(address) < index) {
      problems.push({ path, message: `found '${address}' twice; name it once` });
    }
    const every = isIpv6(address) ? '::' : '0.0.0.0';
    if (address === every || !bind.includes(every)) continue;
    problems.push({
      path,
      message: `found '${address}' beside '${every}', which is every address; name one of the two`,
    });
  }
  return problems;
}

/**
 * The API shows the deployment to whoever reaches it. Opening it to other machines has to be meant: a deployment with a
 * secret of its own was set up on purpose, and tokens for the API can be derived from it (`Secrets.apiToken`). Hosts that are
 * reached by ssh get one secret from `holdfast apply`, before anything starts there.
 */
function bindRules(spec: Spec): Problem[] {
  const open = spec.agent.bind.find((address) => !isLoopback(address));
  const isBrought = !spec.laptop && spec.hosts.every(({ ssh }) => ssh !== null);
  if (open === undefined || spec.security.secret !== null || isBrought) return [];
  return [
    {
      path: ['agent', 'bind'],
      message:
        `found '${open}' without security.secret: other machines would reach the API of a deployment that has no ` +
        'secret of its own to know them by; set security.secret, give every host ssh so that holdfast apply brings one, or bind to 127.0.0.1',
    },
  ];
}
