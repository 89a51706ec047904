/** How a page of results looks: light or dark as the reader's system is, and black on white on paper. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --ink: #1c2024; --faint: #5d666f; --line: #d9dcdf; --stripe: #f2f3f3; --bar: #9cc3dd;
  --mark: #b3261e;
  --s0: #0b66a8; --s1: #c2510a; --s2: #1a7f5a; --s3: #8a4fa3; --s4: #a3790a; --s5: #5d666f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181b; --ink: #e6e8ea; --faint: #9aa4ad; --line: #353c42; --stripe: #1c2125; --bar: #2d5873;
    --mark: #ff8a80;
    --s0: #5cb3ef; --s1: #ff9a55; --s2: #57c79c; --s3: #c79be0; --s4: #e0bb53; --s5: #9aa4ad;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
.subtitle, .note, .moments { color: var(--faint); }
.subtitle { margin: 0; }
.note { margin: .5rem 0 0; max-width: 52rem; font-size: .925rem; }
p { max-width: 52rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
.scroll table { border-collapse: collapse; font-size: .925rem; font-variant-numeric: tabular-nums; }
.scroll th, .scroll td { padding: .3rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.scroll th { font-weight: 600; white-space: nowrap; }
.scroll thead th { color: var(--faint); border-bottom-width: 2px; }
.scroll tbody tr:nth-child(even) { background: var(--stripe); }
.scroll .number { text-align: right; white-space: nowrap; }
table.bars { width: 100%; }
table.bars td.bar { width: 60%; }
table.bars .fill { display: block; height: 1.15rem; margin-top: .15rem; min-width: 1px; background: var(--bar); }
.scroll tbody tr.group { background: none; }
table.bars tr.group th { padding-top: 1rem; border-bottom-width: 2px; }
details { margin-top: .5rem; font-size: .925rem; }
summary { cursor: pointer; color: var(--faint); }
.moments { font-size: .9rem; margin: .5rem 0 0; padding-left: 1.25rem; }
.chart { min-height: 20rem; }
.uplot, .u-legend { font-family: inherit; }
.u-legend { color: var(--ink); font-size: .875rem; }
.u-legend .u-marker { width: 1.1em; }
.u-select { background: color-mix(in srgb, var(--s0) 18%, transparent); }
footer { margin-top: 3rem; color: var(--faint); font-size: .85rem; }
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --ink: #000; --faint: #444; --line: #bbb; --stripe: #f4f4f4; --bar: #b9cfdd; --mark: #a00;
    --s0: #0b66a8; --s1: #c2510a; --s2: #1a7f5a; --s3: #8a4fa3; --s4: #a3790a; --s5: #5d666f;
  }
  body { padding: 0; max-width: none; font-size: 11pt; }
  section { break-inside: avoid; }
  section.long { break-inside: auto; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  details:not([open]) { display: none; }
  table.bars .fill, tbody tr { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`.trim();
