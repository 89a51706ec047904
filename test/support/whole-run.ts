/** The usual run has a test of each kind of thing; `npm test -- --whole` has its long series and its variants too. */
export const isWhole = process.env['HOLDFAST_TESTS'] === 'whole';

/** Why a test is not in the usual run; null in a whole one. */
export const whyNotUsual = isWhole ? null : 'npm test -- --whole has it';

/** How often, how long or how many: what the variable says, if it is set. */
export function howMany(variable: string, usual: number, inWhole: number): number {
  return Number(process.env[variable] ?? (isWhole ? inWhole : usual));
}
