import { expect, test } from 'vitest';
import { renderCsv } from './csv.ts';
import { renderMarkdown } from './markdown.ts';
import type { Page } from './page.ts';
import { renderPage } from './render.ts';

const page: Page = {
  title: 'A <run> & more',
  subtitle: 'on "this" machine',
  sections: [
    {
      kind: 'table',
      title: 'Found',
      header: ['name', 'SET/s'],
      rows: [
        ['gate </script>', 123456.7],
        ['direct | plain', 99.25],
      ],
      note: 'What it does not say.',
    },
    {
      kind: 'chart',
      title: 'Timeline',
      xLabel: 'seconds',
      x: [0, 1, 2],
      series: [
        { label: 'writes </script><b>', unit: '1/s', values: [10, null, 30] },
        { label: 'longest wait', unit: 'ms', values: [1, 2, 3] },
      ],
      marks: [{ x: 1, label: 'killed' }],
    },
    {
      kind: 'bars',
      title: 'Doors',
      unit: '1/s',
      groups: [
        {
          label: 'SET',
          bars: [
            { label: 'gate', value: 50, remark: '0.5×' },
            { label: 'direct', value: 100 },
          ],
        },
      ],
    },
    { kind: 'text', title: 'Words', paragraphs: ['One.', 'Two.'] },
  ],
};

test('a page loads nothing from elsewhere', () => {
  const html = renderPage(page);
  expect(html).not.toMatch(/(src|href)=/);
  expect(html).not.toMatch(/@import|url\(/);
  expect(html).toContain("default-src 'none'");
});

test('what stands in a page cannot leave its place', () => {
  const html = renderPage(page);
  expect(html).toContain('<title>A &#60;run&#62; &#38; more</title>');
  expect(html).toContain('gate &#60;/script&#62;');
  // The page's own three, and none that data smuggled in.
  expect(html.match(/<\/script>/g)).toHaveLength(3);
  const json = /id="charts">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
  expect(JSON.parse(json)).toEqual([page.sections[1]]);
});

test('a chart has its figures as a table, a dash where there is none', () => {
  const html = renderPage(page);
  expect(html).toContain('The 3 points as a table');
  expect(html).toContain(
    '<tr><td class="number">1</td><td class="number">–</td><td class="number">2</td></tr>',
  );
  expect(html).toContain('<li>1 seconds: killed</li>');
});

test('a page without charts carries no script', () => {
  expect(
    renderPage({ ...page, sections: page.sections.filter(({ kind }) => kind !== 'chart') }),
  ).not.toContain('<script');
});

test('bars are as long as their share of the largest', () => {
  expect(renderPage(page)).toMatch(/width:50\.0%[\s\S]*width:100\.0%/);
});

test('Markdown has every table, figures to the right, and the moments of charts', () => {
  const text = renderMarkdown(page);
  expect(text).toContain(
    '| name | SET/s |\n| --- | ---: |\n| gate </script> | 123 457 |\n| direct \\| plain | 99.3 |',
  );
  expect(text).not.toContain('0.5×');
  expect(text).toContain('- 1 seconds: killed');
});

test('CSV quotes what needs it', () => {
  expect(renderCsv(['a', 'b'], [['x,"y"', 1.5]])).toBe('a,b\r\n"x,""y""",1.5\r\n');
});
