/**
 * Carries out the change of one running member's persistence, step by step as plan.ts says, from wherever it stands.
 * Nothing is switched before the new files are complete; an error leaves the mark, so that what counts stays known.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode, errorText } from '../../base/errors.ts';
import { noRoomIn } from '../../process/server-log.ts';
import { lastLogLines } from '../../process/supervised-process.ts';
import { type Info, keyCount } from '../../redis/info.ts';
import { MemberClient } from '../../redis/member-client.ts';
import { ownUserName } from '../../spec/secrets.ts';
import type { RedisSettings } from '../../spec/spec.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { PersistenceChangeFailed } from '../errors.ts';
import { endpointHere } from '../state/taken-over.ts';
import type { Unit } from '../units/unit.ts';
import { readChangeMark, removeChangeMark, writeChangeMark } from './change-mark.ts';
import { countKeys } from './count-keys.ts';
import { aofParts, aofStamp, type DataFiles, dataFiles, rdbStamp } from './data-files.ts';
import {
  type ChangeMark,
  type ChangeSight,
  countsAgree,
  type DataKind,
  kindOf,
  kindOfSettings,
  nextStep,
} from './plan.ts';
import { forgetKeptRdb, forgetReplaced, keepRdb, putRdbBack, setAside } from './replaced-files.ts';

type Report = (line: string) => void;

export interface ChangeContext {
  setting: Setting;
  member: LiveMember;
  report: Report;
  /** Why it can't go on just now; undefined when it can. */
  disturbed: () => string | undefined;
}

/** A server that syncs its disk or ends a child answers late. */
const answerWithinMs = 30_000;
const lookEveryMs = 50;
const sayEveryMs = 5000;
const pauseMs = 3000;
/** Lines of its log that are about a child that just failed. */
const lastWords = 20;

/** What the server keeps up to date now, by its own settings. */
export async function runningKind(client: Pick<MemberClient, 'getConfig'>): Promise<DataKind> {
  const { appendonly, save } = await client.getConfig('appendonly', 'save');
  return kindOfSettings({ appendonly: appendonly === 'yes', save: save ?? '' });
}

/**
 * Brings one member to what the spec says. Does nothing when it is there already.
 * @throws PERSISTENCE_CHANGE_FAILED
 */
export async function changePersistence(context: ChangeContext): Promise<void> {
  const { setting, member } = context;
  const unit = member.unit as Unit;
  const client = new MemberClient({
    endpoint: endpointHere(unit.paths, member.place),
    credentials: { username: ownUserName('agent'), password: setting.secrets.own.agent },
    tls: setting.tls,
    timeoutMs: answerWithinMs,
  });
  try {
    const conf = await readFile(unit.paths.config, 'utf8');
    const change = new Change(context, client, dataFiles(unit.paths.dataDir, conf));
    await change.run();
  } catch (error) {
    if (errorCode(error) === 'OPERATION_ABORTED') throw error;
    throw PersistenceChangeFailed(
      `the persistence of ${member.place.id} is not changed yet: ${errorText(error)}`,
      {
        hint: 'It goes on with what it has. The change is tried again; holdfast events tells.',
        cause: error,
      },
    );
  } finally {
    client.close();
  }
}

class Change {
  readonly #context: ChangeContext;
  readonly #client: MemberClient;
  readonly #files: DataFiles;
  /** The server's keys before and after the moment at which the file was begun; null when that moment is unknown. */
  #counted: { before: number; after: number } | null = null;
  #saidMs = performance.now();

  constructor(context: ChangeContext, client: MemberClient, files: DataFiles) {
    this.#context = context;
    this.#client = client;
    this.#files = files;
  }

