import { spawn } from 'node:child_process';

/** Runs it in a session of its own: Ctrl-C is for the drill, which then ends everything in order. @returns its output. */
export async function runApart(
  program: string,
  args: string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let answer = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // 3: it runs, and takes no writes yet; whoever waits for it to be whole finds out.
  if (code === 0 || code === 3) return answer;
  const lines = said.trim().split('\n');
  const error = lines.find((line) => /error:/.test(line))?.replace(/^.*?error: /, '');
  throw new Error(error ?? lines.at(-1) ?? `up ended with ${code}`);
}
