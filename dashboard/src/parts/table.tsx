import { type ReactNode, type UIEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { linePx, rowAt, rowEdges, rowPx } from './row-heights.ts';

export interface Column<Row> {
  name: string;
  /** Set to the right, with digits under digits. */
  figure?: boolean;
  /** On a phone it takes a line of its own. */
  wide?: boolean;
  /** Of the table, in percent. For long tables, whose columns must not move. */
  width?: number;
  /** In a long table, what has to find room: texts that stand below each other. Left out: it is short, and has one line. */
  texts?: (row: Row) => readonly string[];
  cell: (row: Row) => ReactNode;
}

interface TableProps<Row> {
  /** For screen readers. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
}

/** A table of some tens of rows. The first column is the name of the row. On a phone each row becomes a small block. */
export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section className="scroll" aria-label={caption} tabIndex={0}>
      <table className="stacks">
        <caption className="unseen">{caption}</caption>
        <Head columns={columns} />
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              <Cells columns={columns} row={row} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** How much beyond what is in sight is there, so that scrolling shows no blank. */
const sparePx = 8 * linePx.first;
const inSightPx = 16 * linePx.first;

/** A table of any length: only the rows in sight are there. Each is as high as its texts need. */
export function LongTable<Row extends object>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  const frame = useRef<HTMLElement>(null);
  const widthPx = useWidth(frame);
  const [topPx, setTopPx] = useState(0);
  // Of ten thousand rows one is new each second: the others are as high as they were.
  // biome-ignore lint/correctness/useExhaustiveDependencies: known is what these columns need at that width.
  const known = useMemo(() => new WeakMap<Row, number>(), [columns, widthPx]);
  const edges = useMemo(
    () => rowEdges(heightsOf(columns, rows, widthPx, known)),
    [columns, rows, widthPx, known],
  );
  const allPx = edges.at(-1) ?? 0;
  const fromPx = Math.max(0, Math.min(topPx, allPx - inSightPx) - sparePx);
  const from = rowAt(edges, fromPx);
  const to = Math.min(rows.length, rowAt(edges, fromPx + inSightPx + 2 * sparePx) + 1);
  const onScroll = ({ currentTarget: { scrollTop } }: UIEvent<HTMLElement>) => {
    // In steps: a turn of the wheel need not be a new set of rows.
    setTopPx(scrollTop - (scrollTop % (4 * linePx.first)));
  };
  return (
    <section
      ref={frame}
      className="scroll long"
      aria-label={caption}
      style={{ height: `min(${inSightPx}px, 75vh, ${allPx + linePx.first + 4}px)` }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
      tabIndex={0}
      onScroll={onScroll}
    >
      <table className="fixed" aria-rowcount={rows.length + 1}>
        <caption className="unseen">{caption}</caption>
        <colgroup>
          {columns.map(({ name, width }) => (
            <col key={name} style={width === undefined ? {} : { width: `${width}%` }} />
          ))}
        </colgroup>
        <Head columns={columns} />
        <tbody>
          <Gap px={edges[from] ?? 0} columns={columns.length} />
          {rows.slice(from, to).map((row, index) => (
            <tr
              key={keyOf(row)}
              aria-rowindex={from + index + 2}
              style={{ height: edges[from + index + 1]! - edges[from + index]! }}
            >
              <Cells columns={columns} row={row} />
            </tr>
          ))}
          <Gap px={allPx - (edges[to] ?? allPx)} columns={columns.length} />
        </tbody>
      </table>
    </section>
  );
}

function heightsOf<Row extends object>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  tablePx: number,
  known: WeakMap<Row, number>,
): readonly number[] {
  const given = columns.reduce((sum, { width = 0 }) => sum + width, 0);
  const rest = (100 - given) / Math.max(1, columns.filter(({ width }) => width === undefined).length);
  const whole = columns.flatMap(({ texts, width = rest }) =>
    texts === undefined ? [] : [{ texts, px: (tablePx * width) / 100 }],
  );
  return rows.map((row) => {
    const there = known.get(row);
    if (there !== undefined) return there;
    const high = rowPx(whole.map(({ texts, px }) => [texts(row), px]));
    known.set(row, high);
    return high;
  });
}

/** How wide its content is, in px. */
function useWidth(frame: { readonly current: HTMLElement | null }): number {
  const [px, setPx] = useState(0);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const look = () => setPx(element.scrollWidth);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return px;
}

/** The room of rows that are not there. */
function Gap({ px, columns }: { px: number; columns: number }) {
  if (px <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height: px, padding: 0 }} />
    </tr>
  );
}

function Head<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  return (
    <thead>
      <tr>
        {columns.map(({ name, figure }) => (
          <th key={name} scope="col" className={figure ? 'figure' : ''}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Cells<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  return columns.map(({ name, figure, wide, texts, cell }, index) => {
    const className = `${figure ? 'figure' : ''} ${wide ? 'wide' : ''} ${texts ? 'whole' : ''}`.trim();
    const told = cell(row);
    const content = typeof told === 'string' ? given(told) : told;
    // Where there is no room for all of it, whoever points at it sees the rest.
    const title = typeof told === 'string' ? told : undefined;
    return index === 0 ? (
      <th key={name} scope="row" className={className} title={title}>
        {content}
      </th>
    ) : (
      <td key={name} className={className} data-name={name} title={title}>
        {content}
      </td>
    );
  });
}

/** So long are ids, addresses and single words: they stay on one line, which a browser would else break at a hyphen. */
const oneWord = /^\S{1,24}$/;

/** A text that may be of any length. */
function given(text: string): ReactNode {
  return <span className={oneWord.test(text) ? 'given one' : 'given'}>{text}</span>;
}

/** Two texts of a row, below each other, where there is no room for two columns. */
export function TwoLines({ texts: [first, second] }: { texts: readonly [ReactNode, ReactNode] }) {
  return (
    <span className="two-lines">
      <span>{first}</span>
      <span>{second}</span>
    </span>
  );
}
