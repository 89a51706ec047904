import type { Buffer } from 'node:buffer';
import { readArguments } from '../../resp/arguments.ts';

/**
 * Which writes are sent again when their answer was lost, with `inflightWrites: retry-idempotent`. The rule: applied
 * twice in a row, the request leaves the state that it leaves when applied once, **and** gives the same answer. So
 * whatever counts what it changed is out (DEL, HSET, SADD, XDEL), and whatever depends on what was there (SETNX,
 * EXPIRE NX, COPY without REPLACE). What is not in this list answers UNCERTAIN.
 *
 * `test/conformance/gate-retry.test.ts` applies each to a real server twice and compares state and answers.
 */
interface RetryRule {
  /** Whether this very request may be applied twice; null: any may. */
  when: ((args: Buffer[]) => boolean) | null;
  /** Which requests these are, as docs/gate.md has it; empty for all. */
  only: string;
  why: string;
}

const has = (args: Buffer[], from: number, options: RegExp): boolean =>
  args.slice(from).some((arg) => options.test(arg.toString('latin1')));

/** It computes a key from others, and what it computes is not among them. */
const fromOthers = (target: number): Omit<RetryRule, 'why'> => ({
  when: (args) => {
    const key = args[target];
    return key !== undefined && args.filter((arg) => arg.equals(key)).length === 1;
  },
  only: 'the destination is no source',
});
const replacing = { when: (args: Buffer[]) => has(args, 3, /^replace$/i), only: 'with REPLACE' };
const always = { when: null, only: '' };
const sameSize = 'It writes the destination whole, and answers with its size.';

export const retryRules: Readonly<Record<string, RetryRule>> = {
  set: {
    when: (args) => !has(args, 3, /^(nx|xx|get|if(eq|ne|deq|dne))$/i),
    only: 'without NX, XX, GET or another condition',
    why: 'It writes the value whole, and answers OK whatever was there.',
  },
  setex: { ...always, why: 'SET with EX.' },
  psetex: { ...always, why: 'SET with PX.' },
  mset: { ...always, why: 'It writes every value whole, and answers OK.' },
  hmset: { ...always, why: 'It writes every field whole, and answers OK; HSET counts the new ones.' },
  setrange: {
    ...always,
    why: 'It writes the same bytes, and answers with the length that the value has then.',
  },
  pfmerge: { ...always, why: 'A union with what is in it already changes nothing; the answer is OK.' },
  bitop: { ...fromOthers(2), why: 'It writes the destination whole, and answers with its length.' },
  sdiffstore: { ...fromOthers(1), why: sameSize },
  sinterstore: { ...fromOthers(1), why: sameSize },
  sunionstore: { ...fromOthers(1), why: sameSize },
  zdiffstore: { ...fromOthers(1), why: sameSize },
  zinterstore: { ...fromOthers(1), why: sameSize },
  zunionstore: { ...fromOthers(1), why: sameSize },
  zrangestore: { ...fromOthers(1), why: sameSize },
  geosearchstore: { ...fromOthers(1), why: sameSize },
  copy: { ...replacing, why: 'The destination is the source again, and the answer the same.' },
  restore: {
    when: (args) => has(args, 4, /^replace$/i),
    only: 'with REPLACE',
    why: 'It writes the value whole, and answers OK; without REPLACE the second answers BUSYKEY.',
  },
  'script|load': { ...always, why: 'The same script has the same name, which is the answer.' },
};

/**
 * Whether this very request may be sent twice.
 * @param name in small letters, with its subcommand after a bar
 */
export function mayRetry(name: string, request: Buffer): boolean {
  const rule = Object.hasOwn(retryRules, name) ? retryRules[name] : undefined;
  if (rule === undefined) return false;
  return rule.when === null || rule.when(readArguments(request, 0, request.length));
}

/** The rows of docs/gate.md's table. */
export function retryRows(): string[] {
  return Object.entries(retryRules).map(([name, { only, why }]) => {
    const command = name.toUpperCase().replace('|', ' ');
    return `| ${only === '' ? command : `${command} (${only})`} | ${why} |`;
  });
}
