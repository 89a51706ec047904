/** What a person may call a mirror or a route: short, and safe in a metric's label, a log line and a command. */

export const shortNameShape = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

/** To follow what was found, or what it is the name of. */
export const shortNameRule = "letters, digits, '_' and '-', at most 32";

export function isShortName(text: unknown): text is string {
  return typeof text === 'string' && shortNameShape.test(text);
}
