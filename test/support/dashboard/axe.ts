/** What axe-core finds in a page: rules of WCAG 2.2 A and AA, and those that it calls serious or worse. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { isWhole } from '../whole-run.ts';

const require = createRequire(import.meta.url);
const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string;
  nodes: { target: unknown; html: string; any: { message: string }[] }[];
}

/**
 * What axe finds now, by theme: the rest of its rules know no theme.
 * @param isDarkToo what a dark theme changes is looked at too, which takes as long again; in a whole run it is everywhere
 */
export async function violations(
  tab: Page,
  isDarkToo = isWhole,
): Promise<{ light: string[]; dark: string[] }> {
  await tab.emulateMedia({ colorScheme: 'light' });
  const light = await seriousViolations(tab);
  if (!isDarkToo) return { light, dark: [] };
  await tab.emulateMedia({ colorScheme: 'dark' });
  return { light, dark: await contrastViolations(tab) };
}
export const nothingSerious = { light: [], dark: [] };

/** @returns the serious violations, each as a sentence with the first element that it is about. */
export function seriousViolations(tab: Page): Promise<string[]> {
  return found(tab, { resultTypes: ['violations'] });
}

/** The same of what another theme can change. */
function contrastViolations(tab: Page): Promise<string[]> {
  return found(tab, { resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block'] });
}

async function found(tab: Page, options: object): Promise<string[]> {
  if (!(await tab.evaluate<boolean>('"axe" in window'))) await tab.evaluate(source);
  const { violations: all } = await tab.evaluate<{ violations: Violation[] }>(
    `axe.run(document, ${JSON.stringify(options)})`,
  );
  return all
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => {
      const [first] = nodes;
      return `${id} (${nodes.length}): ${first?.html.slice(0, 160)}: ${first?.any[0]?.message ?? ''}`;
    });
}
