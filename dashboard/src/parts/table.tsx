import { type ReactNode, type UIEvent, useState } from 'react';

export interface Column<Row> {
  name: string;
  /** Set to the right, with digits under digits. */
  figure?: boolean;
  /** On a phone it takes a line of its own. */
  wide?: boolean;
  /** Of the table, in percent. For long tables, whose columns must not move. */
  width?: number;
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

/** How many rows beyond those in sight are there, so that scrolling shows no blank. */
const spare = 8;
const inSight = 16;

/** A table of any length: only the rows in sight are there. @param rowPx how high each is; what is longer is cut. */
export function LongTable<Row>({
  caption,
  columns,
  rows,
  keyOf,
  rowPx = 38,
}: TableProps<Row> & { rowPx?: number }) {
  const [first, setFirst] = useState(0);
  const from = Math.max(0, Math.min(first, rows.length - inSight) - spare);
  const to = Math.min(rows.length, from + inSight + 2 * spare);
  const onScroll = ({ currentTarget }: UIEvent<HTMLElement>) => {
    // In steps: a turn of the wheel need not be a new set of rows.
    const row = Math.floor(currentTarget.scrollTop / rowPx);
    setFirst(row - (row % 4));
  };
  return (
    <section
      className="scroll long"
      aria-label={caption}
      style={{ height: `min(${inSight * 38}px, 75vh, ${(rows.length + 1) * rowPx + 4}px)` }}
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
          <Gap px={from * rowPx} columns={columns.length} />
          {rows.slice(from, to).map((row, index) => (
            <tr key={keyOf(row)} aria-rowindex={from + index + 2} style={{ height: rowPx }}>
              <Cells columns={columns} row={row} />
            </tr>
          ))}
          <Gap px={(rows.length - to) * rowPx} columns={columns.length} />
        </tbody>
      </table>
    </section>
  );
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
  return columns.map(({ name, figure, wide, cell }, index) => {
    const className = `${figure ? 'figure' : ''} ${wide ? 'wide' : ''}`.trim();
    const content = cell(row);
    // Where there is no room for all of it, whoever points at it sees the rest.
    const title = typeof content === 'string' ? content : undefined;
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
