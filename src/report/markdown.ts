/** A page as Markdown, to be pasted into documents and tickets: its tables whole, its charts as tables. */
import { describeMoment, describeNumber } from './number.ts';
import type { Page, Section } from './page.ts';

/** Charts with more points are left to the HTML page. */
const mostPoints = 40;

export function renderMarkdown(page: Page): string {
  const blocks = page.sections.flatMap(sectionBlocks);
  return `${[`### ${page.title}`, page.subtitle, ...blocks].join('\n\n')}\n`;
}

function sectionBlocks(section: Section): string[] {
  const note = 'note' in section && section.note ? [section.note] : [];
  return [`#### ${section.title}`, ...bodyBlocks(section), ...note];
}

function bodyBlocks(section: Section): string[] {
  if (section.kind === 'text') return [...section.paragraphs];
  if (section.kind === 'table') return [markdownTable(section.header, section.rows)];
  if (section.kind === 'bars') {
    const rows = section.groups.flatMap(({ label, bars }) =>
      bars.map((bar) => [label, bar.label, bar.value, bar.remark ?? '']),
    );
    return [markdownTable(['', '', section.unit, ''], rows)];
  }
  const marks = (section.marks ?? []).map(
    ({ x, label }) => `- ${describeMoment(x)} ${section.xLabel}: ${label}`,
  );
  const moments = marks.length > 0 ? [marks.join('\n')] : [];
  if (section.x.length > mostPoints) {
    return [...moments, `${section.x.length} points; the HTML page shows them.`];
  }
  const header = [section.xLabel, ...section.series.map(({ label, unit }) => `${label} (${unit})`)];
  const rows = section.x.map((x, i) => [x, ...section.series.map(({ values }) => values[i] ?? '–')]);
  return [...moments, markdownTable(header, rows)];
}

/** Columns of figures are set to the right. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = (value: string | number) => describeNumber(value).replaceAll('|', '\\|').replaceAll('\n', ' ');
  const rule = header.map((_, i) => (rows.every((row) => typeof row[i] === 'number') ? '---:' : '---'));
  return [line(header.map(text)), line(rule), ...rows.map((row) => line(row.map(text)))].join('\n');
}
