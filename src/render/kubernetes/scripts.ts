/** Small programs for the pods, in Node.js because the image has it. They are files of the ConfigMap. */

/** Ready: every server of this pod is up and in sync. Asks the agent beside it. */
export function readyScript(apiPort: number): string {
  return `// Made by holdfast. Ready when every member on this pod is up: not starting, not copying.
const answer = await fetch('http://127.0.0.1:${apiPort}/status', { signal: AbortSignal.timeout(4000) });
const { members } = await answer.json();
const own = members.filter(({ host }) => host === process.env.POD_NAME);
process.exit(own.every(({ state }) => state === 'up') ? 0 : 1);
`;
}

/** Before a pod goes: if the primary is here, a switchover, so that clients see no failure. Never keeps a pod alive. */
export function preStopScript(specFile: string, stateDir: string): string {
  return `// Made by holdfast. If this pod has the primary, hand it over before the pod is stopped.
import { execFileSync } from 'node:child_process';
const common = ['${specFile}', '--state-dir', '${stateDir}'];
const holdfast = (...args) => execFileSync('holdfast', args, { encoding: 'utf8', timeout: 120000 });
try {
  const { primary, members } = JSON.parse(holdfast('status', ...common, '--json'));
  const host = members.find(({ id }) => id === primary)?.host;
  if (host === process.env.POD_NAME) console.log(holdfast('switchover', ...common));
} catch (error) {
  console.error(String(error));
}
`;
}
