import { describeNumber } from '../report/number.ts';
import type { Page, Section } from '../report/page.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';

type Colors = Output['colors'];

/** A page of results for a terminal: its tables and words. Charts and bars are for the HTML page. */
export function pageLines(page: Page, colors: Colors): string[] {
  const sections = page.sections.flatMap((section) => sectionLines(section, colors));
  return [colors.bold(page.title), colors.dim(page.subtitle), ...sections];
}

function sectionLines(section: Section, colors: Colors): string[] {
  if (section.kind === 'text') return ['', ...section.paragraphs.map((text) => colors.dim(text))];
  if (section.kind !== 'table' || section.detail) return [];
  const [header = '', ...rows] = table([
    // The capital of µ is another letter.
    section.header.map((text) => text.replaceAll('µs', 'us').toUpperCase()),
    ...section.rows.map((row) => row.map(describeNumber)),
  ]);
  const note = section.note === undefined ? [] : [colors.dim(section.note)];
  return ['', section.title, colors.dim(header), ...rows, ...note];
}
