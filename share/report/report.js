// SPDX-License-Identifier: Apache-2.0
// Draws the evaluation report from the JSON in #data. Texts of the data become text nodes or attribute values, never
// markup. No library, no network, nothing on the console. Order of the file: helpers, tables, plots, studies, page.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const metricInfo = new Map(data.metrics.map((metric) => [metric.name, metric]));
  const pageSize = 20;

  // ---- helpers

  const build = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const el = (tag, attributes = {}, ...children) =>
    build(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    build(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
  const hidden = (text) => el('span', {class: 'hidden'}, text);
  const unique = (values) => [...new Set(values)];
  const known = (value) => typeof value === 'number';

  function number(value, decimals, signed = false) {
    if (!known(value)) return '–';
    const digits = Math.abs(value).toFixed(decimals);
    const sign = value < 0 && Number(digits) !== 0 ? '−' : signed ? '+' : '';
    return sign + digits;
  }
  const formatted = (name, value, signed) => number(value, metricInfo.get(name).decimals, signed);
  const namesIn = (rows) =>
    data.metrics.map((metric) => metric.name).filter((name) => rows.some((row) => name in row.metrics));
  const resultsOf = (split) => data.results.filter((result) => result.split === split);

  // The values of a column that deserve bold: equal to the best as printed. None if there is nothing to compare.
  function bestOf(name, values) {
    const direction = metricInfo.get(name).direction;
    const some = values.filter(known);
    if (direction === 0 || some.length < 2) return new Set();
    const best = formatted(name, direction > 0 ? Math.max(...some) : Math.min(...some));
    const bold = some.filter((value) => formatted(name, value) === best);
    return new Set(bold.length === some.length ? [] : bold);
  }

  const section = (id, title, note, ...children) =>
    el('section', {id, 'aria-labelledby': `${id}-title`}, el('h2', {id: `${id}-title`}, title),
       note ? el('p', {class: 'note'}, note) : null, ...children);

  function select(label, options, onChange) {
    const control = el('select', {}, ...options.map(([value, text]) => el('option', {value}, text)));
    control.addEventListener('change', () => onChange(control.value));
    return el('label', {class: 'field'}, el('span', {}, label), control);
  }

  // ---- tables

  // A wide table scrolls in its own box, which the keyboard can reach.
  const table = (caption, head, body, kind = '') =>
    el('div', {class: 'scroll', role: 'region', 'aria-label': caption, tabindex: 0},
       el('table', {class: kind}, el('caption', {}, caption), el('thead', {}, head), el('tbody', {}, ...body)));

  function metricHead(name) {
    const {direction, meaning} = metricInfo.get(name);
    const arrow = [null, ['↑', ', higher is better'], ['↓', ', lower is better']].at(direction);
    return el('th', {scope: 'col', title: meaning || null}, name,
              arrow && el('span', {class: 'arrow', 'aria-hidden': 'true'}, ` ${arrow[0]}`), arrow && hidden(arrow[1]));
  }
  const headRow = (labels, names) =>
    el('tr', {}, ...labels.map((text) => el('th', {scope: 'col'}, text)), ...names.map(metricHead));
  const intervalText = (name, lo, hi, signed) =>
    [formatted(name, lo, signed), formatted(name, hi, signed)].join(signed || lo < 0 ? ', ' : '–');

  function intervalCell(name, values, bold) {
    if (!values) return el('td', {}, '–');
    const [value, lo, hi] = values;
    return el('td', {class: bold.has(value) ? 'best' : null}, formatted(name, value),
              !known(lo) ? null : el('small', {}, intervalText(name, lo, hi)));
  }

  function leaderboard(split) {
    const rows = resultsOf(split);
    const names = namesIn(rows);
    const bold = new Map(names.map((name) => [name, bestOf(name, rows.map((row) => row.metrics[name]?.[0]))]));
    const body = rows.map((row) =>
      el('tr', {}, el('th', {scope: 'row'}, row.system), el('td', {}, String(row.reports)),
         ...names.map((name) => intervalCell(name, row.metrics[name], bold.get(name)))));
    return table(`Leaderboard, ${split}`, headRow(['system', 'reports'], names), body, 'leaderboard');
  }

  function differenceCell(name, values) {
    if (!values) return el('td', {}, '–');
    const [value, lo, hi, p] = values;
    const sure = known(lo) && (lo > 0 || hi < 0);
    const gain = sure ? Math.sign(value) * metricInfo.get(name).direction : 0;
    const verdict = gain > 0 ? 'better' : 'worse';
    const mark = gain && el('span', {class: 'mark'}, gain > 0 ? ' ▲' : ' ▼', hidden(` ${verdict}`));
    return el('td', {class: gain ? verdict : sure ? 'best' : null}, formatted(name, value, true), mark || null,
              known(lo) ? el('small', {}, intervalText(name, lo, hi, true)) : null,
              known(p) ? el('small', {}, p < 0.001 ? 'p < 0.001' : `p = ${number(p, 3)}`) : null);
  }

  function differences(split) {
    const rows = data.pairs.filter((pair) => pair.split === split);
    const names = namesIn(rows);
    const body = rows.map((row) =>
      el('tr', {}, el('th', {scope: 'row'}, `${row.a} − ${row.b}`), el('td', {}, String(row.reports)),
         ...names.map((name) => differenceCell(name, row.metrics[name]))));
    return rows.length ? table(`Paired differences, ${split}`, headRow(['difference', 'reports'], names), body) : null;
  }

  function conditionCell(counts, bold) {
    const cell = el('td', {class: bold ? 'bar best' : 'bar'}, number(counts.f1, 3),
                    el('small', {}, `${counts.tp} / ${counts.fp} / ${counts.fn}`));
    cell.style.setProperty('--share', counts.f1);
    return cell;
  }

  function conditions(split) {
    const rows = resultsOf(split);
    const body = rows[0].conditions.map((first, k) => {
      const counts = rows.map((row) => row.conditions[k]);
      if (counts.every((c) => c.tp + c.fp + c.fn === 0)) return null;
      const best = Math.max(...counts.map((c) => c.f1));
      const bold = (c) => c.f1 === best && counts.some((other) => other.f1 < best);
      return el('tr', {}, el('th', {scope: 'row'}, first.name), el('td', {}, String(first.tp + first.fn)),
                ...counts.map((c) => conditionCell(c, bold(c))));
    });
    const head = headRow(['condition', 'in references', ...rows.map((row) => row.system)], []);
    return table(`F1 per condition, ${split}`, head, body.filter(Boolean), 'conditions');
  }

  function sites(split) {
    const rows = data.sites.filter((row) => row.split === split);
    const names = namesIn(rows);
    const body = unique(rows.map((row) => row.site)).flatMap((site) => {
      const own = data.systems.flatMap((system) => rows.filter((row) => row.site === site && row.system === system));
      const bold = new Map(names.map((name) => [name, bestOf(name, own.map((row) => row.metrics[name]?.[0]))]));
      return own.map((row, k) =>
        el('tr', {class: k === 0 ? 'group' : null},
           k === 0 ? el('th', {scope: 'rowgroup', rowspan: own.length}, site || 'not given') : null,
           el('th', {scope: 'row'}, row.system),
           ...names.map((name) => intervalCell(name, row.metrics[name], bold.get(name)))));
    });
    return rows.length ? table(`Means per site, ${split}`, headRow(['site', 'system'], names), body, 'sites') : null;
  }

  // ---- plots

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
    const box = el('div', {class: 'scroll plot-box', role: 'region', 'aria-label': 'Intervals of the chosen metric', tabindex: 0});
    const draw = (name) => box.replaceChildren(intervalPlot(name));
    const names = namesIn(data.results);
    draw(names[0]);
    return [el('div', {class: 'controls'}, select('Metric', names.map((name) => [name, name]), draw)), box];
  }

  // A value that is not finite leaves a gap.
  const curvePath = (points, x, y) => points.map(([px, py], k) => !known(py) ? ''
    : `${k && known(points[k - 1][1]) ? 'L' : 'M'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join('');
  const curveMark = (curve, k, x, y) => {
    const some = curve.points.filter((point) => known(point[1]));
    const single = some.length === 1 && some[0];
    return svg('g', {class: `c${k % 8}`}, svg('title', {}, curve.name), svg('path', {class: 'curve', d: curvePath(curve.points, x, y)}),
               single ? svg('circle', {cx: x(single[0]), cy: y(single[1]), r: 4, class: 'dot'}) : null);
  };

  function curveAxes(xs, ys, x, y, xLabel) {
    const across = ticks(...xs, 6), up = ticks(...ys, 5);
    return [...up.values.flatMap((v) => [line(56, y(v), 548, y(v), 'grid'), label(48, y(v) + 4, number(v, up.decimals), 'end number')]),
            ...across.values.flatMap((v) => [line(x(v), 240, x(v), 245, 'axis'),
                                             label(x(v), 260, number(v, across.decimals), 'middle number')]),
            line(56, 240, 548, 240, 'axis'), label(302, 282, xLabel, 'middle soft')];
  }

  function legend(curves) {
    const items = curves.map((curve, k) => el('li', {class: `c${k % 8}`},
      svg('svg', {viewBox: '0 0 26 8', 'aria-hidden': 'true'}, line(0, 4, 26, 4, 'curve')), curve.name, el('b', {})));
    return {list: el('ul', {class: 'legend'}, ...items), show: (k, text) => { items[k].lastChild.textContent = text; }};
  }

  // The pointer reads the curves: values at the nearest x appear in the legend.
  function readout(plot, curves, xs, show) {
    const rule = plot.appendChild(line(0, 14, 0, 240, 'rule'));
    const clear = () => { rule.classList.remove('on'); curves.forEach((curve, k) => show(k, '')); };
    plot.addEventListener('pointerleave', clear);
    plot.addEventListener('pointermove', (event) => {
      const box = plot.getBoundingClientRect();
      const at = scale([56, 548], xs)(((event.clientX - box.left) / box.width) * 560);
      const nearest = (points) => points.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a), points[0]);
      curves.forEach((curve, k) => { if (curve.points.length) show(k, `${number(nearest(curve.points)[1], 3)}`); });
      const position = scale(xs, [56, 548])(Math.min(Math.max(at, xs[0]), xs[1]));
      for (const name of ['x1', 'x2']) rule.setAttribute(name, position);
      rule.classList.add('on');
    });
  }

  // The same numbers as a table, made when it is opened.
  function curveTable(chart, curves) {
    const details = el('details', {}, el('summary', {}, `Table of ${chart}`));
    const fill = () => {
      const columns = curves.map((curve) => new Map(curve.points));
      const xs = unique(columns.flatMap((column) => [...column.keys()])).sort((a, b) => a - b);
      const body = xs.map((x) => el('tr', {}, el('th', {scope: 'row'}, String(x)),
                                    ...columns.map((column) => el('td', {}, number(column.get(x), 4)))));
      const head = headRow([curves[0].x_label, ...curves.map((curve) => curve.name)], []);
      details.append(table(`${chart}, by ${curves[0].x_label}`, head, body));
    };
    details.addEventListener('toggle', fill, {once: true});
    return details;
  }

  function curvePlot(chart) {
    const curves = data.curves.filter((curve) => curve.chart === chart);
    const points = curves.flatMap((curve) => curve.points).filter((point) => point.every(known));
    if (!points.length) return null;
    const xs = padded(points.map((point) => point[0]), 0), ys = padded(points.map((point) => point[1]), 0.06);
    const x = scale(xs, [56, 548]), y = scale(ys, [240, 14]);
    const plot = svg('svg', {viewBox: '0 0 560 290', role: 'img', class: 'plot', 'aria-label': `${chart}; the table below has the numbers`},
                     ...curveAxes(xs, ys, x, y, curves[0].x_label), ...curves.map((curve, k) => curveMark(curve, k, x, y)));
    const key = legend(curves);
    readout(plot, curves, xs, key.show);
    return el('figure', {class: 'chart'}, el('figcaption', {}, chart), key.list, plot, curveTable(chart, curves));
  }

  // ---- studies

  const state = {query: '', split: '', site: '', condition: '', sort: '', system: '', current: -1, shown: data.studies, page: 0};
  const view = {};

  // How bad a study is by the chosen metric, larger is worse; studies without a value come last.
  function badness(study) {
    const values = study.texts.filter((text) => !state.system || text.system === state.system)
      .map((text) => text.metrics[state.sort]).filter(known);
    if (!values.length) return -Infinity;
    return (-metricInfo.get(state.sort).direction * values.reduce((a, b) => a + b, 0)) / values.length;
  }
  const words = (study) => (study.words ??=
    [study.id, study.indication, study.reference, ...study.texts.map(({text}) => text)].join('\n').toLowerCase());

  function matching() {
    const query = state.query.trim().toLowerCase();
    const found = data.studies.filter((study) =>
      (!query || words(study).includes(query)) && (!state.split || study.split === state.split) &&
      (!state.site || study.site === state.site) && (!state.condition || study.conditions.includes(state.condition)));
    if (!state.sort) return found;
    const keyed = found.map((study) => [badness(study), study]);
    return keyed.sort(([a], [b]) => (a === b ? 0 : b > a ? 1 : -1)).map(([, study]) => study);
  }
  const scoreList = (metrics) => el('dl', {class: 'scores'}, ...Object.entries(metrics).map(([name, value]) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, formatted(name, value)))));
  const textBlock = (title, text, kind, extra) => el('section', {class: `text ${kind}`}, el('h4', {}, title),
    el('p', {class: text ? 'report' : 'report soft'}, text || 'no text'), extra);

  function picture(study) {
    if (!study.image) return el('div', {class: 'picture none'}, 'no image');
    const button = el('button', {type: 'button', class: 'picture', 'aria-pressed': 'false', title: 'Enlarge or shrink'},
                      el('img', {src: study.image, alt: `Radiograph of study ${study.id}`}));
    button.addEventListener('click', () =>
      button.setAttribute('aria-pressed', button.closest('article').classList.toggle('large')));
    return button;
  }

  function card(study, index) {
    const tags = [study.split, study.site, study.seed && `seed ${study.seed}`].filter(Boolean).join(' · ');
    const chips = study.conditions.length
      ? el('ul', {class: 'chips', 'aria-label': 'Conditions in the reference'}, ...study.conditions.map((name) => el('li', {}, name))) : null;
    const colour = (system) => { const k = data.systems.indexOf(system); return k < 0 ? 'system' : `system c${k % 8}`; };
    const node = el('article', {tabindex: -1, 'aria-label': `Study ${study.id}`},
      el('header', {}, el('h3', {}, study.id), el('span', {class: 'soft'}, tags), el('span', {class: 'soft count'}, String(index + 1))),
      picture(study),
      el('div', {class: 'texts'}, study.indication ? textBlock('Indication', study.indication, 'indication', null) : null,
         textBlock('Reference', study.reference, 'reference', chips),
         ...study.texts.map((text) => textBlock(text.system, text.text, colour(text.system), scoreList(text.metrics)))));
    node.addEventListener('focus', () => { state.current = index; });
    return node;
  }

  function showPage() {
    const pages = Math.max(1, Math.ceil(state.shown.length / pageSize));
    const first = state.page * pageSize;
    view.list.replaceChildren(...state.shown.slice(first, first + pageSize).map((study, k) => card(study, first + k)));
    view.count.textContent = `${state.shown.length} of ${data.studies.length} studies`;
    for (const {previous, next, place} of view.pagers) {
      place.textContent = `Page ${state.page + 1} of ${pages}`;
      previous.disabled = state.page === 0;
      next.disabled = state.page === pages - 1;
    }
  }

  function update(change) {
    Object.assign(state, change, {page: 0, current: -1});
    state.shown = matching();
    showPage();
  }

  function turnTo(page) {
    Object.assign(state, {page, current: page * pageSize - 1});
    showPage();
    view.list.closest('section').scrollIntoView();
  }

  // To the next (1) or the previous (-1) study, over page ends.
  function step(by) {
    const index = Math.min(Math.max(state.current + by, 0), state.shown.length - 1);
    if (index < 0) return;
    const page = Math.floor(index / pageSize);
    if (page !== state.page) { state.page = page; showPage(); }
    view.list.children[index - page * pageSize].focus({preventScroll: true});
    document.activeElement.scrollIntoView();
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, select')) return;
    if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1);
  }

  function pager(name) {
    const previous = el('button', {type: 'button'}, '← Previous'), next = el('button', {type: 'button'}, 'Next →');
    previous.addEventListener('click', () => turnTo(state.page - 1));
    next.addEventListener('click', () => turnTo(state.page + 1));
    const place = el('span', {});
    view.pagers.push({previous, next, place});
    return el('nav', {class: 'pager', 'aria-label': name}, previous, place, next);
  }

  function filters() {
    const search = el('input', {type: 'search', placeholder: 'words of a report, or an id'});
    search.addEventListener('input', () => update({query: search.value}));
    const choice = (name, title, all, values) => values.length < 2 && !all.startsWith('any') ? null
      : select(title, [['', all], ...values.map((value) => [value, value])], (value) => update({[name]: value}));
    const systems = unique(data.studies.flatMap((study) => study.texts.map((text) => text.system)));
    const metrics = unique(data.studies.flatMap((study) => study.texts.flatMap((text) => Object.keys(text.metrics))))
      .filter((name) => metricInfo.get(name).direction !== 0);
    return el('form', {class: 'controls', role: 'search', 'aria-label': 'Choose studies'},
      el('label', {class: 'field wide'}, el('span', {}, 'Search'), search),
      choice('split', 'Split', 'all', unique(data.studies.map((study) => study.split)).filter(Boolean)),
      choice('site', 'Site', 'all', unique(data.studies.map((study) => study.site)).filter(Boolean).sort()),
      choice('condition', 'Condition', 'any', unique(data.studies.flatMap((study) => study.conditions)).sort()),
      select('Order', [['', 'as in the files'], ...metrics.map((name) => [name, `worst ${name} first`])], (sort) => update({sort})),
      choice('system', 'Order by', 'mean of systems', systems));
  }

  function studies() {
    Object.assign(view, {list: el('div', {class: 'studies'}), count: el('p', {class: 'count', role: 'status'}), pagers: []});
    const form = filters();
    form.addEventListener('submit', (event) => event.preventDefault());
    document.addEventListener('keydown', onKey);
    const note = el('span', {}, 'Keys ', el('kbd', {}, 'j'), ' and ', el('kbd', {}, 'k'), ' go to the next and the previous study.');
    const top = el('div', {class: 'bar-row'}, view.count, pager('Pages'));
    const node = section('studies', 'Studies', note, form, top, view.list, pager('Pages, below'));
    showPage();
    return node;
  }

  // ---- page

  function about() {
    const seeds = data.seeds.filter(Boolean);
    const rows = Object.entries(data.signatures).map(([name, signature]) =>
      el('tr', {}, el('th', {scope: 'row'}, name), el('td', {class: 'code'}, signature)));
    const note = (data.intervals ? 'Intervals are 95% percentile intervals of a bootstrap over patients. ' : '') + 'Seeds: ';
    document.getElementById('about').append(
      el('h2', {}, 'How the numbers were made'), el('p', {}, `${note}${seeds.join(', ') || 'one run without a tag'}.`),
      ...(rows.length ? [table('Signatures of the metrics', headRow(['metric', 'signature'], []), rows, 'signatures')] : []));
  }

  function sections() {
    const list = [];
    if (data.results.length) {
      list.push(section('leaderboard', 'Leaderboard',
                        `Mean over reports${data.intervals ? ', 95% interval below' : ''}. Bold: best of its column. ↑ higher is better, ↓ lower is better.`,
                        ...data.splits.map(leaderboard)),
                section('intervals', 'Intervals', null, ...intervalPlots()));
    }
    if (data.pairs.length) {
      const note = data.intervals &&
        'Both systems on the same resampled patients. ▲ better and ▼ worse mark intervals without zero.';
      list.push(section('differences', 'Paired differences', note, ...data.splits.map(differences)));
    }
    if (data.results.some((row) => row.conditions.length)) {
      list.push(section('conditions', 'F1 per condition', 'Below: true positives / false positives / false negatives.',
                        ...data.splits.map(conditions)));
    }
    if (data.sites.length) list.push(section('sites', 'Sites', 'Means without intervals. Bold: best of the site.', ...data.splits.map(sites)));
    const charts = unique(data.curves.map((curve) => curve.chart)).map(curvePlot).filter(Boolean);
    if (charts.length) list.push(section('curves', 'Learning curves', null, el('div', {class: 'charts'}, ...charts)));
    if (data.studies.length) list.push(studies());
    return list;
  }

  const list = sections();
  document.getElementById('main').append(...list);
  document.getElementById('contents').append(el('ul', {}, ...list.map((node) =>
    el('li', {}, el('a', {href: `#${node.id}`}, node.querySelector('h2').textContent)))));
  about();
})();