  get #id(): string {
    return this.#context.member.place.id;
  }

  get #unit(): Unit {
    return this.#context.member.unit as Unit;
  }

  get #redis(): RedisSettings {
    return this.#context.setting.spec.redis;
  }

  async run(): Promise<void> {
    let mark = await this.#begin();
    while (mark !== null) {
      const disturbance = this.#context.disturbed();
      if (disturbance !== undefined) throw new Error(disturbance);
      const info = await this.#client.info('persistence');
      const step = nextStep(mark, await this.#sight(info));
      if (step === 'wait') {
        if (mark.to === 'aof') await this.#refuseFailedRewrite(info);
        await this.#wait(info);
      } else mark = await this.#take(step, mark);
    }
  }

  /** The mark of the change that is under way, or a new one; null when there is nothing to change. */
  async #begin(): Promise<ChangeMark | null> {
    const to = kindOf(this.#redis.persistence);
    const { paths } = this.#unit;
    const found = await readChangeMark(paths);
    const from = found?.from ?? (await runningKind(this.#client));
    if (found === null && from === to) return null;
    // The spec went back to what counts: nothing was switched yet, or the new is complete.
    const goesOn = found?.to === to;
    const mark = goesOn ? found : await this.#newMark(found === null ? from : await this.#settle(found), to);
    if (!goesOn) await forgetReplaced(this.#unit.paths.dataDir);
    if (to !== 'none') await this.#client.setConfig('save', savePoints(this.#redis));
    await writeChangeMark(paths, mark);
    this.#context.report(`${this.#id}: persistence changes from ${mark.from} to ${this.#redis.persistence}`);
    return mark;
  }

  /** A change to something else was under way: what the server does by now is what this one starts from. */
  async #settle({ stage, from, to }: ChangeMark): Promise<DataKind> {
    if (stage === 'written') return to;
    const { appendonly } = await this.#client.getConfig('appendonly');
    // Its AOF is not complete, or was let go of: what counts can be written anew by the same steps.
    return appendonly === 'yes' && from !== 'aof' ? 'rdb' : from;
  }

  async #newMark(from: DataKind, to: DataKind): Promise<ChangeMark> {
    const startedAt = new Date(this.#context.setting.clock.wallMs()).toISOString();
    const stamps = { aofBefore: await aofStamp(this.#files), rdbBefore: await rdbStamp(this.#files) };
    return { from, to, stage: 'writing', ...stamps, savedFirst: false, startedAt };
  }

  async #sight(info: Info): Promise<ChangeSight> {
    const busy = [
      'rdb_bgsave_in_progress',
      'aof_rewrite_in_progress',
      'aof_rewrite_scheduled',
      'loading',
    ].some((field) => (info[field] ?? '0') !== '0');
    return {
      appendonly: info['aof_enabled'] === '1',
      busy,
      aofStamp: await aofStamp(this.#files),
      rdbStamp: await rdbStamp(this.#files),
    };
  }

  /** An AOF that has never been complete is of no use, and keeps the server from being stopped. */
  async #refuseFailedRewrite(info: Info): Promise<void> {
    if (info['aof_enabled'] !== '1' || info['aof_rewrite_in_progress'] === '1') return;
    if (info['aof_last_bgrewrite_status'] !== 'err') return;
    await this.#client.setConfig('appendonly', 'no');
    throw new Error(`it could not write its AOF; ${this.#whatTheLogSays()}`);
  }

  #whatTheLogSays(): string {
    const { log, dataDir } = this.#unit.paths;
    const noRoom = noRoomIn(lastLogLines(log, lastWords));
    return noRoom === null ? `its log says why (${log})` : `the disk of ${dataDir} is full: ${noRoom}`;
  }

  async #wait(info: Info): Promise<void> {
    if (performance.now() - this.#saidMs > sayEveryMs) {
      this.#saidMs = performance.now();
      const what = info['rdb_bgsave_in_progress'] === '1' ? 'saves its RDB' : 'writes its AOF';
      const [done, all] = [info['current_save_keys_processed'], info['current_save_keys_total']];
      const far = all === undefined || all === '0' ? '' : `: ${done} of ${all} keys`;
      this.#context.report(`${this.#id} ${what}${far}`);
    }
    await delay(lookEveryMs);
  }

  async #take(
    step: Exclude<ReturnType<typeof nextStep>, 'wait'>,
    mark: ChangeMark,
  ): Promise<ChangeMark | null> {
    const { report } = this.#context;
    const files = this.#files;
    switch (step) {
      case 'save':
        report(`${this.#id} saves its RDB`);
        await keepRdb(files);
        await this.#begun(() => this.#client.connection.call('BGSAVE'));
        await this.#saved();
        await this.#checkRdb();
        return this.#note({ ...mark, savedFirst: true });
      case 'start-aof':
        report(`${this.#id} writes its AOF`);
        await this.#client.setConfig('appendfsync', fsyncOf(this.#redis));
        await this.#begun(() => this.#client.setConfig('appendonly', 'yes'));
        return mark;
      case 'stop-aof-and-save': {
        report(`${this.#id} saves its RDB again, and its AOF ends`);
        const next = await this.#note({ ...mark, rdbBefore: await rdbStamp(files) });
        await keepRdb(files);
        await this.#begun(async () => {
          await this.#client.setConfig('appendonly', 'no');
          await this.#client.connection.call('BGSAVE').catch(async (error: unknown) => {
            await this.#client.setConfig('appendonly', 'yes');
            throw error;
          });
        });
        await this.#saved();
        return next;
      }
      case 'check-aof':
        await this.#check((await aofParts(files))[0] ?? files.aofSingle);
        return this.#note({ ...mark, stage: 'written' });
      case 'check-rdb':
        await this.#checkRdb();
        return this.#note({ ...mark, stage: 'written' });
      case 'stop':
        await this.#client.setConfig('save', '');
        await this.#client.setConfig('appendonly', 'no');
        return this.#note({ ...mark, stage: 'written' });
      case 'finish':
        return this.#finish(mark);
    }
  }

  async #note(mark: ChangeMark): Promise<ChangeMark> {
    await writeChangeMark(this.#unit.paths, mark);
    return mark;
  }

  /** Has the server begin a file while no client writes, and counts its keys on both sides of that. */
  async #begun(begin: () => Promise<unknown>): Promise<void> {
    await this.#client.pauseWrites(pauseMs);
    try {
      const before = keyCount(await this.#client.info('keyspace'));
      await begin();
      this.#counted = { before, after: keyCount(await this.#client.info('keyspace')) };
    } finally {
      await this.#client.unpauseWrites();
    }
  }

  /** @throws when the save failed: then nothing new is on disk. */
  async #saved(): Promise<void> {
    // Not even a stop ends it: an AOF that is switched off must be followed by the save that takes its place.
    for (;;) {
      const info = await this.#client.info('persistence');
      if (info['rdb_bgsave_in_progress'] !== '1') {
        if (info['rdb_last_bgsave_status'] === 'ok') return;
        throw new Error(`it could not save its RDB; ${this.#whatTheLogSays()}`);
      }
      await this.#wait(info);
    }
  }

  /** The RDB of before is kept until the new one is known to be whole. @throws when it is not; then the old one is back. */
  async #checkRdb(): Promise<void> {
    try {
      await this.#check(this.#files.rdb);
    } catch (error) {
      const isBack = await putRdbBack(this.#files);
      throw new Error(`${errorText(error)}${isBack ? '; the one of before is back in its place' : ''}`, {
        cause: error,
      });
    }
    await forgetKeptRdb(this.#files);
  }

  /** @throws when the file that was just written is not whole, or lacks keys. */
  async #check(file: string): Promise<void> {
    const { report } = this.#context;
    const counted = this.#counted;
    const keys = await countKeys(file).catch((error) => {
      // A newer server's is for a newer holdfast to read.
      if (errorCode(error) !== 'RDB_UNSUPPORTED') throw error;
      report(
        `warning: the keys in ${path.basename(file)} of ${this.#id} can't be counted: ${errorText(error)}`,
      );
      return null;
    });
    if (keys === null) return;
    if (counted === null) return report(`${this.#id}: ${keys} keys are in ${path.basename(file)}`);
    const { before, after } = counted;
    if (!countsAgree(before, after, keys)) {
      throw new Error(`${path.basename(file)} has ${keys} keys and the server had ${before}`);
    }
    report(`${this.#id}: ${keys} keys are in ${path.basename(file)}, and the server had ${before}`);
  }

  async #finish(mark: ChangeMark): Promise<null> {
    const { report, setting } = this.#context;
    const { persistence } = this.#redis;
    await this.#client.setConfig('appendfsync', fsyncOf(this.#redis));
    await this.#client.rewriteConfig();
    const replaced = [
      ...(mark.to === 'aof' ? [] : [this.#files.aofFolder, this.#files.aofSingle]),
      ...(mark.to === 'none' ? [this.#files.rdb] : []),
    ];
    const kept = await setAside(this.#unit.paths.dataDir, replaced);
    await removeChangeMark(this.#unit.paths);
    const where = kept === null ? '' : `; the files of before are in ${kept}`;
    const text = `the persistence of ${this.#id} is ${persistence} now${where}`;
    report(text);
    setting.events.add('persistence-changed', this.#id, text);
    return null;
  }
}

function savePoints({ save }: RedisSettings): string {
  return save.map(({ seconds, changes }) => `${seconds} ${changes}`).join(' ');
}

function fsyncOf({ persistence }: RedisSettings): string {
  return persistence === 'aof-always' ? 'always' : 'everysec';
}
