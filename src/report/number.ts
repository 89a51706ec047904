/** A figure for people: `1 234 567`, `83.4`, `0.31`. Text stays as it is. */
export function describeNumber(value: number | string): string {
  if (typeof value === 'string') return value;
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 1000 ? 0 : size >= 10 ? 1 : 2;
  const [whole = '', part] = value.toFixed(digits).split('.');
  const grouped = size >= 10_000 ? whole.replace(/\B(?=(\d{3})+$)/g, ' ') : whole;
  return part === undefined ? grouped : `${grouped}.${part}`;
}

/** A moment on an axis, exact to a thousandth: rounding would put together what came one after the other. */
export function describeMoment(x: number): string {
  return String(Math.round(x * 1000) / 1000);
}
