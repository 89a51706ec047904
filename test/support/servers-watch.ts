/** Whether somebody shows a secret of servers that are reached by ssh, watched for as long as a test has them. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Collected, SecretWatch, searchScript, secretsIn, wronglyKept } from './secret-watch.ts';

export interface WatchedServers {
  readonly names: readonly string[];
  /** The laptop's, with its spec. */
  readonly folder: string;
  /** A file with what ssh was called with there. */
  readonly sshCalls: string;
  /** What was said where people read it. */
  readonly texts: readonly string[];
  /** Folders on the servers that others can't enter, in which a test itself wrote passwords: nothing there is holdfast's. */
  readonly ownFolders: readonly string[];
  fileOn(name: string, file: string): string;
  runs(name: string): boolean;
  on(name: string, script: string, input?: string): string;
}

/** Fewer means that the watch itself did not work. */
const fewestProcesses = 4;
const searched = ['etc', 'var/lib', 'usr/local'];

export class ServersWatch {
  readonly #servers: WatchedServers;
  readonly #watch: SecretWatch;

  constructor(servers: WatchedServers) {
    this.#servers = servers;
    this.#watch = new SecretWatch(() => this.#collect());
  }

  /** Settles when everything is looked at from now on. */
  get begun(): Promise<void> {
    return this.#watch.begun;
  }

  /** Ends the watch. @throws when a secret was where others see it */
  async nothingWasShown(): Promise<void> {
    const { folder, names, sshCalls, texts, ownFolders } = this.#servers;
    const { secrets, processes, found } = await this.#watch.end(path.join(folder, 'holdfast.yaml'));
    if (processes < fewestProcesses) throw new Error(`the watch saw ${processes} processes only`);
    // An empty pattern would be found everywhere.
    if (secrets.length === 0) return;
    const isIn = (text: string) => secrets.some((secret) => text.includes(secret));
    const calls = existsSync(sshCalls) ? readFileSync(sshCalls, 'utf8') : '';
    const shown = [
      ...found.map((each) => `a process: ${each}`),
      ...(isIn(calls) ? ['what ssh was called with'] : []),
      ...texts.filter(isIn).map((text) => `a text that begins with: ${text.slice(0, 80)}`),
      ...names.flatMap((name) => {
        const own = ownFolders.flatMap((each) => [` ${each}/`, ` ${this.#servers.fileOn(name, each)}/`]);
        return wronglyKept(this.#search(name, secrets))
          .filter((line) => !own.some((each) => line.includes(each)))
          .map((line) => `a file of ${name}: ${line}`);
      }),
    ];
    if (shown.length > 0) throw new Error(`secrets were seen:\n${shown.join('\n')}`);
  }

  /** What there is to hide just now. */
  #collect(): Collected {
    const { names, folder } = this.#servers;
    const within = (name: string, at: string) => foldersIn(this.#servers.fileOn(name, at));
    const authorities = foldersIn(folder).filter((each) => each.endsWith('.tls'));
    return {
      roots: names.flatMap((name) =>
        within(name, 'var/lib/holdfast').flatMap((state) => secretsIn(state, /^secret/)),
      ),
      others: [
        ...names.flatMap((name) => within(name, 'etc/holdfast').flatMap((each) => secretsIn(each))),
        ...[folder, ...authorities].flatMap((each) => secretsIn(each, /^[^.]/, 'private')),
      ],
    };
  }

  /** The files of a server, running or not, that hold one of these. */
  #search(name: string, secrets: readonly string[]): string {
    const servers = this.#servers;
    const input = `${secrets.join('\n')}\n`;
    if (servers.runs(name)) {
      const folders = [...searched, 'run', 'tmp'].map((each) => `/${each}`);
      return servers.on(name, searchScript(folders), input);
    }
    const outside = searchScript(searched.map((each) => servers.fileOn(name, each)));
    return spawnSync('sh', ['-c', outside], { input, encoding: 'utf8' }).stdout;
  }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((each) => each.isDirectory())
    .map(({ name }) => path.join(folder, name));
}
