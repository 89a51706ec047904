/**
 * One self-contained HTML document: it loads nothing, so it can be mailed, kept beside a ticket, and opened years later.
 * Each chart has its figures as a table beside it, for screen readers, for copying, and where scripts don't run.
 */
import { chartScript } from './chart-script.ts';
import { escapeHtml, scriptJson } from './html.ts';
import { describeMoment, describeNumber } from './number.ts';
import type { BarsSection, ChartSection, Page, Section, TableSection, TextSection } from './page.ts';
import { pageStyle } from './style.ts';
import { uplotAssets } from './uplot.ts';

/** Above so many rows a section may be broken over pages when it is printed. */
const longTableRows = 25;

export function renderPage(page: Page): string {
  const charts = page.sections.filter((section) => section.kind === 'chart');
  const assets = charts.length > 0 ? uplotAssets() : null;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<title>${escapeHtml(page.title)}</title>`,
    `<style>${assets?.style ?? ''}\n${pageStyle}</style>`,
    '</head>',
    '<body>',
    '<header>',
    `<h1>${escapeHtml(page.title)}</h1>`,
    `<p class="subtitle">${escapeHtml(page.subtitle)}</p>`,
    '</header>',
    '<main>',
    ...page.sections.map((section, index) => renderSection(section, index, charts)),
    '</main>',
    '<footer>Made by holdfast. This page loads nothing from elsewhere.</footer>',
    ...(assets ? chartScripts(assets.script, charts) : []),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function chartScripts(library: string, charts: readonly ChartSection[]): string[] {
  return [
    `<script type="application/json" id="charts">${scriptJson(charts)}</script>`,
    `<script>${library}</script>`,
    `<script>${chartScript}</script>`,
  ];
}

function renderSection(section: Section, index: number, charts: readonly ChartSection[]): string {
  const id = `section-${index}`;
  const rows = section.kind === 'table' ? section.rows.length : 0;
  const body = {
    table: () => tableBody(section as TableSection, id),
    chart: () => chartBody(section as ChartSection, charts.indexOf(section as ChartSection), id),
    bars: () => barsBody(section as BarsSection, id),
    text: () => (section as TextSection).paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n'),
  }[section.kind]();
  const note = 'note' in section && section.note ? `\n<p class="note">${escapeHtml(section.note)}</p>` : '';
  const long = rows > longTableRows ? ' class="long"' : '';
  return `<section aria-labelledby="${id}"${long}>\n<h2 id="${id}">${escapeHtml(section.title)}</h2>\n${body}${note}\n</section>`;
}

function tableBody({ header, rows }: TableSection, labelledBy: string): string {
  return scrollable(tableOf(header, rows), labelledBy);
}

/** A wide table scrolls by itself, also by keyboard, instead of making the page wide. */
function scrollable(table: string, labelledBy: string): string {
  return `<div class="scroll" role="region" aria-labelledby="${labelledBy}" tabindex="0">\n${table}\n</div>`;
}

function tableOf(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const isNumber = header.map((_, i) => rows.length > 0 && rows.every((row) => isFigure(row[i])));
  const cls = (i: number) => (isNumber[i] ? ' class="number"' : '');
  const head = header.map((text, i) => `<th scope="col"${cls(i)}>${escapeHtml(text)}</th>`).join('');
  const lines = rows.map((row) => {
    const cells = row.map((value, i) => {
      const text = escapeHtml(describeNumber(value));
      return i === 0 && !isNumber[0] ? `<th scope="row">${text}</th>` : `<td${cls(i)}>${text}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${lines.join('\n')}\n</tbody>\n</table>`;
}

/** Numbers, and texts that begin with one or say that there is none: set to the right. */
function isFigure(value: string | number | undefined): boolean {
  return typeof value === 'number' || /^$|^[–-]$|^[-+]?[\d., ]+\s?(%|×|x|ms|s|MiB|GiB)?$/.test(value ?? '');
}

function chartBody(chart: ChartSection, number: number, id: string): string {
  const header = [chart.xLabel, ...chart.series.map(({ label, unit }) => `${label} (${unit})`)];
  const rows = chart.x.map((x, i) => [x, ...chart.series.map(({ values }) => values[i] ?? '–')]);
  const moments = (chart.marks ?? []).map(
    ({ x, label }) => `<li>${describeMoment(x)} ${escapeHtml(chart.xLabel)}: ${escapeHtml(label)}</li>`,
  );
  const names = chart.series.map(({ label }) => label).join(', ');
  const label = `Chart of ${names} over ${chart.xLabel}. Its figures are in the table that follows.`;
  return [
    `<div class="chart" data-chart="${number}" role="img" aria-label="${escapeHtml(label)}"></div>`,
    ...(moments.length > 0 ? [`<ul class="moments">\n${moments.join('\n')}\n</ul>`] : []),
    `<details><summary>The ${rows.length} points as a table</summary>`,
    scrollable(tableOf(header, rows), id),
    '</details>',
    // Without scripts there is no chart: then the table must not be folded away.
    '<noscript><style>.chart { display: none; } details > * { display: block; }</style></noscript>',
  ].join('\n');
}

function barsBody({ unit, groups }: BarsSection, id: string): string {
  const lines = groups.flatMap(({ label, bars }) => {
    const most = Math.max(...bars.map(({ value }) => value), 0);
    const rows = bars.map(({ label: name, value, remark }) => {
      const width = most > 0 ? (100 * value) / most : 0;
      return [
        `<tr><th scope="row">${escapeHtml(name)}</th><td class="number">${describeNumber(value)}</td>`,
        `<td>${escapeHtml(remark ?? '')}</td>`,
        `<td class="bar" aria-hidden="true"><span class="fill" style="width:${width.toFixed(1)}%"></span></td></tr>`,
      ].join('');
    });
    return [`<tr class="group"><th colspan="4" scope="rowgroup">${escapeHtml(label)}</th></tr>`, ...rows];
  });
  const head = `<thead><tr><th></th><th scope="col" class="number">${escapeHtml(unit)}</th><th></th><th></th></tr></thead>`;
  return scrollable(`<table class="bars">\n${head}\n<tbody>\n${lines.join('\n')}\n</tbody>\n</table>`, id);
}
