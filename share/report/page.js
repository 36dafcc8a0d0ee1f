// SPDX-License-Identifier: Apache-2.0
// The sections in their order, keys, theme, and how the numbers were made.

function about() {
  const seeds = data.seeds.filter(Boolean);
  const rows = Object.entries(data.signatures).map(([name, signature]) =>
    el('tr', {}, el('th', {scope: 'row'}, name), el('td', {class: 'code'}, signature)));
  const note = (data.intervals ? 'Intervals are 95% percentile intervals of a bootstrap over patients. ' : '') + 'Seeds: ';
  document.getElementById('about').append(
    el('h2', {}, 'How the numbers were made'), el('p', {}, `${note}${seeds.join(', ') || 'one run without a tag'}.`),
    ...(rows.length ? [table('Signatures of the metrics', headRow(['metric', 'signature'], []), rows, 'signatures')] : []));
}

function resultSections() {
  if (!data.results.length) return [];
  const interval = data.intervals ? ', 95% interval below' : '';
  return [
    section('leaderboard', 'Leaderboard', `Mean over reports${interval}. Bold: best of its column. ↑ higher is better, ↓ lower is better.`,
            ...data.splits.map(leaderboard)),
    section('metrics', 'Metrics', data.intervals ? 'Bars from zero; lines are 95% intervals.' : 'Bars from zero.', ...metricBars()),
    section('intervals', 'Intervals', 'One metric, closer up: the axis does not begin at zero.', ...intervalPlots()),
  ];
}

function pairSections() {
  const note = data.intervals && 'Both systems on the same resampled patients. ▲ better and ▼ worse mark intervals without zero.';
  return data.pairs.length ? [section('differences', 'Paired differences', note, ...data.splits.map(differences))] : [];
}

function conditionSections() {
  const note = 'With how many references state the condition. The table view has the counts: true positives / false positives / false negatives.';
  const plots = data.splits.map(conditions).filter(Boolean);
  return plots.length ? [section('conditions', 'F1 per condition', note, ...plots)] : [];
}

function errorSections() {
  const plots = data.splits.map(errorPlot).filter(Boolean);
  const note = 'Share of reports by their number of errors: conditions missed, called falsely, or called with a wrong side, severity or change.';
  return plots.length ? [section('errors', 'Errors', note, ...plots)] : [];
}

const groupSections = () => (data.groups.length
  ? [section('groups', 'Groups', 'Parts of a split, each with its own mean and interval; how many reports stands behind the name.', ...groupPlots())] : []);

function curveSections() {
  const charts = unique(data.curves.map((curve) => curve.chart)).map(curvePlot).filter(Boolean);
  return charts.length ? [section('curves', 'Learning curves', null, el('div', {class: 'charts'}, ...charts))] : [];
}

// A new plot is one more line here: a function that gives its sections, or none where the data lack it.
const sections = () => [
  resultSections, pairSections, conditionSections, errorSections, groupSections, curveSections,
  () => (data.rollouts.length ? [rollouts()] : []),
  () => (data.studies.length ? [studies()] : []),
].flatMap((make) => make());

// ---- keys and theme

const hasStudies = () => Boolean(view.list);
const hasRollouts = () => Boolean(rolloutView.box);
const keys = [
  ['j', 'next study', () => step(1), hasStudies],
  ['k', 'previous study', () => step(-1), hasStudies],
  ['ArrowRight', 'next page of studies', () => turnPage(1), hasStudies],
  ['ArrowLeft', 'previous page of studies', () => turnPage(-1), hasStudies],
  ['/', 'search', () => (view.search ?? rolloutView.search).focus(), () => hasStudies() || hasRollouts()],
  ['n', 'samples of the next study', () => stepRollouts(1), hasRollouts],
  ['p', 'samples of the previous study', () => stepRollouts(-1), hasRollouts],
  ['t', 'light, dark, or as the system has it', () => nextTheme(), () => true],
  ['?', 'this help', () => help.showModal(), () => true],
];
const keyName = (key) => ({ArrowRight: '→', ArrowLeft: '←'})[key] ?? key;

// One-key commands can be switched off, for those who type by voice.
const keySwitch = el('input', {type: 'checkbox', checked: ''});
const help = el('dialog', {'aria-labelledby': 'help-title'},
  el('h2', {id: 'help-title'}, 'Keys'),
  el('dl', {class: 'keys'}),
  el('form', {method: 'dialog', class: 'bar-row'}, el('label', {}, keySwitch, ' keys on'), el('button', {}, 'Close')));

function fillHelp() {
  help.querySelector('dl').append(...keys.filter(([, , , there]) => there()).map(([key, text]) =>
    el('div', {}, el('dt', {}, el('kbd', {}, keyName(key))), el('dd', {}, text))));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (event.target.matches('input, select, textarea')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  // arrows scroll a wide table that has the focus
  if (event.key.startsWith('Arrow') && event.target.closest('[role=region]')) return;
  const found = keys.find(([key, , , there]) => key === event.key && there());
  if (!found || (!keySwitch.checked && event.key !== '?')) return;
  event.preventDefault();
  found[2]();
}

const themes = ['system', 'light', 'dark'];
const themeButton = el('button', {type: 'button'});
function setTheme(name) {
  themeButton.textContent = `Theme: ${name}`;
  if (name === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}
const nextTheme = () => setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme ?? 'system') + 1) % 3]);

function tools() {
  const keyButton = el('button', {type: 'button', 'aria-haspopup': 'dialog'}, 'Keys ', el('kbd', {'aria-hidden': 'true'}, '?'));
  keyButton.addEventListener('click', () => help.showModal());
  themeButton.addEventListener('click', nextTheme);
  setTheme('system');
  fillHelp();
  document.getElementById('tools').append(themeButton, keyButton, help);
  document.addEventListener('keydown', onKey);
}

const list = sections();
document.getElementById('main').append(...list);
document.getElementById('contents').append(el('ul', {}, ...list.map((node) =>
  el('li', {}, el('a', {href: `#${node.id}`}, node.querySelector('h2').textContent)))));
about();
tools();
