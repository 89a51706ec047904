/**
 * Lines for a POSIX shell that write standard input to a file, whole or not at all. The end of a connection, and of the
 * command on the laptop, look to the host like the end of what is sent: so what came is counted before it takes the file's
 * place. What is half there is removed.
 */
import { shellWord } from '../shell.ts';

export interface ReceivedFile {
  path: string;
  text: string;
  /** Octal, as chmod takes it. */
  mode: string;
  /** `user:group`; null leaves it to who runs the script. */
  owner: string | null;
}

export function receiveScript({ path, text, mode, owner }: ReceivedFile): string {
  const [whole, fresh] = [shellWord(path), shellWord(`${path}.holdfast-new`)];
  return `umask 077
trap ${shellWord(`rm -f ${fresh}`)} EXIT
cat > ${fresh} || exit 1
if [ "$(wc -c < ${fresh})" -ne ${Buffer.byteLength(text)} ]; then echo 'what was sent did not arrive whole' >&2; exit 1; fi
${owner === null ? '' : `chown ${owner} ${fresh} || exit 1\n`}chmod ${mode} ${fresh} || exit 1
sync ${fresh} || exit 1
mv -f ${fresh} ${whole}`;
}
