/** What comes in is what its schema says, or it is refused with the field that is wrong. */
import type { z } from 'zod';
import { shown } from '../../base/shown.ts';
import { ApiBadRequest } from '../errors.ts';

/** The field of a body or query that is wrong, for the answer. */
export class WrongField extends Error {
  readonly field: string;

  constructor(field: string) {
    super(field);
    this.field = field;
  }
}

/** @param what `body` or `query`. @throws API_BAD_REQUEST, with a WrongField as its cause */
export function validated<T extends z.ZodType>(
  schema: T,
  value: unknown,
  what: 'body' | 'query',
): z.output<T> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...unknown].map(String).join('.');
  const where = field === '' ? `the ${what}` : `${what}.${field}`;
  throw ApiBadRequest(
    `${shown(where, 100)}: ${shown(issue?.message ?? 'it is not what it should be', 300)}`,
    {
      hint: 'docs/api.md and /api/openapi.json say what is wanted.',
      cause: new WrongField(shown(field, 100)),
    },
  );
}
