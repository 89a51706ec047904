/**
 * A page as Markdown, to be pasted into documents and tickets: its tables and words. Of a chart only its moments are
 * there, and bars not at all: what they show stands in a table beside them, or is for the HTML page.
 */
import { describeMoment, describeNumber } from './number.ts';
import type { Page, Section } from './page.ts';

export function renderMarkdown(page: Page): string {
  const short = page.sections.filter((section) => !(section.kind === 'table' && section.detail));
  const blocks = short.flatMap(sectionBlocks);
  return `${[`### ${page.title}`, page.subtitle, ...blocks].join('\n\n')}\n`;
}

function sectionBlocks(section: Section): string[] {
  const body = bodyBlocks(section);
  if (body.length === 0) return [];
  const note = 'note' in section && section.note ? [section.note] : [];
  return [`#### ${section.title}`, ...body, ...note];
}

function bodyBlocks(section: Section): string[] {
  switch (section.kind) {
    case 'text':
      return [...section.paragraphs];
    case 'table':
      return [markdownTable(section.header, section.rows)];
    case 'bars':
      return [];
    case 'chart': {
      const marks = (section.marks ?? []).map(
        ({ x, label }) => `- ${describeMoment(x)} ${section.xLabel}: ${label}`,
      );
      return marks.length > 0 ? [marks.join('\n')] : [];
    }
  }
}

/** Columns of figures are set to the right. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const text = (value: string | number) => describeNumber(value).replaceAll('|', '\\|').replaceAll('\n', ' ');
  const rule = header.map((_, i) =>
    rows.every((row) => typeof row[i] === 'number' || row[i] === '') && rows.some((row) => row[i] !== '')
      ? '---:'
      : '---',
  );
  return [line(header.map(text)), line(rule), ...rows.map((row) => line(row.map(text)))].join('\n');
}
