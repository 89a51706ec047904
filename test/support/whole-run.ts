/** The usual run has a test of each kind of thing; `npm test -- --whole` has its long series and its variants too. */
export const isWhole = process.env['HOLDFAST_TESTS'] === 'whole';

/** Why a test is not in the usual run; null in a whole one. */
export const whyNotUsual = isWhole ? null : 'npm test -- --whole has it';

/** How often, how long or how many: what the variable says, if it is set. */
export function howMany(variable: string, usual: number, inWhole: number): number {
  return Number(process.env[variable] ?? (isWhole ? inWhole : usual));
}

/** A deadline for a test of a whole run, in ms: for what never comes. A machine may be slow, or busy. */
export const farOff = 3_600_000;
/** The same for what is waited for within one. */
export const farOffWait = 240_000;
