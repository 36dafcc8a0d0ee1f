// SPDX-License-Identifier: Apache-2.0
// Tables: leaderboard, paired differences, conditions, and those behind the plots.

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

function conditionTable(split) {
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

// One metric of a split with its intervals.
function metricTable(name, rows) {
  const body = rows.map((row) => {
    const [value, lo, hi] = row.metrics[name];
    return el('tr', {}, el('th', {scope: 'row'}, row.system), ...[value, lo, hi].map((v) => el('td', {}, formatted(name, v))));
  });
  return table(`${name}, ${rows[0].split}`, headRow(['system', 'mean', '95% from', 'to'], []), body);
}

function errorTable(split, rows) {
  const body = rows.map(({system, reports}) => {
    const all = reports.reduce((a, b) => a + b);
    return el('tr', {}, el('th', {scope: 'row'}, system), el('td', {}, String(all)), ...reports.map((count) =>
      el('td', {}, `${number((100 * count) / all, 1)}%`, el('small', {}, String(count)))));
  });
  return table(`Reports by errors, ${split}`, headRow(['system', 'reports', ...data.error_bins], []), body);
}
