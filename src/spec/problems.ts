import { isAlias, isMap, isNode, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { z } from 'zod';
import { closestWord } from './suggest.ts';

/** A path into the spec: map keys and list indexes. */
export type SpecPath = readonly (string | number)[];

/** One thing that is wrong with a spec. `about` says where to point: at the value, or at the key itself. */
export interface Problem {
  readonly path: SpecPath;
  readonly message: string;
  readonly about?: 'key' | 'value';
}

/** Turns what the schema found into problems: what was found, what is allowed, and what was probably meant. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], value: unknown): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = issue.path as (string | number)[];
    if (issue.code === 'unrecognized_keys') {
      const known = issue.message.split(', ');
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `there is no such key here${meant(key, known)}; allowed: ${issue.message}`,
        about: 'key',
      }));
    }
    if (issue.code === 'invalid_key') {
      const allowed = issue.issues[0]?.message ?? issue.message;
      return [{ path, message: `found the name ${show(path.at(-1))}; allowed: ${allowed}`, about: 'key' }];
    }
    const found = valueAt(value, path);
    const isMap = typeof found === 'object' && found !== null && !Array.isArray(found);
    const inside = issue.code === 'invalid_union' && isMap ? insideOf(issue.errors) : null;
    if (inside !== null) {
      const whole = inside.map((each) => ({ ...each, path: [...path, ...each.path] }));
      return describeIssues(whole as z.core.$ZodIssue[], value);
    }
    if (found === undefined) return [{ path, message: `it is missing; say ${issue.message}` }];
    const words = issue.code === 'invalid_value' ? issue.values.map(String) : [];
    const hint = typeof found === 'string' ? meant(found, words) : '';
    return [{ path, message: `found ${show(found)}${hint}; allowed: ${issue.message}` }];
  });
}

/**
 * What is wrong inside of the only kind of value that it can be meant to be: a map where a word or a map is allowed. Null:
 * it is none of the kinds, or may be meant for several.
 */
function insideOf(kinds: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const isOther = ({ code, path }: z.core.$ZodIssue) =>
    path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
  const [meant, ...others] = kinds.filter((issues) => !issues.some(isOther));
  return meant !== undefined && others.length === 0 ? meant : null;
}

/** `redis.on[1]`; the spec itself is `the spec`. */
export function pathText(path: SpecPath): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return text === '' ? 'the spec' : text.replace(/^\./, '');
}

/** A value as a message shows it; whole maps and lists only by kind. */
export function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = String(value);
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return typeof value === 'string' ? `'${short}'` : short;
}

/** Where a path stands in the file; the nearest place above it when it isn't written there. Lines count from 1. */
export function locate(
  root: Node | null,
  problem: Problem,
  lines: LineCounter,
): { line: number; column: number } {
  let node: unknown = root;
  let offset = startOf(root) ?? 0;
  for (const [depth, step] of problem.path.entries()) {
    const last = depth === problem.path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(step),
      );
      if (!isPair(pair)) break;
      const key = startOf(pair.key) ?? offset;
      offset = last && problem.about !== 'key' ? (startOf(pair.value) ?? key) : key;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else break;
  }
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function startOf(node: unknown): number | undefined {
  if (!isNode(node) || isAlias(node)) return isAlias(node) ? node.range?.[0] : undefined;
  // A value that isn't there has an empty range at the end of its line: the key says more.
  if (isScalar(node) && node.value === null && node.source === '') return undefined;
  return node.range?.[0];
}

function valueAt(value: unknown, path: SpecPath): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined,
    value,
  );
}

export function meant(found: string, known: readonly string[]): string {
  const word = closestWord(found, known);
  return word === undefined || word === found ? '' : ` (did you mean '${word}'?)`;
}
