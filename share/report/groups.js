// SPDX-License-Identifier: Apache-2.0
// Means of groups of reports (by sex, encounter and so on), one metric at a time, every system with its interval.

const groupLabel = (group) => `${group.label} (${group.reports})`;
const valuesOf = (group, system, name) => group.systems[system]?.[name];

function groupMarks(name, group, systems, top, x) {
  return systems.flatMap((system, k) => {
    const values = valuesOf(group, system, name);
    if (!known(values?.[0])) return [];
    const [value, given, end] = values;
    const lo = given ?? value, hi = end ?? value, y = top + 14 * k;
    return [svg('g', {class: systemColour(system)},
      svg('title', {}, `${group.label}, ${system}: ${formatted(name, value)} (${intervalText(name, lo, hi)}), ${group.reports} reports`),
      line(x(lo), y, x(hi), y, 'interval'), marker(data.systems.indexOf(system), x(value), y))];
  });
}

function groupPlot(name, grouping, systems) {
  const all = grouping.groups.flatMap((group) => systems.flatMap((system) => (valuesOf(group, system, name) ?? []).filter(known)));
  if (!all.length) return el('p', {class: 'note'}, 'No values of this metric.');
  const domain = padded(all, 0.06), x = scale(domain, [230, 740]), height = 14 * systems.length + 16;
  const bottom = height * grouping.groups.length + 6;
  const axis = ticks(...domain, 6);
  const grid = axis.values.flatMap((value) => [
    line(x(value), 4, x(value), bottom, 'grid'), label(x(value), bottom + 17, number(value, axis.decimals), 'middle number')]);
  const marks = grouping.groups.flatMap((group, k) => {
    const top = 18 + height * k;
    return [label(0, top + 7 * systems.length - 3, shortened(groupLabel(group), 32)), ...groupMarks(name, group, systems, top, x)];
  });
  return svg('svg', {viewBox: `0 0 760 ${bottom + 24}`, role: 'img', class: 'plot dots',
                     'aria-label': `${name} by ${grouping.by}, ${grouping.split}; the table view has the numbers`}, ...grid, ...marks);
}

function groupTable(name, grouping, systems) {
  const body = grouping.groups.flatMap((group) => {
    const own = systems.filter((system) => known(valuesOf(group, system, name)?.[0]));
    const bold = bestOf(name, own.map((system) => valuesOf(group, system, name)[0]));
    return own.map((system, k) =>
      el('tr', {class: k === 0 ? 'group' : null},
         k === 0 ? el('th', {scope: 'rowgroup', rowspan: own.length}, groupLabel(group)) : null,
         el('th', {scope: 'row'}, system), intervalCell(name, valuesOf(group, system, name), bold)));
  });
  return table(`${name} by ${grouping.by}, ${grouping.split}`, headRow([`${grouping.by} (reports)`, 'system'], [name]), body, 'grouped');
}

function groupFigure(name, grouping) {
  const systems = data.systems.filter((system) => grouping.groups.some((group) => valuesOf(group, system, name)));
  const title = `${name} by ${grouping.by}, ${grouping.split}`;
  const plot = el('div', {class: 'scroll', role: 'region', 'aria-label': title, tabindex: 0}, groupPlot(name, grouping, systems));
  return figure(title, [systemLegend(systems), plot], () => groupTable(name, grouping, systems));
}

function groupPlots() {
  const box = el('div', {class: 'plot-box'});
  const names = data.metrics.map((metric) => metric.name).filter((name) =>
    data.groups.some(({groups}) => groups.some((group) => data.systems.some((system) => valuesOf(group, system, name)))));
  const shown = {by: data.groups[0].by, name: names[0]};
  const draw = (change) => {
    Object.assign(shown, change);
    box.replaceChildren(...data.groups.filter(({by}) => by === shown.by).map((grouping) => groupFigure(shown.name, grouping)));
  };
  draw({});
  const choices = (values) => values.map((value) => [value, value]);
  return [el('div', {class: 'controls'}, select('By', choices(unique(data.groups.map(({by}) => by))), (by) => draw({by})),
             select('Metric of groups', choices(names), (name) => draw({name}))), box];
}
