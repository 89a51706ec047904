import type { Command } from 'commander';
import { errorCode } from '../base/errors.ts';
import { describeSize } from '../base/size.ts';
import type { RdbProblem } from '../rdb/errors.ts';
import type { VerifyReport } from '../rdb/verify.ts';
import type { Output } from './output.ts';
import { openInput, type RdbInput } from './rdb-input.ts';
import { describeRate, keyAsJson } from './rdb-report.ts';
import { action, verb } from './verb.ts';

export function verifyVerb(): Command {
  return verb('verify', 'check structure, encodings and checksum; exit 3 when a file is bad', [
    ['holdfast rdb verify dump.rdb', 'names the place, the key and what is wrong'],
    ['holdfast rdb verify - < dump.rdb.gz', 'from stdin, unpacked on the way'],
  ])
    .argument('<file...>', 'RDB files, plain or packed with gzip or zstd; - is stdin')
    .action(
      action(async (output, [files]) => {
        const results: object[] = [];
        let isGood = true;
        for (const file of files as unknown as string[]) {
          const result = await verifyOne(output, file);
          isGood &&= result.ok;
          results.push(result);
        }
        output.data(results.length === 1 ? results[0] : results);
        return isGood ? 0 : 3;
      }),
    );
}

async function verifyOne(output: Output, file: string): Promise<{ ok: boolean }> {
  const input = await openInput(file);
  const { RdbVerifier } = await import('../rdb/verify.ts');
  const { problemOf } = await import('../rdb/errors.ts');
  const { RdbProgress } = await import('./rdb-progress.ts');
  const verifier = new RdbVerifier();
  const progress = new RdbProgress(output, `verify ${input.name}`, [input], () => verifier.keys);
  try {
    const { pump } = await import('../rdb/pump.ts');
    const trailing = await pump(input.open(), verifier.scanner, { after: () => progress.tick() });
    const report = verifier.finish();
    progress.done();
    return tellReport(output, input, report, trailing, progress.seconds);
  } catch (error) {
    progress.done();
    const problem = problemOf(error);
    if (problem === undefined && errorCode(error) !== 'RDB_BAD_COMPRESSION') throw error;
    const message = (error as Error).message;
    const told = message.startsWith(input.name) ? message : `${input.name}: ${message}`;
    output.line(`${output.colors.red('bad')}  ${told}`);
    return {
      file: input.name,
      ok: false,
      code: errorCode(error),
      message,
      keysBefore: verifier.keys,
      bytesRead: verifier.bytes,
      problems: problem === undefined ? [] : [problemAsJson(problem)],
    } as { ok: boolean };
  }
}

async function tellReport(
  output: Output,
  input: RdbInput,
  report: VerifyReport,
  trailing: number,
  seconds: number,
): Promise<{ ok: boolean }> {
  const { describeProblem } = await import('../rdb/errors.ts');
  const isAofBase = report.aux['aof-preamble'] === '1' || report.aux['aof-base'] === '1';
  const ok = report.problemCount === 0;
  const { colors } = output;
  for (const problem of report.problems) {
    output.line(`${colors.red('bad')}  ${input.name}: ${describeProblem(problem)}`);
  }
  if (report.problemCount > report.problems.length) {
    output.line(
      `${colors.red('bad')}  ${input.name}: and ${report.problemCount - report.problems.length} more`,
    );
  }
  const checksum = report.checksum === 'matches' ? 'checksum matches' : 'no checksum in the file';
  const written = `${report.flavor === 'redis' ? 'RDB' : 'Valkey RDB'} version ${report.version}`;
  const head = ok ? colors.green('good') : colors.red('bad ');
  output.line(
    `${head} ${input.name}: ${written}, ${report.keys} keys, ${describeSize(report.bytes)}, ${checksum} ` +
      `(${describeRate(report.bytes, seconds)})`,
  );
  if (trailing > 0) {
    const what = isAofBase ? 'commands of the append-only file, not checked' : 'nothing reads them';
    output.line(`     ${trailing} bytes follow the RDB: ${what}`);
  }
  const { problems, problemCount, ...facts } = report;
  return {
    file: input.name,
    ok,
    ...facts,
    trailing,
    problemCount,
    problems: problems.map(problemAsJson),
  } as {
    ok: boolean;
  };
}

function problemAsJson(problem: RdbProblem): object {
  const { key, ...rest } = problem;
  return key === undefined ? rest : { ...rest, key: keyAsJson(key) };
}
