import { randomUUID } from 'node:crypto';

/** JSON for people and programs, indented. Integers that a number can't hold exactly are written with all their digits. */
export function jsonText(value: unknown): string {
  // A string that nobody can have guessed stands for each such integer until the text is there.
  const mark = randomUUID();
  const text = JSON.stringify(
    value,
    (_, held: unknown) => {
      if (typeof held !== 'bigint') return held;
      const near = Number(held);
      return Number.isSafeInteger(near) ? near : `${mark}${held}`;
    },
    2,
  );
  return text.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
}
