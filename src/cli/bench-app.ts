import type { Command } from 'commander';
import { readCount, readCounts, readDuration, readWords } from './bench-options.ts';
import { benchAction } from './bench-run.ts';
import { BadOption } from './errors.ts';
import { type CommonOptions, verb } from './verb.ts';

interface AppOptions extends CommonOptions {
  stores: string;
  users: string;
  rows: string;
  think: string;
  step: string;
  rounds: string;
  kill: boolean;
}

const all = 'mariadb,redis,aof-everysec,aof-always,replicated';
/** What the application gives out, and its table has. */
const mostRows = 1000;

export function appVerb(): Command {
  const command = verb(
    'app',
    'an application on MariaDB, and with Redis before it: what each way to keep data costs, and a kill',
    [
      ['holdfast bench app --html app.html', 'MariaDB and four ways of Redis, 1000, 2000 and 3000 users'],
      ['holdfast bench app --stores mariadb,replicated --users 200', 'fewer of both'],
      ['holdfast bench app --think 200ms --no-kill', 'users who pause, and nobody is killed'],
    ],
  )
    .option('--stores <kinds>', 'where the application keeps its data', all)
    .option('--users <counts>', 'virtual users of each step', '1000,2000,3000')
    .option('--rows <counts>', 'rows that a GET asks for', '10,1000')
    .option('--think <duration>', 'mean pause of a user between two requests', '0ms')
    .option('--step <duration>', 'how long each step is measured, after up to 2 s to warm up', '8s')
    .option('--rounds <count>', 'how often all of it is done', '1')
    .option('--no-kill', 'leave out the kill');
  return benchAction<AppOptions>(command, async (options, context) => {
    const { appStores, benchApp } = await import('../bench/app/app.ts');
    const { appResult } = await import('../bench/app/app-page.ts');
    const rows = readCounts('--rows', options.rows);
    if (rows.some((count) => count > mostRows)) {
      throw BadOption(`--rows: ${options.rows} is more than the table has`, {
        hint: `It has ${mostRows} rows.`,
      });
    }
    const settings = {
      stores: readWords('--stores', options.stores, appStores),
      users: readCounts('--users', options.users),
      rows,
      thinkMs: readDuration('--think', options.think),
      stepMs: readDuration('--step', options.step),
      rounds: readCount('--rounds', options.rounds),
      kill: options.kill,
    };
    return appResult(await benchApp(settings, context));
  });
}
