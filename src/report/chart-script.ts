/**
 * The script of a page: draws each chart from the JSON that stands in it. Colours come from the style sheet, so that
 * a change between light and dark, or paper, draws again. Lines differ in dashes too, for those who don't see colours.
 */
export const chartScript = `
(() => {
  const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [1, 5]];
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const drawn = new Map();
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (value) => {
    if (value === null || value === undefined) return '–';
    const size = Math.abs(value);
    const digits = Number.isInteger(value) || size >= 1000 ? 0 : size >= 10 ? 1 : 2;
    return value.toLocaleString('en', { maximumFractionDigits: digits });
  };

  function drawMarks(plot, marks) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.font = 12 * ratio + 'px system-ui, sans-serif';
    ctx.strokeStyle = color('--mark');
    ctx.lineWidth = ratio;
    // A label that would lie on one before it goes a row lower.
    const rowEnds = [];
    const labels = [];
    for (const { x, label } of marks) {
      const at = plot.valToPos(x, 'x', true);
      if (at < bbox.left || at > bbox.left + bbox.width) continue;
      ctx.setLineDash([4 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
      const width = ctx.measureText(label).width;
      const right = at + 4 * ratio + width > bbox.left + bbox.width;
      const start = right ? at - 4 * ratio - width : at + 4 * ratio;
      let row = rowEnds.findIndex((end) => end < start);
      if (row < 0) row = rowEnds.length;
      rowEnds[row] = start + width + 6 * ratio;
      labels.push({ label, start, width, y: bbox.top + (14 + 15 * row) * ratio });
    }
    // After all lines, each on a patch of paper, so that they can be read.
    for (const { label, start, width, y } of labels) {
      ctx.fillStyle = color('--paper');
      ctx.fillRect(start - 2 * ratio, y - 11 * ratio, width + 4 * ratio, 14 * ratio);
      ctx.fillStyle = color('--mark');
      ctx.fillText(label, start, y);
    }
    ctx.restore();
  }

  function options(chart, width) {
    const ink = color('--ink');
    const line = color('--line');
    const units = [...new Set(chart.series.map(({ unit }) => unit))];
    const axis = (more) => ({
      stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 },
      font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif', ...more,
    });
    const few = chart.x.length <= 60;
    return {
      width, height: Math.round(Math.max(300, Math.min(420, width * 0.4))),
      padding: [12, 12, 0, 0],
      cursor: { drag: { x: true, y: false } },
      scales: {
        x: { time: false },
        ...Object.fromEntries(units.map((unit) => [unit, { range: (plot, low, high) =>
          [Math.min(0, low ?? 0), (high ?? 0) > 0 ? high * 1.08 : 1] }])),
      },
      axes: [
        axis({ label: chart.xLabel, values: (plot, splits) => splits.map(number) }),
        ...units.map((unit, i) => axis({
          scale: unit, side: i % 2 === 0 ? 3 : 1, size: 72, label: unit,
          grid: { show: i === 0, stroke: line, width: 1 }, values: (plot, splits) => splits.map(number),
        })),
      ],
      series: [
        { label: chart.xLabel, value: (plot, value) => number(value) },
        ...chart.series.map(({ label, unit }, i) => ({
          label: label + ' (' + unit + ')', scale: unit, stroke: color('--s' + (i % 6)), width: 2,
          dash: dashes[i % dashes.length], points: { show: few, size: 6 },
          value: (plot, value) => number(value),
        })),
      ],
      hooks: { draw: [(plot) => drawMarks(plot, chart.marks ?? [])] },
    };
  }

  function draw(element, fixedWidth) {
    const chart = charts[Number(element.dataset.chart)];
    const width = fixedWidth ?? element.clientWidth;
    if (width < 50) return;
    drawn.get(element)?.destroy();
    const data = [chart.x, ...chart.series.map(({ values }) => values)];
    drawn.set(element, new uPlot(options(chart, width), data, element));
  }

  const elements = [...document.querySelectorAll('[data-chart]')];
  const drawAll = (width) => { for (const element of elements) draw(element, width); };
  drawAll();
  let timer;
  addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(() => drawAll(), 100); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawAll());
  matchMedia('print').addEventListener('change', ({ matches }) => drawAll(matches ? 680 : undefined));
})();
`.trim();
