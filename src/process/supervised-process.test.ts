import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../base/retry.ts';
import { identify, type ProcessIdentity } from './identity.ts';
import { OutputOwners } from './output-owners.ts';
import { type ProcessCommand, spawnHeld } from './spawn-held.ts';
import { type ExitReport, SupervisedProcess } from './supervised-process.ts';

let folder = '';
const started: ProcessIdentity[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-process-'));
});
afterEach(() => {
  for (const { pid, startTime } of started.splice(0)) {
    if (identify(pid)?.startTime === startTime) process.kill(pid, 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

const recordFile = () => path.join(folder, 'process.json');
const record = () => JSON.parse(readFileSync(recordFile(), 'utf8')) as ProcessIdentity & { runId?: string };

/** Runs a line of shell in the folder; its output goes to `log` there. */
function shell(line: string): ProcessCommand {
  return { program: '/bin/sh', args: ['-c', line], cwd: folder, logFile: path.join(folder, 'log') };
}

/** One that is told of what it runs, with every end that it reports. */
function supervised(): { one: SupervisedProcess; ends: ExitReport[] } {
  const one = new SupervisedProcess('thing-1', recordFile(), path.join(folder, 'log'));
  const ends: ExitReport[] = [];
  one.onExit((report) => ends.push(report));
  return { one, ends };
}

async function run(line: string) {
  const made = supervised();
  await made.one.start(shell(line));
  if (existsSync(recordFile())) started.push(record());
  return made;
}

const ended = (ends: ExitReport[]) =>
  waitFor(() => ends.length > 0, { what: 'its end to be told', withinMs: 10_000 });

describe('a process of ours', () => {
  test('a run id that could not be written is written the next time', async () => {
    const { one } = await run('exec sleep 60');
    const away = `${recordFile()}.away`;
    renameSync(recordFile(), away);
    // Nothing can be renamed to the name of a folder.
    mkdirSync(path.join(recordFile(), 'full'), { recursive: true });
    await expect(one.setRunId('abc')).rejects.toThrow();
    rmSync(recordFile(), { recursive: true });
    await one.setRunId('abc');
    expect(record().runId).toBe('abc');
  });

  test.each(['', '{"pid":', 'null', '{"pid":1}'])('half a record, %j, is none', async (text) => {
    writeFileSync(recordFile(), text);
    expect(await supervised().one.adopt()).toBe(false);
    expect(existsSync(recordFile())).toBe(false);
  });

  test('runs in a session of its own, with its output in a file and its record beside it', async () => {
    const { one } = await run('echo out; echo err >&2; exec sleep 60');
    expect(one.running).toBe(true);
    expect(record()).toEqual(identify(one.pid as number));
    const log = () => readFileSync(path.join(folder, 'log'), 'utf8');
    await waitFor(() => log() === 'out\nerr\n', { what: 'its output', withinMs: 10_000 });
    const session = readFileSync(`/proc/${one.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    expect(Number(session)).toBe(one.pid);
  });

  test('is told of once when it ends, with how, and its record is gone', async () => {
    const { one, ends } = await run('exec sleep 60');
    one.signal('SIGKILL');
    await ended(ends);
    expect(ends).toEqual([{ code: null, signal: 'SIGKILL' }]);
    expect(one.running).toBe(false);
    expect(one.pid).toBeNull();
    expect(existsSync(recordFile())).toBe(false);
    one.checkNow();
    expect(ends).toHaveLength(1);
  });

  test('that ends at once is an end like others', async () => {
    const { ends } = await run('exit 7');
    await ended(ends);
    expect(ends).toEqual([{ code: 7, signal: null }]);
    await waitFor(() => !existsSync(recordFile()), { what: 'the record to be gone', withinMs: 10_000 });
  });

  test('that can’t be run is refused, and leaves no record', async () => {
    const { one, ends } = supervised();
    const command = { ...shell(''), program: path.join(folder, 'nothing') };
    await expect(one.start(command)).rejects.toMatchObject({
      code: 'PROCESS_FAILED_TO_START',
      message: expect.stringContaining('thing-1'),
    });
    expect(one.running).toBe(false);
    expect(existsSync(recordFile())).toBe(false);
    expect(ends).toEqual([]);
  });

  test('has its record before anything is waited for: who ends us then leaves no stranger behind', () => {
    const { one } = supervised();
    const starting = one.start(shell('exec sleep 60'));
    started.push(record());
    expect(identify(record().pid)).toEqual(record());
    return starting;
  });

  test('does nothing before its record is there: when we are ended first, so is it', async () => {
    const [lost, free] = ['lost', 'free'].map((name) => spawnHeld(shell(`touch ${name}`)));
    // As the kernel does it when we are killed.
    lost?.child.stdio[3]?.destroy();
    free?.letGo();
    const codes = await Promise.all(
      [lost, free].map((held) => once(held!.child, 'exit').then(([code]) => code)),
    );
    expect(codes).toEqual([1, 0]);
    expect(['lost', 'free'].map((name) => existsSync(path.join(folder, name)))).toEqual([false, true]);
  });

  test('stops when it is asked to, by a signal or in its own way', async () => {
    const first = await run('exec sleep 60');
    await first.one.stop(10_000);
    expect(first.ends).toEqual([{ code: null, signal: 'SIGTERM' }]);
    const second = await run('exec sleep 60');
    await second.one.stop(10_000, async () => {
      second.one.signal('SIGINT');
    });
    expect(second.ends).toEqual([{ code: null, signal: 'SIGINT' }]);
    const third = await run('exec sleep 60');
    await third.one.stop(10_000, () => Promise.reject(new Error('it does not listen')));
    expect(third.ends).toEqual([{ code: null, signal: 'SIGTERM' }]);
  });

  test('that would not stop is not killed: it may be saving its data', async () => {
    const { one, ends } = await run("trap '' TERM; echo ready; while :; do sleep 1; done");
    const log = () => readFileSync(path.join(folder, 'log'), 'utf8');
    await waitFor(() => log().includes('ready'), { what: 'it to be ready', withinMs: 10_000 });
    await expect(one.stop(50)).rejects.toMatchObject({ code: 'PROCESS_WOULD_NOT_STOP' });
    expect(one.running).toBe(true);
    expect(ends).toEqual([]);
  });
});

describe('a process of an earlier agent', () => {
  test('is adopted, noticed when it dies, and then forgotten', async () => {
    const before = await run('exec sleep 60');
    await before.one.setRunId('abc');
    const { one, ends } = supervised();
    expect(await one.adopt()).toBe(true);
    expect([one.pid, one.runId]).toEqual([before.one.pid, 'abc']);
    before.one.signal('SIGKILL');
    await ended(ends);
    // Only its parent learns how it ended.
    expect(ends).toEqual([{ code: null, signal: null }]);
    expect(existsSync(recordFile())).toBe(false);
  });

  test('is stopped like any other', async () => {
    await run('exec sleep 60');
    const { one, ends } = supervised();
    await one.adopt();
    await one.stop(10_000);
    expect(ends).toHaveLength(1);
    expect(one.running).toBe(false);
  });

  test.each([
    ['there is no record', undefined],
    ['its pid has been given to another', { startTime: '1' }],
    ['it is gone', { pid: 2 ** 22 + 1, startTime: '1' }],
  ])('is not adopted when %s', async (_when, record) => {
    const own = identify(process.pid) as ProcessIdentity;
    if (record) writeFileSync(recordFile(), JSON.stringify({ ...own, ...record }));
    const { one } = supervised();
    expect(await one.adopt()).toBe(false);
    expect(one.running).toBe(false);
    expect(existsSync(recordFile())).toBe(false);
  });

  test('is not adopted when nobody can read who it is; that is said, and the record is kept', async () => {
    writeFileSync(recordFile(), '{"pid": 1');
    const { one } = supervised();
    expect(one.damage).toBeNull();
    expect(await one.adopt()).toBe(false);
    expect(one.damage).toContain(recordFile());
    expect(existsSync(recordFile())).toBe(false);
    expect(existsSync(`${recordFile()}.damaged`)).toBe(true);
  });

  test('that turns out to be another’s is let go of, and lives on', async () => {
    const before = await run('exec sleep 60');
    const { one, ends } = supervised();
    await one.adopt();
    await one.disown();
    expect(one.running).toBe(false);
    expect(identify(before.one.pid as number)).toBeDefined();
    expect(ends).toEqual([]);
  });

  /** Starts one while its record can't be written. @returns its pid. */
  async function runUnrecorded(line: string): Promise<number> {
    // Nothing can be renamed to the name of a folder.
    mkdirSync(path.join(recordFile(), 'full'), { recursive: true });
    const { one } = supervised();
    // It runs, whatever the disk says: nobody is told that it does not.
    await one.start(shell(line));
    expect([one.running, one.isUnrecorded]).toEqual([true, true]);
    await expect(one.writeRecord()).rejects.toThrow();
    started.push(identify(one.pid as number) as ProcessIdentity);
    rmSync(recordFile(), { recursive: true });
    return one.pid as number;
  }

  test('whose record could not be written has one as soon as it can be', async () => {
    mkdirSync(path.join(recordFile(), 'full'), { recursive: true });
    const { one } = supervised();
    await one.start(shell('exec sleep 60'));
    rmSync(recordFile(), { recursive: true });
    await one.writeRecord();
    expect(one.isUnrecorded).toBe(false);
    expect(record()).toEqual(identify(one.pid as number));
    await one.stop(10_000);
  });

  test.skipIf(process.platform !== 'linux').each([
    ['there', () => {}],
    ['set aside', () => renameSync(path.join(folder, 'log'), path.join(folder, 'log.1'))],
    ['gone', () => rmSync(path.join(folder, 'log'))],
  ])('whose record could not be written is found by its log, which is %s', async (_where, change) => {
    const pid = await runUnrecorded('exec sleep 60');
    change();
    expect(await supervised().one.adopt()).toBe(false);
    const { one, ends } = supervised();
    expect(await one.adopt(new OutputOwners())).toBe(true);
    expect(one.pid).toBe(pid);
    // Written now: the next one reads it.
    expect(record()).toEqual(identify(pid));
    await one.stop(10_000);
    expect(ends).toHaveLength(1);
  });

  test.skipIf(process.platform !== 'linux')(
    'is not taken for what it started itself, nor for whoever writes to another log',
    async () => {
      const pid = await runUnrecorded('sleep 60 & echo $!; exec sleep 60');
      const log = path.join(folder, 'log');
      await waitFor(() => readFileSync(log, 'utf8').endsWith('\n'), { what: 'its child', withinMs: 10_000 });
      const child = identify(Number(readFileSync(log, 'utf8'))) as ProcessIdentity;
      started.push(child);
      expect(new OutputOwners().of(log)?.pid).toBe(pid);
      expect(new OutputOwners().of(`${log}-2`)).toBeUndefined();
      process.kill(pid, 'SIGKILL');
      await waitFor(() => identify(pid) === undefined, { what: 'its end', withinMs: 10_000 });
      expect(identify(child.pid)).toEqual(child);
      expect(await supervised().one.adopt(new OutputOwners())).toBe(false);
    },
  );
});
