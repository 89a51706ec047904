import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Keeping } from '../observe/lost-folder.ts';
import { type Holder, keepOnlyCopy, onlyCopies } from './only-copy.ts';

const holder = fc.record({
  id: fc.uuid(),
  holds: fc.boolean(),
  lost: fc.boolean(),
  stops: fc.boolean(),
});

test('it is refused when somebody has data now and nobody would when they were stopped, and only then', () => {
  fc.assert(
    fc.property(fc.array(holder, { maxLength: 5 }), (holders: Holder[]) => {
      const now = holders.filter(({ holds }) => holds);
      const then = now.filter(({ lost, stops }) => !(lost && stops));
      expect(onlyCopies(holders).length > 0).toBe(now.length > 0 && then.length === 0);
    }),
  );
});

/** A member whose process is this one: its work folder is where the tests run. */
function member(id: string, dataDir: string, keys: number, role: 'primary' | 'replica' = 'primary'): Keeping {
  const unit = { process: { running: true, pid: process.pid }, paths: { dataDir } };
  return {
    place: { id },
    unit,
    watch: { seen: { reachable: true, keys, role, linkUp: role === 'replica' } },
  };
}

test('the only copy whose folder is gone is kept, unless another member has it or the folder is back', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-'));
  const [data, gone] = [path.join(folder, 'data'), path.join(folder, 'gone')];
  symlinkSync(process.cwd(), data);
  try {
    const alone = member('redis-1', data, 7);
    const all = () => true;
    await keepOnlyCopy([alone], all, 'holdfast down');
    renameSync(data, gone);
    const refused = keepOnlyCopy([alone], all, 'holdfast down');
    await expect(refused).rejects.toMatchObject({
      code: 'DATA_LOSS_REFUSED',
      message: expect.stringContaining('redis-1 would begin without data'),
      hint: expect.stringContaining('holdfast backup now'),
    });
    const other = member('redis-2', gone, 7, 'replica');
    await keepOnlyCopy([alone, other], all, 'holdfast down');
    await keepOnlyCopy(
      [alone, member('redis-2', data, 7, 'replica')],
      (each) => each === alone,
      'holdfast restart',
    );
    await keepOnlyCopy([member('redis-1', data, 0)], all, 'holdfast down');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
