import type { ByteSink } from '../rdb/byte-sink.ts';
import type { ScanHandler } from '../rdb/scan-handler.ts';
import type { Output } from './output.ts';
import { naming, openInput } from './rdb-input.ts';
import { describeRate } from './rdb-report.ts';

export interface Converter extends ScanHandler {
  keys: number;
  finish?(): void;
}

/** Reads a file with a handler that writes into a sink: what json, resp and memory have in common. */
export async function convertFile(
  output: Output,
  what: string,
  file: string,
  target: string,
  make: (sink: ByteSink) => Converter,
): Promise<void> {
  const input = await openInput(file);
  const { pump } = await import('../rdb/pump.ts');
  const { Scanner } = await import('../rdb/scanner.ts');
  const { openOutput } = await import('./rdb-output.ts');
  const { RdbProgress } = await import('./rdb-progress.ts');
  const written = await openOutput(target);
  const converter = make(written.sink);
  const progress = new RdbProgress(output, `${what} ${input.name}`, [input], () => converter.keys);
  try {
    const after = () => progress.tick() ?? written.sink.drain();
    await naming(input, pump(input.open(), new Scanner(converter), { after }));
    converter.finish?.();
    await written.commit();
  } finally {
    progress.done();
    await written.abandon();
  }
  if (!written.isStdout || output.live) {
    output.note(`${converter.keys} keys (${describeRate(input.taken, progress.seconds)})`);
  }
}
