// SPDX-License-Identifier: Apache-2.0
// Plots of systems: bars and dots with intervals, conditions, errors.

// Round numbers that cover lo..hi, and their count of decimals.
function ticks(lo, hi, count) {
  const raw = (hi - lo) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const values = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + step * 1e-9; ++k) values.push(k * step);
  return {values, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9))};
}
function padded(values, share) {
  const lo = values.reduce((a, b) => Math.min(a, b)), hi = values.reduce((a, b) => Math.max(a, b));
  const pad = hi > lo ? (hi - lo) * share : Math.abs(hi) * 0.1 || 1;
  return [lo - pad, hi + pad];
}
const scale = ([lo, hi], [from, to]) => (value) => from + ((value - lo) / (hi - lo)) * (to - from);
const line = (x1, y1, x2, y2, kind) => svg('line', {x1, y1, x2, y2, class: kind});
const label = (x, y, text, kind) => svg('text', {x, y, class: kind}, text);
const shortened = (text, length) => text.length > length ? text.slice(0, length - 1) + '…' : text;

function intervalRow(name, row, y, x) {
  const [value, given, end] = row.metrics[name];
  const lo = given ?? value, hi = end ?? value;
  const colour = `c${data.systems.indexOf(row.system) % 8}`;
  return svg('g', {class: colour}, svg('title', {}, `${row.system}: ${formatted(name, value)} (${intervalText(name, lo, hi)})`),
             label(12, y + 4, shortened(row.system, 26)), line(x(lo), y, x(hi), y, 'interval'),
             svg('circle', {cx: x(value), cy: y, r: 5, class: 'dot'}), label(744, y + 4, formatted(name, value), 'end number'));
}

// Rows of dots with intervals, the splits below each other on one axis.
function intervalPlot(name) {
  const rows = data.results.filter((row) => known(row.metrics[name]?.[0]));
  if (!rows.length) return el('p', {class: 'note'}, 'No values of this metric.');
  const domain = padded(rows.flatMap((row) => row.metrics[name].filter(known)), 0.06);
  const x = scale(domain, [210, 680]);
  const marks = [];
  let y = 0;
  for (const split of data.splits) {
    const own = rows.filter((row) => row.split === split);
    if (own.length) marks.push(label(0, (y += y ? 40 : 24), split, 'split'));
    for (const row of own) marks.push(intervalRow(name, row, (y += 26), x));
  }
  const bottom = y + 20;
  const axis = ticks(...domain, 6);
  const grid = axis.values.flatMap((value) => [
    line(x(value), 14, x(value), bottom, 'grid'), label(x(value), bottom + 18, number(value, axis.decimals), 'middle number')]);
  return svg('svg', {viewBox: `0 0 760 ${bottom + 26}`, role: 'img', class: 'plot dots',
                     'aria-label': `${name} of every system with 95% intervals, per split; the numbers are in the leaderboard`},
             ...grid, ...marks);
}

function intervalPlots() {
  const box = el('div', {class: 'plot-box'});
  const draw = (name) => {
    const rows = (split) => resultsOf(split).filter((row) => known(row.metrics[name]?.[0]));
    const plot = el('div', {class: 'scroll', role: 'region', 'aria-label': `Intervals of ${name}`, tabindex: 0}, intervalPlot(name));
    box.replaceChildren(figure(`${name}, all splits`, [plot], () =>
      el('div', {}, ...data.splits.filter((split) => rows(split).length).map((split) => metricTable(name, rows(split))))));
  };
  const names = namesIn(data.results);
  draw(names[0]);
  return [el('div', {class: 'controls'}, select('Metric', names.map((name) => [name, name]), draw)), box];
}

// ---- one small plot of bars a metric

function barRow(name, row, y, x) {
  const [value, given, end] = row.metrics[name];
  const lo = given ?? value, hi = end ?? value, zero = x(0);
  return svg('g', {class: systemColour(row.system)},
    svg('title', {}, `${row.system}: ${formatted(name, value)} (${intervalText(name, lo, hi)})`),
    label(0, y + 4, shortened(row.system, 16)),
    svg('rect', {x: Math.min(zero, x(value)), y: y - 7, width: Math.abs(x(value) - zero), height: 14, class: 'bar'}),
    ...(hi > lo ? [line(x(lo), y, x(hi), y, 'interval'), line(x(lo), y - 4, x(lo), y + 4, 'interval'), line(x(hi), y - 4, x(hi), y + 4, 'interval')] : []),
    label(380, y + 4, formatted(name, value), 'end number'));
}

// Bars begin at zero, so that their lengths compare.
function barPlot(name, rows) {
  const values = rows.flatMap((row) => row.metrics[name].filter(known));
  const domain = [Math.min(0, ...values), Math.max(0, ...values)];
  if (domain[0] === domain[1]) domain[1] = 1;
  const x = scale(domain, [118, 322]);
  const bottom = 24 * rows.length + 4;
  const axis = ticks(...domain, 3);
  const grid = axis.values.flatMap((value) => [
    line(x(value), 0, x(value), bottom, value === 0 ? 'axis' : 'grid'), label(x(value), bottom + 15, number(value, axis.decimals), 'middle number')]);
  return svg('svg', {viewBox: `0 0 380 ${bottom + 20}`, role: 'img', class: 'plot', 'aria-label': `${name} of every system; the table view has the numbers`},
             ...grid, ...rows.map((row, k) => barRow(name, row, 14 + 24 * k, x)));
}

