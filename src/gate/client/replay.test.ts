import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeRequest } from '../../resp/write.ts';
import { CommandTable } from '../commands/command-table.ts';
import { retryRules } from '../commands/retry.ts';
import { wellKnown } from '../commands/well-known.ts';
import { fateOf } from './replay.ts';

/** Of a server that knows the well-known commands, and of one that was not asked yet: which commands only read is as it is. */
const table = new CommandTable();
const reads = new Set(wellKnown.filter(([, flag]) => flag === 'readonly').map(([name]) => name));
const names = [...wellKnown.map(([name]) => name), 'shutdown', 'acl', 'config', 'newer', 'a.module'];
const request = fc
  .tuple(
    fc.constantFrom(...names),
    fc.array(fc.constantFrom('a', 'b', 'nx', 'replace', 'get'), { maxLength: 4 }),
  )
  .map((words) => writeRequest(words.flat()));
const loss = fc.record({
  sent: fc.boolean(),
  suspect: fc.boolean(),
  waited: fc.boolean(),
  refusal: fc.option(fc.constant(Buffer.from('-NOQUORUM\r\n'))),
});

test('what a server may have executed is sent again only if it reads, or its rule says that twice is once', () => {
  const property = fc.property(
    request,
    loss,
    fc.boolean(),
    fc.boolean(),
    (bytes, lost, retriesWrites, fast) => {
      const command = { ...table.commandIn(bytes), fast };
      const fate = fateOf(command, bytes, lost, retriesWrites);
      if (!lost.sent) return fate === 'sent first';
      if (lost.waited) return fate === 'carried over';
      if (command.read && lost.refusal !== null) return fate === 'refused';
      if (fate === 'suspect') return command.read && lost.suspect && !fast;
      if (fate === 'uncertain') return !command.read;
      if (command.read) return fate === 'sent again' && !(lost.suspect && !fast);
      return !lost.suspect && retriesWrites && Object.hasOwn(retryRules, command.name);
    },
  );
  fc.assert(property, { numRuns: 2000, seed: 1 });
});

test('no table, or one without the command, makes a write of it', () => {
  for (const name of names) {
    const { read } = table.commandIn(writeRequest([name, 'x']));
    expect(`${name} ${read}`).toBe(`${name} ${reads.has(name) || /^(ping|echo|time|info)$/.test(name)}`);
  }
});
