import { BadOption } from './errors.ts';

/**
 * An option that names one file with a password for all places, or with commas one for each.
 * @param what those places are called, more than one
 * @returns the file of each, in their order; undefined without one. @throws BAD_OPTION
 */
export function passwordFiles(
  option: string,
  text: string | undefined,
  { count, what }: { count: number; what: string },
): (string | undefined)[] {
  const files = text?.split(',') ?? [];
  if (files.length > 1 && files.length !== count) {
    throw BadOption(`${option} names ${files.length} files for ${count} ${what}`, {
      hint: `Name one for all ${what}, or one for each, in their order, with commas between.`,
    });
  }
  return Array.from({ length: count }, (_, index) => files[index] ?? files[0]);
}
