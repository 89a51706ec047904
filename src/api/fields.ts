/** Fields that many answers have. Every one says what it means and its unit: docs/api.md and the OpenAPI document show it. */
import { z } from 'zod';

export const id = (about: string) => z.string().max(200).describe(about);
export const text = (about: string) => z.string().describe(about);
export const flag = (about: string) => z.boolean().describe(about);
export const count = (about: string) => z.int().min(0).describe(about);
/** Ms, bytes, or so many a second: whole or not. */
export const amount = (about: string) => z.number().min(0).describe(about);
export const time = (about: string) => z.iso.datetime().describe(`${about} ISO 8601, UTC.`);
export const port = (about: string) => z.int().min(1).max(65_535).describe(about);

/** What is not known, or does not apply, is null: every field is always there. */
export function orNull<T extends z.ZodType>(schema: T) {
  const nullable = schema.nullable();
  return schema.description === undefined ? nullable : nullable.describe(schema.description);
}

/** How long ago what is said of it was so. */
export const ageMs = orNull(
  amount(
    'Null while it answers, or when nothing was ever known. Else: it does not answer, and what is said of it was so this many ms ago.',
  ),
);

/** Where a process of the deployment runs. */
export const place = {
  id: id('Its id, unique in the deployment.'),
  host: id('The id of its host.'),
  address: text('Where others connect to it.'),
  port: port('Its port.'),
};
