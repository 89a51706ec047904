/** Notes in the state directory, for the next agent. One that is not as we write it is named, and nothing is concluded from it. */
import type { z } from 'zod';
import { errorText } from '../../base/errors.ts';
import { StateDirUnusable } from '../errors.ts';

/**
 * @param says what such a note says: `whether the automatic actions are paused`. @param hint what to do about one that
 * doesn't. @throws STATE_DIR_UNUSABLE
 */
export function readNote<T>(
  text: string,
  schema: z.ZodType<T>,
  { file, says, hint }: { file: string; says: string; hint: string },
): T {
  let why: string;
  let cause: unknown;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    cause = parsed.error;
    const [issue] = parsed.error.issues;
    why = `${issue?.path.join('.') || 'the whole'}: ${issue?.message}`;
  } catch (error) {
    cause = error;
    why = errorText(error);
  }
  throw StateDirUnusable(`${file} does not say ${says}: ${why}`, { hint, cause });
}
