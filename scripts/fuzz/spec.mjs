// Specs, spoilt: each is read or refused with SPEC_INVALID and a place in the file; nothing else comes out, and no object
// gets a property that it did not have.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { mutateText } from '../fuzz-support/mutate.mjs';
import { root } from '../setup.mjs';

const alphabet = '{}[],:-#&*!|>\'"%@`\n\t 0aZ\u0000\u2028';

export async function create() {
  const { parseSpec } = await import(path.join(root, 'dist', 'spec', 'parse.js'));
  const folder = path.join(root, 'examples');
  const seeds = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => sections(readFileSync(path.join(folder, name), 'utf8')));
  let read = 0;
  let refused = 0;

  async function run(random) {
    const seed = seeds[random(seeds.length)];
    const text = mutateText(random(20) === 0 ? seed.join('') : some(seed, random), random, alphabet);
    try {
      parseSpec(text, '/x/holdfast.yaml');
      read++;
    } catch (error) {
      if (error.code !== 'SPEC_INVALID') throw error;
      if (!error.message.includes('holdfast.yaml')) return `no place in: ${error.message}`;
      refused++;
    }
    if (Object.keys(Object.prototype).length > 0)
      return `a spec changed every object: ${JSON.stringify(text)}`;
    return undefined;
  }

  return { run, summary: () => `${read} read, ${refused} refused` };
}

/** The keys at the top with what belongs to each, comments left out; the first is the name. */
function sections(text) {
  return text.replace(/^ *#.*\n/gm, '').split(/^(?=\w)/m);
}

/** A few of them: a short spec is read as many times over in the same time. */
function some(seed, random) {
  const from = random(seed.length);
  return [seed[0], ...(from === 0 ? [] : seed.slice(from, from + 1 + random(2)))].join('');
}
