/**
 * What a user may do at a server, found out without doing it.
 *
 * - In a transaction that is discarded: a server looks at the user's rights before it queues a command (Redis 6.0 and later; those
 *   before know no users), so that whoever may MULTI finds out. What is not let into a transaction says nothing there.
 * - By ACL DRYRUN (Redis 7 and later), which only few may.
 * - Where neither is to be had, what only reads is done.
 *
 * All goes over one connection: on another one, behind a break, a command would be executed. So those that are asked about here
 * are such as change nothing if they are.
 * Source: processCommand in server.c, ACLCheckAllPerm in acl.c, of Redis 6.0 to 8.6.
 */
import { HoldfastError } from '../base/errors.ts';
import { refusalReply } from '../redis/errors.ts';
import type { Request } from '../redis/link.ts';
import { ReplyError } from '../resp/read.ts';

export interface Probe {
  /** With its subcommand: `CLIENT PAUSE`. */
  command: string;
  /** Behind it. */
  args?: readonly string[];
  /** It may be done to find out. */
  reads?: boolean;
}

/** What a user may not. */
export interface Lacking {
  command: string;
  /** What the server says. */
  says: string;
  /** Behind ACL SETUSER and the user's name it is granted; null where nobody is let do it, as managed services have it. */
  rule: string | null;
  /** What it does not let the user have: the command, or any key or channel for it. */
  lacks: 'command' | 'key' | 'channel';
}

export interface Rights {
  user: string;
  lacking: Lacking[];
  /** What nobody could look at, and why; null when all was. */
  unknown: string | null;
}

/** One connection, which ends for good when it breaks. */
export interface OneConnection {
  call(request: Request): Promise<unknown>;
  callEach(requests: readonly Request[]): Promise<unknown>[];
}

/** @param loggedInAs counts where the server does not say who we are. @throws REDIS_UNREACHABLE */
export async function askRights(
  server: OneConnection,
  probes: readonly Probe[],
  loggedInAs = 'default',
): Promise<Rights> {
  const whoami = await answered(server.call(['ACL', 'WHOAMI']));
  const user = typeof whoami === 'string' ? whoami : loggedInAs;
  const multi = await answered(server.call(['MULTI']));
  const queued = multi === 'OK' ? await queuedReplies(server, probes) : null;
  const lacking: Lacking[] = [];
  const notLookedAt: string[] = [];
  let says = '';
  for (const [index, probe] of probes.entries()) {
    const reply = probe.command === 'MULTI' ? multi : queued?.[index];
    if (reply === 'QUEUED' || reply === 'OK') continue;
    const refusal = refusalIn(reply);
    if (refusal !== null) {
      lacking.push(lackingOf(probe, refusal));
      continue;
    }
    const told = await answered(server.call(['ACL', 'DRYRUN', user, ...requestOf(probe)]));
    if (typeof told === 'string' && told !== 'OK') lacking.push(lackingOf(probe, told));
    if (!(told instanceof ReplyError) || queued !== null) continue;
    const done = probe.reads ? refusalIn(await answered(server.call(requestOf(probe)))) : null;
    if (done !== null) lacking.push(lackingOf(probe, done));
    if (!probe.reads) notLookedAt.push(probe.command);
    says = told.text;
  }
  const unknown =
    notLookedAt.length === 0
      ? null
      : `whether the user may ${notLookedAt.join(', ')}: MULTI and ACL DRYRUN are refused (${says})`;
  return { user, lacking, unknown };
}

/** What each answers in the transaction that is begun, which is discarded. */
async function queuedReplies(server: OneConnection, probes: readonly Probe[]): Promise<unknown[]> {
  const asked = [...probes.filter(isQueued).map(requestOf), ['DISCARD'] as const];
  const replies = await Promise.all(server.callEach(asked).map(answered));
  let next = 0;
  return probes.map((probe) => (isQueued(probe) ? replies[next++] : null));
}

