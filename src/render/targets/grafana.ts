import { type Panel, rows } from '../monitoring/panels.ts';
import type { Target } from '../target.ts';

/**
 * A dashboard for Grafana, as JSON to import. It asks a Prometheus that scrapes the agents (`render prometheus`).
 * Source of the model: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */
export const grafanaTarget: Target = {
  name: 'grafana',
  summary: 'a dashboard for Grafana, to import',
  render: ({ spec }) => [
    {
      name: `holdfast-${spec.name}.json`,
      text: `${JSON.stringify(dashboard(spec.name), null, 2)}\n`,
      secret: false,
    },
  ],
};

const source = { type: 'prometheus', uid: '${source}' };
/** Of one row of panels. */
const height = 8;
const columns = 24;

function dashboard(name: string): object {
  return {
    uid: `holdfast-${name}`.slice(0, 40),
    title: `holdfast: ${name}`,
    description: 'Made by holdfast render grafana.',
    tags: ['holdfast', 'redis'],
    editable: true,
    graphTooltip: 1,
    schemaVersion: 39,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
        {
          name: 'deployment',
          label: 'Deployment',
          type: 'query',
          datasource: source,
          query: { query: 'label_values(holdfast_epoch, deployment)', refId: 'deployment' },
          definition: 'label_values(holdfast_epoch, deployment)',
          current: { text: name, value: name },
          refresh: 1,
          sort: 1,
        },
      ],
    },
    annotations: {
      list: [
        {
          name: 'Another primary',
          datasource: source,
          enable: true,
          iconColor: 'orange',
          expr: chosen('max(changes(holdfast_epoch{$D}[$__interval])) > 0'),
          titleFormat: 'another primary',
        },
      ],
    },
    panels: laidOut(),
  };
}

/** Panels from left to right and from top to bottom, each row under its title. */
function laidOut(): object[] {
  const made: object[] = [];
  let y = 0;
  for (const row of rows) {
    const gridPos = { x: 0, y, w: columns, h: 1 };
    made.push({ id: made.length + 1, type: 'row', title: row.title, collapsed: false, gridPos, panels: [] });
    y += 1;
    let x = 0;
    for (const panel of row.panels) {
      if (x + panel.width > columns) {
        x = 0;
        y += height;
      }
      made.push(panelModel(panel, made.length + 1, { x, y, w: panel.width, h: height }));
      x += panel.width;
    }
    y += height;
  }
  return made;
}

function panelModel(panel: Panel, id: number, gridPos: object): object {
  const { title, description, kind } = panel;
  return {
    id,
    type: kind,
    title,
    ...(description === undefined ? {} : { description }),
    datasource: source,
    gridPos,
    targets: panel.queries.map(([expr, legend], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: source,
      expr: chosen(expr),
      legendFormat: legend,
      ...(kind === 'timeseries' ? { range: true } : { instant: true, range: false }),
      ...(kind === 'table' ? { format: 'table' } : {}),
    })),
    fieldConfig: { defaults: fieldDefaults(panel), overrides: [] },
    options: optionsOf(panel),
  };
}

function fieldDefaults({ unit, values, stacked, kind }: Panel): object {
  const mapping = values?.map(([value, text, color], index) => [String(value), { text, color, index }]);
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(mapping === undefined ? {} : { mappings: [{ type: 'value', options: Object.fromEntries(mapping) }] }),
    ...(kind === 'timeseries'
      ? {
          min: 0,
          custom: {
            fillOpacity: stacked ? 20 : 5,
            showPoints: 'never',
            stacking: { mode: stacked ? 'normal' : 'none' },
          },
        }
      : {}),
  };
}

function optionsOf({ kind, title }: Panel): object {
  if (kind === 'timeseries') {
    return { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } };
  }
  if (kind === 'table') return { showHeader: true };
  return {
    colorMode: 'value',
    graphMode: 'none',
    textMode: title === 'Primary' ? 'name' : 'auto',
    reduceOptions: { calcs: ['lastNotNull'] },
  };
}

function chosen(expr: string): string {
  return expr.replaceAll('$D', 'deployment="$deployment"');
}
