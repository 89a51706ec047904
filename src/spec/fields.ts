import { z } from 'zod';
import { formatDuration, parseDuration } from '../base/duration.ts';
import { shortNameRule, shortNameShape } from '../base/short-name.ts';
import { formatSize, parseSize } from '../base/size.ts';
import { addressKind } from './address.ts';

/**
 * The kinds of value that a spec is made of. The error text of each is what is allowed, written to follow "found …;
 * allowed: "; `describeIssues` adds what was found and where. `meta` holds what editors show: a sentence and the default.
 */

interface About {
  about: string;
  default?: string | number | boolean | readonly string[];
}

function meta({ about, default: value }: About): { description: string; default?: unknown } {
  return value === undefined ? { description: about } : { description: about, default: value };
}

/** A map with these keys and no others. Writing a section's name with nothing below it means an empty map. */
export function section<Shape extends z.ZodRawShape>(shape: Shape, about: string) {
  const keys = Object.keys(shape);
  return z
    .strictObject(shape, {
      error: (issue) => (issue.code === 'unrecognized_keys' ? keys.join(', ') : 'a map'),
    })
    .describe(about);
}

export function duration(about: About, limits: { minMs?: number; maxMs?: number; seconds?: boolean } = {}) {
  const { minMs = 0, maxMs = 365 * 86_400_000 } = limits;
  const range = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}${limits.seconds ? ', in whole seconds' : ''}`;
  const error = `a duration ${range}, such as 500ms, 10s, 5m, 2h or 7d`;
  return z
    .string({ error })
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, { error, abort: true })
    .refine((text) => inRange(parseDuration(text), minMs, maxMs, limits.seconds ? 1000 : 1), { error })
    .meta(meta(about));
}

export function size(about: About, minBytes = 1) {
  const error = `a size of at least ${formatSize(minBytes)}, such as 512mb or 4gb (or a number of bytes)`;
  const bytes = (value: string | number) => (typeof value === 'number' ? value : parseSize(value));
  return z
    .union([z.string().regex(/^\d+(\.\d+)?\s*([kmgtKMGT]?[bB]?)$/, { error, abort: true }), z.int()], {
      error,
    })
    .refine((value) => inRange(bytes(value), minBytes, 2 ** 53 - 1, 1), { error })
    .meta(meta(about));
}

export function whole(about: About, min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).meta(meta(about));
}

export function flag(about: About) {
  return z.boolean({ error: 'true or false' }).meta(meta(about));
}

export function port(about: About) {
  return whole(about, 1, 65_535);
}

export function choice<const Words extends readonly [string, ...string[]]>(words: Words, about: About) {
  return z.enum(words, { error: `one of ${words.join(', ')}` }).meta(meta(about));
}

export function text(about: About, pattern: RegExp, allowed: string) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed }).meta(meta(about));
}

export function address(about: string) {
  const error = 'an IPv4 address, an IPv6 address without brackets, or a hostname; without a port';
  const wildcards = new Set(['0.0.0.0', '::']);
  return z
    .string({ error })
    .min(1, { error })
    .refine((value) => addressKind(value) !== undefined && !wildcards.has(value), { error })
    .describe(about);
}

/** Addresses to listen on: one or a list; here the wildcards are allowed. */
export function listenAddresses(about: About) {
  const error = 'an IP address or hostname to listen on, or a list of them';
  const one = z.string().refine((value) => addressKind(value) !== undefined);
  return z.union([one, z.array(one).min(1)], { error }).meta(meta(about));
}

export function hostList(about: string, least = 1) {
  const error = 'a list of host names from `hosts`, such as [a, b, c]';
  return z
    .array(z.string({ error: 'the name of a host from `hosts`' }), { error })
    .min(least, { error })
    .describe(about);
}

/** Names of processes, one for each entry of `on`. `holdfast apply` writes it for the hosts. */
export function idList(of: string) {
  const error = `a list of ids, such as [${of}-1, ${of}-3]`;
  return z
    .array(z.string({ error: `an id, such as ${of}-1` }), { error })
    .describe(`Ids, one for each entry of \`on\`. Default: ${of}-1, ${of}-2 and so on.`);
}

/** A key of a map that people name. @param of whose name: `a route's name` */
export function shortName(of: string) {
  return z.string().regex(shortNameShape, { error: `${of}: ${shortNameRule}` });
}

/** Of a server elsewhere that is spoken to with TLS. */
export function targetCa() {
  const about = 'Certificate of the authority of a target with TLS, in place of the system’s.';
  return text({ about }, /\S/, 'the path of a PEM file').optional();
}

/** Beginnings of keys, none of which is the beginning of another. */
export function prefixList(about: string) {
  const error =
    "a list of beginnings of keys, such as ['orders:', 'carts:'], none of them the beginning of another";
  return z
    .array(z.string({ error }).min(1, { error }).max(512, { error }), { error })
    .min(1, { error })
    .max(64, { error: 'at most 64 of them' })
    .refine((list) => list.every((one, at) => list.every((other, i) => i === at || !one.startsWith(other))), {
      error,
    })
    .describe(about);
}

/** Where a secret is read from. A literal secret is refused elsewhere, in words of its own. */
export function secretSource(about: string) {
  const error = '{ file: PATH } or { env: NAME }';
  const file = z.strictObject({ file: z.string().min(1) });
  const env = z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) });
  return z.union([file, env], { error }).describe(about);
}

function inRange(value: number | undefined, min: number, max: number, step: number): boolean {
  return value !== undefined && value >= min && value <= max && value % step === 0;
}
