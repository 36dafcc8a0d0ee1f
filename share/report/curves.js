// SPDX-License-Identifier: Apache-2.0
// Learning curves.

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

function curveTable(chart, curves) {
  const columns = curves.map((curve) => new Map(curve.points));
  const xs = unique(columns.flatMap((column) => [...column.keys()])).sort((a, b) => a - b);
  const body = xs.map((x) => el('tr', {}, el('th', {scope: 'row'}, String(x)),
                                ...columns.map((column) => el('td', {}, number(column.get(x), 4)))));
  const head = headRow([curves[0].x_label, ...curves.map((curve) => curve.name)], []);
  return table(`${chart}, by ${curves[0].x_label}`, head, body);
}

function curvePlot(chart) {
  const curves = data.curves.filter((curve) => curve.chart === chart);
  const points = curves.flatMap((curve) => curve.points).filter((point) => point.every(known));
  if (!points.length) return null;
  const xs = padded(points.map((point) => point[0]), 0), ys = padded(points.map((point) => point[1]), 0.06);
  const x = scale(xs, [56, 548]), y = scale(ys, [240, 14]);
  const plot = svg('svg', {viewBox: '0 0 560 290', role: 'img', class: 'plot', 'aria-label': `${chart}; the table view has the numbers`},
                   ...curveAxes(xs, ys, x, y, curves[0].x_label), ...curves.map((curve, k) => curveMark(curve, k, x, y)));
  const key = legend(curves);
  readout(plot, curves, xs, key.show);
  return figure(chart, [key.list, plot], () => curveTable(chart, curves));
}
