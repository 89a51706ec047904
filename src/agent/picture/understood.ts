/** What an agent of another host answered, which may be of another release, as this one understands it. Pure. */
import type { z } from 'zod';
import { ofAnyRelease } from '../../api/of-any-release.ts';

/** What one answered, or why it did not. */
export type Said = { answer: unknown } | { missing: string };

const notUnderstood = 'it says what this agent does not understand: is it of another release?';

const read = new WeakMap<z.ZodType, z.ZodType>();

/** @returns what it answered, or why that is not known */
export function understood<T extends z.ZodType>(
  said: Said,
  schema: T,
): { answer: z.output<T> } | { missing: string } {
  if ('missing' in said) return said;
  const lenient = read.get(schema) ?? ofAnyRelease(schema);
  read.set(schema, lenient);
  const { success, data } = lenient.safeParse(said.answer);
  return success ? { answer: data as z.output<T> } : { missing: notUnderstood };
}
