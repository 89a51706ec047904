/** A MariaDB of the benchmark's own: its data in the benchmark's folder, on loopback, with one user and one table. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorText } from '../../base/errors.ts';
import { freePorts } from '../../process/free-ports.ts';
import { findProgram } from '../../process/programs.ts';
import { BenchFailed } from '../errors.ts';
import type { Scratch } from '../scratch.ts';

const user = 'departments';
const installWithinMs = 60_000;
const passwordBytes = 24;
/** More than the application's pool. */
const mostConnections = 200;

export interface MariaServer {
  host: string;
  port: number;
  user: string;
  password: string;
}

export interface Maria extends MariaServer {
  /** What `mariadbd --version` says. */
  version: string;
  /** Kills it with SIGKILL, and starts it anew at once, as a supervisor would. Resolves when it listens. */
  killAndRestart(): Promise<void>;
}

/** @param schemaFile one statement a line: mariadbd runs them as it starts. @throws BENCH_FAILED */
export async function startMaria(scratch: Scratch, schemaFile: string): Promise<Maria> {
  const program = findProgram('mariadbd');
  const install = findProgram('mariadb-install-db');
  if (program === undefined || install === undefined || findProgram('my_print_defaults') === undefined) {
    throw BenchFailed('mariadbd, mariadb-install-db and my_print_defaults are not all in the usual folders', {
      hint: 'On Debian and Ubuntu: apt-get install mariadb-server-core mariadb-client-core. That starts no service; the benchmark starts a server of its own.',
    });
  }
  const run = promisify(execFile);
  const datadir = path.join(scratch.folder, 'mariadb');
  // It refuses to run as root, unless it is told to by name.
  const as = `--user=${os.userInfo().username}`;
  const plain = ['--no-defaults', as, `--datadir=${datadir}`];
  // What is made in vain when the power goes need not wait for the disk.
  const hasty = ['--innodb-flush-method=nosync', '--sync-frm=OFF'];
  // `--rpm`: it leaves the system's own plugins, and who owns them, alone.
  const noOthers = ['--rpm', '--auth-root-authentication-method=normal', '--skip-test-db'];
  await run(install, [...plain, ...noOthers, ...hasty], {
    timeout: installWithinMs,
    cwd: scratch.folder,
  }).catch((cause) => {
    throw BenchFailed(`MariaDB's own tables could not be made: ${errorText(cause)}`, { cause });
  });
  const [password, port] = [newPassword(), await freePorts(1)];
  const init = await scratch.write('mariadb.sql', await statements(schemaFile, password));
  const start = () =>
    scratch.start(
      'mariadb',
      program,
      [
        ...[...plain, `--init-file=${init}`, '--bind-address=127.0.0.1', `--port=${port}`],
        ...[`--socket=${path.join(scratch.folder, 'mariadb.sock')}`, '--skip-name-resolve'],
        ...[`--pid-file=${path.join(scratch.folder, 'mariadb.pid')}`, `--max-connections=${mostConnections}`],
      ],
      port,
    );
  let child = await start();
  const { stdout } = await run(program, ['--no-defaults', '--version']);
  return {
    ...{ host: '127.0.0.1', port, user, password },
    version: /Ver (\S+)/.exec(stdout)?.[1] ?? 'of an unknown version',
    killAndRestart: async () => {
      await scratch.end(child);
      child = await start();
    },
  };
}

/** root has a password as well, as long as it is reachable. */
async function statements(schemaFile: string, password: string): Promise<string> {
  const quoted = `'${password}'`;
  return [
    (await readFile(schemaFile, 'utf8')).trim(),
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${newPassword()}';`,
    `CREATE USER IF NOT EXISTS '${user}'@'127.0.0.1' IDENTIFIED BY ${quoted};`,
    `GRANT SELECT, INSERT ON departments.* TO '${user}'@'127.0.0.1';`,
    '',
  ].join('\n');
}

/** Letters, digits, - and _: nothing that SQL would read. */
function newPassword(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(passwordBytes))).toString('base64url');
}