const arrowOf = (name) => ['', ' ↑', ' ↓'].at(metricInfo.get(name).direction);
function metricBars() {
  const box = el('div', {class: 'charts small'});
  const draw = (split) => {
    const all = resultsOf(split);
    box.replaceChildren(...namesIn(all).map((name) => {
      const rows = all.filter((row) => known(row.metrics[name]?.[0]));
      const title = name + arrowOf(name) + (data.splits.length > 1 ? `, ${split}` : '');
      return rows.length ? figure(title, [barPlot(name, rows)], () => metricTable(name, rows)) : '';
    }));
  };
  draw(data.splits[0]);
  const choice = data.splits.length > 1 &&
    el('div', {class: 'controls'}, select('Split', data.splits.map((split) => [split, split]), draw));
  return [choice || null, box];
}

// ---- conditions

// Shapes beside colours: circle, square, diamond, triangle, filled for the first four systems and hollow for the next.
function marker(k, x, y) {
  const shapes = [`M${x - 5} ${y}a5 5 0 1 0 10 0a5 5 0 1 0-10 0z`, `M${x - 4.5} ${y - 4.5}h9v9h-9z`,
                  `M${x} ${y - 6}l6 6-6 6-6-6z`, `M${x} ${y - 5.5}l6 10.5h-12z`];
  return svg('path', {d: shapes[k % 4], class: k % 8 < 4 ? 'dot' : 'dot hollow'});
}
const systemLegend = (systems) => el('ul', {class: 'legend'}, ...systems.map((system) =>
  el('li', {class: systemColour(system)},
     svg('svg', {viewBox: '0 0 14 14', class: 'key', 'aria-hidden': 'true'}, marker(data.systems.indexOf(system), 7, 7)), system)));

function conditionPlot(split) {
  const rows = resultsOf(split).filter((row) => row.conditions.length);
  const shown = rows[0].conditions.map((first, k) => ({name: first.name, count: first.tp + first.fn, of: rows.map((row) => row.conditions[k])}))
    .filter(({of}) => of.some((c) => c.tp + c.fp + c.fn > 0)).sort((a, b) => b.count - a.count);
  const x = scale([0, 1], [270, 740]);
  const bottom = 26 * shown.length + 6;
  const grid = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((value) => [
    line(x(value), 0, x(value), bottom, value === 0 ? 'axis' : 'grid'), label(x(value), bottom + 17, number(value, 1), 'middle number')]);
  const marks = shown.flatMap(({name, count, of}, k) => {
    const y = 18 + 26 * k, found = of.map((c) => c.f1);
    return [label(0, y + 4, name), label(256, y + 4, String(count), 'end number soft'),
            line(x(Math.min(...found)), y, x(Math.max(...found)), y, 'span'),
            ...of.map((c, r) => svg('g', {class: systemColour(rows[r].system)},
              svg('title', {}, `${rows[r].system}, ${name}: F1 ${number(c.f1, 3)}, ${c.tp} true, ${c.fp} false, ${c.fn} missed`),
              marker(data.systems.indexOf(rows[r].system), x(c.f1), y)))];
  });
  return svg('svg', {viewBox: `0 0 760 ${bottom + 24}`, role: 'img', class: 'plot dots',
                     'aria-label': `F1 of every condition and system, ${split}; the table view has the numbers`}, ...grid, ...marks);
}

function conditions(split) {
  const rows = resultsOf(split).filter((row) => row.conditions.length);
  if (!rows.length) return null;
  const plot = el('div', {class: 'scroll', role: 'region', 'aria-label': `F1 per condition, ${split}`, tabindex: 0}, conditionPlot(split));
  return figure(`F1 per condition, ${split}`, [systemLegend(rows.map((row) => row.system)), plot], () => conditionTable(split));
}

// ---- errors

function errorRow({system, reports}, y) {
  const all = reports.reduce((a, b) => a + b);
  let at = 150;
  const parts = reports.map((count, k) => {
    const width = (590 * count) / all, middle = at + width / 2, x = at;
    at += width;
    const share = `${number((100 * count) / all, 0)}%`;
    return svg('g', {class: `bin${k}`}, svg('title', {}, `${system}: ${data.error_bins[k]} errors in ${count} of ${all} reports`),
               svg('rect', {x, y: y - 11, width, height: 22}), width > 34 ? label(middle, y + 4, share, 'share number') : '');
  });
  return [label(0, y + 4, shortened(system, 20)), ...parts];
}

function errorPlot(split) {
  const rows = data.errors.filter((row) => row.split === split);
  if (!rows.length) return null;
  const height = 30 * rows.length;
  const plot = svg('svg', {viewBox: `0 0 760 ${height}`, role: 'img', class: 'plot dots',
                           'aria-label': `Shares of reports by their number of errors, ${split}; the table view has the numbers`},
                   ...rows.flatMap((row, k) => errorRow(row, 15 + 30 * k)));
  const key = el('ul', {class: 'legend'}, ...data.error_bins.map((bin, k) => el('li', {class: `bin${k}`},
    svg('svg', {viewBox: '0 0 14 14', class: 'key', 'aria-hidden': 'true'}, svg('rect', {width: 14, height: 14})), bin)));
  const box = el('div', {class: 'scroll', role: 'region', 'aria-label': `Reports by errors, ${split}`, tabindex: 0}, plot);
  return figure(`Reports by errors, ${split}`, [key, box], () => errorTable(split, rows));
}
