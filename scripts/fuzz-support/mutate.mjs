// Ways to spoil what was right. A whole number from 0 to n - 1 comes from `random(n)`.

const values = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  '',
  'x',
  '../../etc/passwd',
  '/etc/passwd',
  '..',
  'a/b',
  'a\\b',
  '\u0000',
  '\u001b[2J',
  '\u202e',
  '__proto__',
  'constructor',
  [],
  {},
  [[]],
  'redis_2026-01-01T000000Z',
  'x'.repeat(2000),
];

/** A copy of JSON data with one to three places changed, removed or doubled. */
export function mutateJson(data, random) {
  const copy = structuredClone(data);
  for (let changes = 1 + random(3); changes > 0; changes--) spoil(copy, random);
  return copy;
}

function spoil(data, random) {
  let at = data;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = keys[random(keys.length)];
    if (at[key] !== null && typeof at[key] === 'object' && random(3) > 0) {
      at = at[key];
      continue;
    }
    const way = random(5);
    if (way === 0) delete at[key];
    else if (way === 1) at[`${key}${random(9)}`] = at[key];
    else at[key] = structuredClone(values[random(values.length)]);
    return;
  }
}

/** A text with pieces of it changed, cut, doubled or filled with what a parser may stumble over. */
export function mutateText(text, random, alphabet) {
  let out = text;
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(out.length + 1);
    const until = Math.min(out.length, at + random(12));
    const put = [
      () => '',
      () => alphabet[random(alphabet.length)],
      () => out.slice(at, until).repeat(2),
      () => out.slice(random(out.length + 1)).slice(0, random(40)),
      () => String(values[random(values.length)]),
    ][random(5)]();
    out = out.slice(0, at) + put + out.slice(until);
  }
  return out.slice(0, 20_000);
}
