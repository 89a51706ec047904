import type { Sabotage } from '../base/sabotage.ts';

/** The environment in which a process of a testbed is started so that it breaks in this way. Its children have it too. */
export function sabotagedEnvironment(way: Sabotage): NodeJS.ProcessEnv {
  const module = new URL('../base/sabotage.js', import.meta.url);
  const code = `import{sabotage}from'${module}';sabotage(['${way}'])`;
  const loads = `--import=data:text/javascript,${encodeURIComponent(code)}`;
  return { ...process.env, NODE_OPTIONS: [process.env['NODE_OPTIONS'], loads].filter(Boolean).join(' ') };
}
