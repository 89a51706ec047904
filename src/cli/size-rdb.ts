import type { Output } from './output.ts';
import { openInput } from './rdb-input.ts';

/** What the keys of an RDB would take in a server's memory: the sum of `rdb memory`. Expired keys count. */
export async function measureRdb(
  file: string,
  output: Output,
): Promise<{ name: string; keys: number; dataBytes: number }> {
  const input = await openInput(file);
  const { pump } = await import('../rdb/pump.ts');
  const { Scanner } = await import('../rdb/scanner.ts');
  const { MemoryEstimator } = await import('../rdb/memory.ts');
  const { RdbProgress } = await import('./rdb-progress.ts');
  let dataBytes = 0;
  const estimator = new MemoryEstimator(
    () => true,
    ({ bytes }) => {
      dataBytes += bytes;
    },
  );
  const progress = new RdbProgress(output, `size ${input.name}`, [input], () => estimator.keys);
  try {
    await pump(input.open(), new Scanner(estimator), { after: () => progress.tick() });
  } finally {
    progress.done();
  }
  return { name: input.name, keys: estimator.keys, dataBytes: Math.ceil(dataBytes) };
}
