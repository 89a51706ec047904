/** How every refusal is answered, with a status of 4xx or 5xx. */
import { z } from 'zod';
import { text } from './fields.ts';

export const errorSchema = z
  .object({
    code: text('For machines: docs/errors.md lists them.'),
    message: text('What was wrong, and where.'),
    hint: z.string().optional().describe('What to do about it.'),
    field: z.string().optional().describe('The field of the body or query that is wrong.'),
  })
  .describe('What was wrong.');

export const refusalSchema = z
  .object({ error: errorSchema })
  .describe('The body of every answer that is no success.');

export type ApiError = z.infer<typeof errorSchema>;
