import { loadedModules, tellingCommands } from '../rdb/module-types.ts';
import type { LoadedModules } from '../rdb/target.ts';
import { moduleNames } from '../redis/info.ts';

export type ServerModules = LoadedModules;

/**
 * What of modules a server can load, by what it says itself: the names of its modules, and which of the commands that
 * come with a type of values it has.
 * @param call one command; its reply as the server gave it.
 */
export async function askModules(
  call: (command: string, ...args: string[]) => Promise<unknown>,
): Promise<ServerModules> {
  const names = moduleNames(String(await call('INFO', 'modules')));
  const answers = (await call('COMMAND', 'INFO', ...tellingCommands)) as unknown[];
  const known = tellingCommands.filter((_, index) => Array.isArray(answers[index]));
  return loadedModules(names, new Set(known));
}
