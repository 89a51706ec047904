/**
 * What a member saves when it is stopped. What it keeps up to date by itself says so, not the spec: that may have changed
 * since. With an AOF every write is in it already; an AOF whose first rewrite is not complete is let go of, for the server
 * refuses to stop with one, and what counts is the RDB.
 */
import { readFileIfThere } from '../../base/atomic-file.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import type { Unit } from '../units/unit.ts';
import { readChangeMark, writeChangeMark } from './change-mark.ts';
import { aofStamp, dataFiles } from './data-files.ts';
import { kindOnDisk } from './plan.ts';

export type ShutdownMode = 'SAVE' | 'NOSAVE';

export async function shutdownMode(
  { paths }: Unit,
  client: Pick<MemberClient, 'getConfig' | 'setConfig'>,
): Promise<ShutdownMode> {
  const mark = await readChangeMark(paths);
  const conf = (await readFileIfThere(paths.config)) ?? '';
  const counts = mark && kindOnDisk(mark, await aofStamp(dataFiles(paths.dataDir, conf)));
  const { appendonly, save } = await client.getConfig('appendonly', 'save');
  if (appendonly === 'yes') {
    if (counts === null || counts === 'aof') return 'NOSAVE';
    await client.setConfig('appendonly', 'no');
  }
  return save !== '' || counts === 'rdb' ? 'SAVE' : 'NOSAVE';
}

/** What was saved at the stop counts, if the AOF had been switched off to be replaced by it. */
export async function noteSaved({ paths }: Unit, mode: ShutdownMode): Promise<void> {
  const mark = await readChangeMark(paths);
  if (mode === 'SAVE' && mark?.from === 'aof' && mark.to === 'rdb' && mark.stage === 'writing')
    await writeChangeMark(paths, { ...mark, stage: 'written' });
}
