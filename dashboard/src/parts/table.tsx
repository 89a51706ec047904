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
const rowPx = 38;

/** A table of any length: only the rows in sight are there. Each is one line high. */
export function LongTable<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  const [first, setFirst] = useState(0);
  const inSight = 16;
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
          <Gap rows={from} columns={columns.length} />
          {rows.slice(from, to).map((row, index) => (
            <tr key={keyOf(row)} aria-rowindex={from + index + 2}>
              <Cells columns={columns} row={row} />
            </tr>
          ))}
          <Gap rows={rows.length - to} columns={columns.length} />
        </tbody>
      </table>
    </section>
  );
}

/** The room of rows that are not there. */
function Gap({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height: rows * rowPx, padding: 0 }} />
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
    return index === 0 ? (
      <th key={name} scope="row" className={className}>
        {cell(row)}
      </th>
    ) : (
      <td key={name} className={className}>
        {cell(row)}
      </td>
    );
  });
}
