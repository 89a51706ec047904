/**
 * Metrics as Prometheus reads them: its text format, version 0.0.4.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 *
 * The figures are other processes' (gates, servers) and are read when they are asked for, so there is nothing here that
 * counts: what a library for instrumentation is for.
 */

export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly string[];
}

export function gauge(name: string, help: string, labels: readonly string[] = []): Metric {
  return { name, type: 'gauge', help, labels };
}

export function counter(name: string, help: string, labels: readonly string[] = []): Metric {
  return { name, type: 'counter', help, labels };
}

export function histogram(name: string, help: string, labels: readonly string[] = []): Metric {
  return { name, type: 'histogram', help, labels };
}

export type Figure = number | boolean | null | undefined;

export type Labels = Readonly<Record<string, string>>;

/** Counts by upper bound, ascending, each for itself (not yet summed up); what is above the last bound is in `count`. */
export interface Distribution {
  buckets: readonly { atMost: number; count: number }[];
  count: number;
  sum: number;
}

/** Collects samples and prints them, those of one metric together. */
export class MetricsPage {
  readonly #common: Labels;
  readonly #lines = new Map<Metric, string[]>();

  /** @param common labels that every sample has. */
  constructor(common: Labels) {
    this.#common = common;
  }

  /** Adds a sample; null and NaN are figures that nobody knows, and are left out. */
  add(metric: Metric, value: Figure, labels: Labels = {}): void {
    if (value === null || value === undefined || Number.isNaN(value)) return;
    this.#line(metric, '', labels, Number(value));
  }

  /** A sample of each metric of a table that a figure is given for, all with the same labels. */
  addAll<Table extends Readonly<Record<string, Metric>>>(
    table: Table,
    figures: { readonly [Name in keyof Table]?: Figure },
    labels: Labels = {},
  ): void {
    for (const [name, figure] of Object.entries<Figure>(figures))
      this.add(table[name] as Metric, figure, labels);
  }

  /** One sample for each word of a list: 1 for the one that holds, 0 for the others. */
  addState(
    metric: Metric,
    name: string,
    words: readonly string[],
    now: string | null,
    labels: Labels = {},
  ): void {
    for (const word of words) this.add(metric, word === now, { ...labels, [name]: word });
  }

  addDistribution(metric: Metric, { buckets, count, sum }: Distribution, labels: Labels = {}): void {
    let below = 0;
    for (const bucket of buckets) {
      below += bucket.count;
      this.#line(metric, '_bucket', { ...labels, le: String(bucket.atMost) }, below);
    }
    this.#line(metric, '_bucket', { ...labels, le: '+Inf' }, count);
    this.#line(metric, '_sum', labels, sum);
    this.#line(metric, '_count', labels, count);
  }

  text(): string {
    const parts = [...this.#lines].map(([{ name, type, help }, lines]) =>
      [`# HELP ${name} ${escaped(help, /[\\\n]/g)}`, `# TYPE ${name} ${type}`, ...lines].join('\n'),
    );
    return `${parts.join('\n')}\n`;
  }

  #line(metric: Metric, suffix: string, labels: Labels, value: number): void {
    const lines = this.#lines.get(metric) ?? [];
    const words = Object.entries({ ...this.#common, ...labels }).map(
      ([name, text]) => `${name}="${escaped(text, /[\\\n"]/g)}"`,
    );
    lines.push(`${metric.name}${suffix}${words.length > 0 ? `{${words.join(',')}}` : ''} ${number(value)}`);
    this.#lines.set(metric, lines);
  }
}

function escaped(text: string, what: RegExp): string {
  return text.replaceAll(what, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
