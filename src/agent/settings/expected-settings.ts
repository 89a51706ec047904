/**
 * What a member should run with, in the words of its engine: the same program is started for a moment with what would be
 * its redis.conf and users, on no port and without data, and is asked. So there is no table of our own of what Redis
 * makes of `Ex` and `xE`, of `1gb`, of a list of lines, or of a setting that the spec does not name.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { ScratchServer } from '../../backup/scratch-server.ts';
import { writeFileAtomic } from '../../base/atomic-file.ts';
import { errorCode, errorText } from '../../base/errors.ts';
import { makeFolder } from '../../base/make-folder.ts';
import type { MemberClient } from '../../redis/member-client.ts';
import { directiveKey, directivesIn } from '../../render/merge-directives.ts';
import { directive } from '../../render/redis-quote.ts';
import { renderUsersAcl } from '../../render/users-acl.ts';
import { isSecretSetting } from '../../spec/rules/passwords.ts';
import { ownUserName } from '../../spec/secrets.ts';
import type { LiveMember, Setting } from '../deployment.ts';
import { ApplyRefused } from '../errors.ts';
import { memberConfText } from '../units/configure.ts';
import type { ServerSettings } from './compare-settings.ts';

/** Where it is, whom it follows, and what it keeps: not for a server of a moment. */
const leftOut = new Set([
  ...['port', 'tls-port', 'bind', 'unixsocket', 'unixsocketperm', 'dir', 'logfile', 'aclfile', 'pidfile'],
  ...['replicaof', 'slaveof', 'supervised', 'daemonize', 'replica-announce-ip', 'replica-announce-port'],
]);

type Ask = (setting: Setting, conf: readonly string[], users: string) => Promise<ServerSettings>;

export class ExpectedSettings {
  #key = '';
  #answer: Promise<ServerSettings> | null = null;
  /** For whom the answer is known to be good, as long as this setting holds: nothing is rendered again for them. */
  #known = new Set<string>();
  #setting: Setting | null = null;
  readonly #ask: Ask;

  /** @param ask starts a server and asks it. */
  constructor(ask: Ask = askServer) {
    this.#ask = ask;
  }

  /**
   * Members of a host differ only in what is left out, so that one answer is good for all of them, until the spec changes.
   * @throws APPLY_REFUSED when the server does not start with it, with the reason that it gives.
   */
  of(setting: Setting, member: Pick<LiveMember, 'place' | 'unit'>): Promise<ServerSettings> {
    if (setting !== this.#setting) this.#known.clear();
    this.#setting = setting;
    if (this.#answer !== null && this.#known.has(member.place.id)) return this.#answer;
    const conf = directivesIn(memberConfText(setting, member, null)).filter(
      (line) => !leftOut.has(directiveKey(line)),
    );
    const { spec, secrets, aclSelectors: selectors } = setting;
    const users = renderUsersAcl({ spec, secrets, selectors });
    const text = [setting.redisServer, ...conf, users].join('\n');
    const key = createHash('sha256').update(text).digest('hex');
    if (key !== this.#key || this.#answer === null) {
      this.#known.clear();
      this.#key = key;
      this.#answer = this.#ask(setting, conf, users);
      // What failed may be mended: it is tried again when it is needed again.
      this.#answer.catch(() => {
        this.#answer = null;
      });
    }
    this.#known.add(member.place.id);
    return this.#answer;
  }
}

async function askServer(setting: Setting, conf: readonly string[], users: string): Promise<ServerSettings> {
  const { paths, redisServer, secrets, spec } = setting;
  await makeFolder(paths.scratch, 0o700);
  const scratch = new ScratchServer({
    redisServer,
    workFolder: paths.scratch,
    databases: 16,
    loadModules: [],
    directives: conf,
    credentials: { username: ownUserName('agent'), password: secrets.own.agent },
    beforeStart: async (folder) => {
      const aclFile = path.join(folder, 'users.acl');
      await writeFileAtomic(aclFile, users);
      return [directive('aclfile', aclFile)];
    },
  });
  try {
    await scratch.start();
    const settings = await readSettings(scratch.client);
    const told = await whatItIsTold(scratch.client, settings.config, Object.keys(spec.redis.config));
    return { ...settings, told };
  } catch (error) {
    // A full disk, for instance, says nothing of the spec.
    if (!errorCode(error)?.startsWith('SCRATCH_')) throw error;
    throw ApplyRefused(
      `${redisServer} does not start with what ${spec.name} should run with: ${errorText(error)}`,
      {
        hint: 'Correct it where the spec has it, mostly under redis.config: this version does not know it, or not with that value.',
        cause: error,
      },
    );
  } finally {
    await scratch.stop();
  }
}

/** What CONFIG SET makes of the values of these settings. */
async function whatItIsTold(
  client: MemberClient,
  config: ServerSettings['config'],
  names: readonly string[],
): Promise<Record<string, string>> {
  const told: Record<string, string> = {};
  for (const name of names) {
    const value = config[name];
    if (value === undefined || isSecretSetting(name)) continue;
    try {
      await client.setConfig(name, value);
      const made = (await client.getConfig(name))[name];
      if (made !== undefined && made !== value) told[name] = made;
    } catch {
      // Taken at a start only: nobody can tell it.
    }
  }
  return told;
}

/** In the place of a password: what a member runs with is shown, told as an event and kept in files. */
const hidden = '(a password)';

/** What a server says that it runs with, but for passwords. */
export async function readSettings(client: MemberClient): Promise<ServerSettings> {
  const said = Object.entries(await client.getConfig('*'));
  const config = Object.fromEntries(
    said.map(([name, value]) => [name, isSecretSetting(name) && value !== '' ? hidden : value]),
  );
  const users = (await client.connection.call('ACL', 'LIST')) as string[];
  return { config, users };
}
