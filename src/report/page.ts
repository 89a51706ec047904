/** What a page of results consists of. `renderPage` makes one self-contained HTML document of it. */
export interface Page {
  title: string;
  /** One sentence under the title: what was run, on which machine, when. */
  subtitle: string;
  sections: readonly Section[];
}

export type Section = TableSection | ChartSection | BarsSection | TextSection;

export interface TableSection {
  kind: 'table';
  title: string;
  header: readonly string[];
  rows: readonly (readonly (string | number)[])[];
  /** What the table does and doesn't say. */
  note?: string;
  /** For the page only: on a terminal and in Markdown it would bury the rest. */
  detail?: boolean;
}

export interface ChartSection {
  kind: 'chart';
  title: string;
  /** Label of the horizontal axis with its unit, such as `seconds`. */
  xLabel: string;
  x: readonly number[];
  series: readonly Series[];
  /** Moments worth a line across the chart, in units of x. */
  marks?: readonly Mark[];
  note?: string;
}

/** Figures of one unit beside each other, such as the same test through several doors. For the eye: not in Markdown. */
export interface BarsSection {
  kind: 'bars';
  title: string;
  unit: string;
  groups: readonly { label: string; bars: readonly Bar[] }[];
  note?: string;
}

export interface Bar {
  label: string;
  value: number;
  /** Text beside the value, such as a ratio. */
  remark?: string;
}

export interface Series {
  label: string;
  /** Series of one unit share an axis. */
  unit: string;
  /** One value for each x; null where there is none. */
  values: readonly (number | null)[];
}

export interface Mark {
  x: number;
  label: string;
}

export interface TextSection {
  kind: 'text';
  title: string;
  paragraphs: readonly string[];
}
