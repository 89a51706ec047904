import { z } from 'zod';
import { specSchema } from './schema.ts';

/** The spec's shape for editors, as the text of schema/holdfast.schema.json. Rules across keys are not in it. */
export function jsonSchemaText(): string {
  const schema = z.toJSONSchema(specSchema, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
