// SPDX-License-Identifier: Apache-2.0
// The evaluation report, drawn from the JSON in #data. The files of this folder become one program in a scope of its own:
// base, tables, plots, curves, groups, texts, studies, rollouts, page. Texts of the data become text nodes or attribute
// values, never markup. No library, no network, nothing on the console. This file: the data, elements, numbers.

const data = JSON.parse(document.getElementById('data').textContent);
const metricInfo = new Map(data.metrics.map((metric) => [metric.name, metric]));

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

function select(label, options, onChange, chosen = null) {
  const control = el('select', {}, ...options.map(([value, text]) => el('option', {value, selected: value === chosen && ''}, text)));
  control.addEventListener('change', () => onChange(control.value));
  return el('label', {class: 'field'}, el('span', {}, label), control);
}

// A plot, and the same numbers as a table: one of them in view.
function figure(title, plot, makeTable) {
  const body = el('div', {class: 'figure-body'}, ...plot);
  const button = el('button', {type: 'button', class: 'view', 'aria-pressed': 'false'}, 'Table', hidden(` of ${title}`));
  let made = null;
  button.addEventListener('click', () => {
    const show = button.getAttribute('aria-pressed') === 'false';
    made ??= show ? makeTable() : null;
    button.setAttribute('aria-pressed', show);
    body.replaceChildren(...(show ? [made] : plot));
  });
  return el('figure', {class: 'chart'}, el('div', {class: 'chart-head'}, el('figcaption', {}, title), button), body);
}

function searchField(hint, onInput) {
  const input = el('input', {type: 'search', placeholder: hint});
  input.addEventListener('input', () => onInput(input.value));
  return el('label', {class: 'field wide'}, el('span', {}, 'Search'), input);
}

// Buttons that turn pages; show(page, pages) tells where one is.
function pager(name, unit, turn) {
  const previous = el('button', {type: 'button'}, '← Previous'), next = el('button', {type: 'button'}, 'Next →');
  previous.addEventListener('click', () => turn(-1));
  next.addEventListener('click', () => turn(1));
  const place = el('span', {});
  const show = (page, pages) => {
    place.textContent = `${unit} ${page + 1} of ${pages}`;
    previous.disabled = page === 0;
    next.disabled = page >= pages - 1;
  };
  return {node: el('nav', {class: 'pager', 'aria-label': name}, previous, place, next), show};
}
