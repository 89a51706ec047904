import { createHash, randomBytes } from 'node:crypto';
import { link, rename, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../../base/errors.ts';
import { identify, isRunning, type ProcessIdentity } from '../../process/identity.ts';
import { AlreadyRuns } from '../errors.ts';
import { readRecord, writeRecord } from './agent-record.ts';

/** The agent that has this state directory, if it lives. */
export async function runningAgent(recordFile: string): Promise<ProcessIdentity | undefined> {
  return ownerIn(await readRecord(recordFile));
}

/** Who a record speaks of, when that one lives. */
function ownerIn(text: string | undefined): ProcessIdentity | undefined {
  if (!text) return undefined;
  try {
    const identity = JSON.parse(text) as ProcessIdentity;
    return isRunning(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the state directory for this process: one agent at a time, also when several start at once. The record is
 * put into place whole, so that nobody reads half of it and takes its owner for dead.
 * @returns what gives it back.
 * @throws ALREADY_RUNS
 */
export async function takeLock(recordFile: string): Promise<() => Promise<void>> {
  const mine = `${JSON.stringify(identify(process.pid))}\n`;
  const fresh = `${recordFile}.${randomBytes(6).toString('hex')}`;
  try {
    // Not synced to disk: a power cut ends the owner too, and half a record names nobody who lives.
    await writeRecord(fresh, mine);
    while (!(await linkIfAbsent(fresh, recordFile))) {
      const other = await runningAgent(recordFile);
      if (other) throw alreadyRuns(other);
      if (await replaceDead(recordFile, fresh)) break;
    }
  } finally {
    await rm(fresh, { force: true });
  }
  return async () => {
    if ((await readRecord(recordFile).catch(() => '')) === mine) await rm(recordFile, { force: true });
  };
}

const lookAgainMs = 5;

/**
 * Puts `fresh` in the place of a dead agent's record. Only who holds the claim on that very record may: the claim's
 * name comes from the record's text, and the record is looked at again once it is held, so that nobody replaces the
 * record of a living agent that was quicker.
 */
async function replaceDead(recordFile: string, fresh: string): Promise<boolean> {
  const dead = await readRecord(recordFile);
  // Since it was found dead, or gone, a living agent may have put its own there.
  if (dead === undefined || ownerIn(dead) !== undefined) return false;
  const digest = createHash('sha256').update(dead).digest('hex').slice(0, 12);
  let release: () => Promise<void>;
  try {
    release = await takeLock(`${recordFile}.after-${digest}`);
  } catch (error) {
    if (errorCode(error) !== 'ALREADY_RUNS') throw error;
    await delay(lookAgainMs);
    return false;
  }
  try {
    if ((await readRecord(recordFile)) !== dead) return false;
    await rename(fresh, recordFile);
    return true;
  } finally {
    await release();
  }
}

async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function alreadyRuns({ pid }: ProcessIdentity): Error {
  return AlreadyRuns(`an agent already runs this deployment (pid ${pid})`, {
    hint: 'holdfast status shows it, holdfast down stops it.',
  });
}
