/**
 * Answers of agents of other releases. While a deployment is upgraded, host by host, agents of two releases ask each other,
 * and neither may count as silent because of what the other does not say, or says beside it.
 *
 * 1. A field that may be null, or has a default, may be missing, and may say what this release does not know: then nothing
 *    is known of it.
 * 2. An entry of a list that can't be read is left out, and the others are read.
 * 3. What this release does not know is left out.
 * 4. Every other field must be there and be understood. So a field that is new may be null, or has a default: a test keeps
 *    the list of those that must be there.
 */
import { z } from 'zod';

/** The same, read by these rules. Pure. */
export function ofAnyRelease<T extends z.ZodType>(schema: T): z.ZodType<z.output<T>> {
  return lenient(schema) as z.ZodType<z.output<T>>;
}

function lenient(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodNullable) {
    return lenient(schema.unwrap() as z.ZodType)
      .nullable()
      .catch(null);
  }
  if (schema instanceof z.ZodOptional) {
    return lenient(schema.unwrap() as z.ZodType)
      .optional()
      .catch(undefined);
  }
  if (schema instanceof z.ZodDefault) {
    const { defaultValue } = schema.def;
    return lenient(schema.unwrap() as z.ZodType).catch(() => structuredClone(defaultValue));
  }
  if (schema instanceof z.ZodArray) return listOf(schema);
  if (schema instanceof z.ZodRecord) return recordOf(schema);
  if (!(schema instanceof z.ZodObject)) return schema;
  return z.object(
    Object.fromEntries(
      Object.entries(schema.shape).map(([name, field]) => [name, lenient(field as z.ZodType)]),
    ),
  );
}

/** How long a list may be is looked at before. */
function listOf(schema: z.ZodArray): z.ZodType {
  const entry = lenient(schema.element as z.ZodType);
  return z.core.clone(schema, { ...schema.def, element: z.unknown() }).transform((all) =>
    (all as unknown[]).flatMap((each) => {
      const { success, data } = entry.safeParse(each);
      return success ? [data] : [];
    }),
  );
}

function recordOf(schema: z.ZodRecord): z.ZodType {
  const entry = lenient(schema.valueType as z.ZodType);
  return z.record(z.string(), z.unknown()).transform((all) =>
    Object.fromEntries(
      Object.entries(all).flatMap(([name, each]) => {
        const { success, data } = entry.safeParse(each);
        return success ? [[name, data]] : [];
      }),
    ),
  );
}
