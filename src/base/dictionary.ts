/**
 * An object whose keys come from outside: it has no key that was not put there, neither `constructor` nor `__proto__`.
 * Where it need not become JSON, a Map serves better.
 */
export function dictionary<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
