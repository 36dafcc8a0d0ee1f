// SPDX-License-Identifier: Apache-2.0
// The study browser: a list of pages, chosen by search and filters, worst first by any metric.

const pageSize = 20;
// Which studies are shown and how; `against` is the system whose report the reference is marked with.
const state = {query: '', split: '', site: '', condition: '', sort: '', system: '', against: '', current: -1, shown: data.studies, page: 0};
const view = {};

const textsOf = (study) => study.texts.filter((text) => !state.system || text.system === state.system);

// How bad a study is by the chosen metric, larger is worse; studies without a value come last.
function badness(study) {
  const values = textsOf(study).map((text) => text.metrics[state.sort]).filter(known);
  if (!values.length) return -Infinity;
  return (-metricInfo.get(state.sort).direction * values.reduce((a, b) => a + b, 0)) / values.length;
}
const words = (study) => (study.words ??=
  [study.id, study.indication, study.reference, ...study.texts.map(({text}) => text)].join('\n').toLowerCase());

function matching() {
  const query = state.query.trim().toLowerCase();
  const found = data.studies.filter((study) =>
    (!query || words(study).includes(query)) && (!state.split || study.split === state.split) &&
    (!state.site || study.site === state.site) && (!state.condition || study.conditions.includes(state.condition)) &&
    (!state.system || study.texts.some((text) => text.system === state.system)));
  if (!state.sort) return found;
  const keyed = found.map((study) => [badness(study), study]);
  return keyed.sort(([a], [b]) => (a === b ? 0 : b > a ? 1 : -1)).map(([, study]) => study);
}

function verdict(study, text, others) {
  const parts = [['missed', saidOnly(study.marks, statementKeys(text.marks))], ['false', saidOnly(text.marks, others)]]
    .filter(([, names]) => names.length);
  return parts.length ? el('p', {class: 'verdict'}, ...parts.flatMap(([kind, names], k) =>
    [k ? ' · ' : '', el('mark', {class: kind}, kind), ` ${names.join(', ')}`])) : null;
}

function referenceBlock(study) {
  const other = study.texts.find((text) => text.system === (state.system || state.against)) ?? study.texts[0];
  const chips = study.conditions.length
    ? el('ul', {class: 'chips', 'aria-label': 'Conditions in the reference'}, ...study.conditions.map((name) => el('li', {}, name))) : null;
  const title = study.texts.length > 1 && !state.system ? `Reference, marked against ${other.system}` : 'Reference';
  return textBlock(title, markedText(study.reference ?? '', study.marks, statementKeys(other.marks), 'missed'), 'reference', chips);
}

function priorBlock({id, date, report}) {
  return textBlock(`Prior study ${id}${date ? `, ${date}` : ''}`, [report ?? ''], 'prior');
}

function card(study, index) {
  const tags = [study.split, study.site, study.seed && `seed ${study.seed}`].filter(Boolean).join(' · ');
  const others = statementKeys(study.marks);
  const systems = textsOf(study).map((text) =>
    textBlock(text.system, markedText(text.text, text.marks, others, 'false'), `system ${systemColour(text.system)}`,
              verdict(study, text, others), scoreList(text.metrics)));
  const {prior} = study;
  const node = el('article', {class: data.images.length ? null : 'bare', tabindex: -1, 'aria-label': `Study ${study.id}`},
    el('header', {}, el('h3', {}, study.id), el('span', {class: 'soft'}, tags), el('span', {class: 'soft count'}, String(index + 1))),
    data.images.length ? el('div', {class: 'pictures'}, picture(study.image, study.id),
      prior?.image === undefined ? null : el('div', {}, el('h4', {}, 'Prior'), picture(prior.image, prior.id))) : null,
    el('div', {class: 'texts'}, study.indication ? textBlock('Indication', [study.indication], 'indication') : null,
       prior ? priorBlock(prior) : null, referenceBlock(study), ...systems));
  node.addEventListener('focus', () => { state.current = index; });
  return node;
}

function showPage() {
  const pages = Math.max(1, Math.ceil(state.shown.length / pageSize));
  const first = state.page * pageSize;
  view.list.replaceChildren(...state.shown.slice(first, first + pageSize).map((study, k) => card(study, first + k)));
  view.count.textContent = `${state.shown.length} of ${data.studies.length} studies`;
  for (const pages_ of view.pagers) pages_.show(state.page, pages);
}

function update(change) {
  Object.assign(state, change, {page: 0, current: -1});
  state.shown = matching();
  showPage();
}

// To another page, if there is one: by = 1 or -1.
function turnPage(by) {
  const page = state.page + by;
  if (page < 0 || page * pageSize >= state.shown.length) return;
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

function filters() {
  const search = searchField('words of a report, or an id', (query) => update({query}));
  view.search = search.lastChild;
  const values = (pick) => unique(data.studies.flatMap(pick)).filter(Boolean);
  const choice = (name, title, all, options) => options.length < 2 && name !== 'condition' ? null
    : select(title, [['', all], ...options.map((value) => [value, value])], (value) => update({[name]: value}));
  const systems = values((study) => study.texts.map((text) => text.system));
  const metrics = values((study) => study.texts.flatMap((text) => Object.keys(text.metrics)))
    .filter((name) => metricInfo.get(name).direction !== 0);
  // The system of interest: the one that the first difference is about.
  state.against = systems.includes(data.pairs[0]?.a) ? data.pairs[0].a : systems.at(-1);
  const against = systems.length < 2 ? null
    : select('Mark reference against', systems.map((name) => [name, name]), (value) => update({against: value}), state.against);
  return el('form', {class: 'controls', role: 'search', 'aria-label': 'Choose studies'},
    search, choice('split', 'Split', 'all', values((study) => study.split)),
    choice('site', 'Site', 'all', values((study) => study.site).sort()),
    choice('condition', 'Condition', 'any', values((study) => study.conditions).sort()),
    choice('system', 'System', 'all', systems),
    select('Order', [['', 'as in the files'], ...metrics.map((name) => [name, `worst ${name} first`])], (sort) => update({sort})), against);
}

function studies() {
  const pagers = ['Pages of studies', 'Pages of studies, below'].map((name) => pager(name, 'Page', turnPage));
  Object.assign(view, {list: el('div', {class: 'studies'}), count: el('p', {class: 'count', role: 'status'}), pagers});
  const form = filters();
  form.addEventListener('submit', (event) => event.preventDefault());
  const note = 'Filters look at the reference’s conditions; an order by a metric is that of the chosen system, or of the mean of all.';
  const top = el('div', {class: 'bar-row'}, view.count, pagers[0].node);
  const node = section('studies', 'Studies', note, markLegend(), form, top, view.list, pagers[1].node);
  showPage();
  return node;
}