/** These would begin or end the transaction. */
function isQueued({ command }: Probe): boolean {
  return !['MULTI', 'EXEC', 'DISCARD', 'RESET', 'QUIT'].includes(command);
}

function requestOf({ command, args = [] }: Probe): Request {
  const [name = '', ...rest] = command.split(' ');
  return [name, ...rest, ...args];
}

async function answered(reply: Promise<unknown>): Promise<unknown> {
  return await reply.catch((error: unknown) => {
    const refused = refusalReply(error);
    if (refused === undefined) throw error;
    return refused;
  });
}

/** Of an error, whether it says that the command is not for us: others are about how it was asked. Pure. */
export function refusalIn(reply: unknown): string | null {
  if (!(reply instanceof ReplyError)) return null;
  return /^(NOPERM|NOAUTH|ERR unknown (sub)?command|ERR(?!.*(transaction|MULTI)).*(not allowed|disabled|not supported|forbidden))/i.test(
    reply.text,
  )
    ? reply.text
    : null;
}

/** @param says NOPERM, what DRYRUN says, or why nobody is let do it */
function lackingOf({ command, args }: Probe, says: string): Lacking {
  const lacks = (/access (?:the '.*'|one of the) (key|channel)/s.exec(says)?.[1] ??
    'command') as Lacking['lacks'];
  const rules = { command: ruleFor(command), key: '~*', channel: `&${args?.[0] ?? '*'}` };
  return { command, says, rule: isRight(says) ? rules[lacks] : null, lacks };
}

/** Whether a server says so of a user's rights, in a reply or by DRYRUN. */
export function isRight(says: string): boolean {
  return /^NOPERM|has no permissions/.test(says);
}

/** `CLIENT PAUSE` is `+client|pause`. */
function ruleFor(command: string): string {
  return `+${command.toLowerCase().replace(' ', '|')}`;
}

/** For people: who may not do what, in a half of a sentence. */
export function mayNot(name: string, user: string, missing: readonly Lacking[]): string {
  const commands = missing.map(({ command }) => command).join(', ');
  const some = missing.every(({ lacks }) => lacks === 'key') ? ' some keys' : '';
  return `the user ${user} may not ${commands}${some} at ${name} (${missing[0]?.says})`;
}

/** Behind that: the command that grants it; empty where none can. */
export function granted(user: string, missing: readonly Pick<Lacking, 'rule'>[]): string {
  const rules = missing.map(({ rule }) => rule);
  if (rules.includes(null)) return '';
  return `. ${grantOf(user, rules as string[])} there grants it`;
}

export function grantOf(user: string, rules: readonly string[]): string {
  return `ACL SETUSER ${user} ${[...new Set(rules)].join(' ')}`;
}

/** The hint of an error that is about one right, where it is not known who the user is. */
export function grantHint(rule: string): string {
  return `${grantOf('USER', [rule])} there grants it; docs/migrating.md lists all that its user needs.`;
}

/**
 * Of an error, or of what lies behind it, whether the user lacks a right: what grants it.
 * @returns undefined when it is about something else. Pure.
 */
export function rightLackedBy(error: unknown): { says: string; rule: string | null } | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (!(each instanceof HoldfastError)) continue;
    const reply = refusalReply(each);
    if (reply?.kind === 'NOPERM') return { says: reply.text, rule: ruleIn(reply.text) };
    const refusal = refusalIn(reply);
    if (refusal !== null && reply?.kind !== 'NOAUTH') return { says: refusal, rule: null };
  }
  return undefined;
}

/** What grants what a NOPERM refuses. Redis 6 names the command only, or that there is a subcommand. Pure. */
export function ruleIn(says: string): string {
  const name = /run the '([^']+)' command/.exec(says)?.[1];
  if (name !== undefined) return `+${name}`;
  return / channels?\b/.test(says) ? '&*' : '~*';
}
