// SPDX-License-Identifier: Apache-2.0
// The rollout browser: the samples that a policy drew for one study, best reward first.

const rolloutOrders = [
  ['', 'as in the file', null],
  ['spread', 'widest spread first', ({samples}) => samples.at(-1).reward - samples[0].reward],
  ['low', 'lowest mean first', (card) => meanReward(card)],
  ['high', 'highest mean first', (card) => -meanReward(card)],
];
const meanReward = ({samples}) => samples.reduce((sum, sample) => sum + sample.reward, 0) / samples.length;
const rolloutState = {set: 0, query: '', order: '', at: 0, against: 0, shown: []};
const rolloutView = {};

const rolloutWords = (card) => (card.words ??=
  [card.id, card.reference, ...card.samples.map(({text}) => text)].join('\n').toLowerCase());

function matchingRollouts() {
  const query = rolloutState.query.trim().toLowerCase();
  const found = data.rollouts[rolloutState.set].cards.filter((card) => !query || rolloutWords(card).includes(query));
  const key = rolloutOrders.find(([name]) => name === rolloutState.order)[2];
  return key ? found.map((card) => [key(card), card]).sort(([a], [b]) => a - b).map(([, card]) => card) : found;
}

// The reward of each sample as a bar on the scale of its group: what the advantages are made of.
function rewardCell({reward}, samples) {
  const rewards = samples.map((sample) => sample.reward);
  const lo = Math.min(0, ...rewards), hi = Math.max(0, ...rewards);
  const cell = el('td', {class: 'bar'}, number(reward, 3));
  cell.style.setProperty('--share', hi > lo ? (reward - lo) / (hi - lo) : 0);
  return cell;
}

// The button in a row chooses the sample that the reference is marked against.
function sampleRow(card, sample, k, names, others) {
  const choose = el('button', {type: 'button', class: 'view', 'aria-pressed': String(k === rolloutState.against), title: 'Mark the reference against this sample'},
                    String(sample.sample));
  choose.addEventListener('click', () => {
    rolloutState.against = k;
    showRollouts();
    rolloutView.box.querySelectorAll('tbody button')[k].focus();
  });
  return el('tr', {class: 'sample'}, el('th', {scope: 'row'}, hidden('sample '), choose), rewardCell(sample, card.samples),
    el('td', {}, number(sample.advantage, 3, true)), ...names.map((name) => el('td', {}, formatted(name, sample.components[name]))),
    el('td', {}, sample.finish), el('td', {}, String(sample.tokens)),
    el('td', {class: 'wrapped'}, ...markedText(sample.text, sample.marks, others, 'false')));
}

function rolloutCard(card) {
  const names = unique(card.samples.flatMap((sample) => Object.keys(sample.components)));
  const others = statementKeys(card.marks);
  const against = card.samples[Math.min(rolloutState.against, card.samples.length - 1)];
  const rewards = card.samples.map((sample) => sample.reward);
  const tags = [card.split, `mean reward ${number(meanReward(card), 3)}`, `${number(Math.min(...rewards), 3)} to ${number(Math.max(...rewards), 3)}`];
  const head = headRow(['sample', 'reward', 'advantage', ...names, 'finish', 'tokens', 'report'], []);
  return el('article', {class: data.images.length ? 'rollouts' : 'rollouts bare', tabindex: -1, 'aria-label': `Rollouts of study ${card.id}`},
    el('header', {}, el('h3', {}, card.id), el('span', {class: 'soft'}, tags.filter(Boolean).join(' · '))),
    data.images.length ? el('div', {class: 'pictures'}, picture(card.image, card.id)) : null,
    el('div', {class: 'texts'}, card.indication ? textBlock('Indication', [card.indication], 'indication') : null,
       textBlock(`Reference, marked against sample ${against.sample}`,
                 markedText(card.reference ?? '', card.marks, statementKeys(against.marks), 'missed'), 'reference')),
    table(`${card.samples.length} samples, highest reward first`, head,
          card.samples.map((sample, k) => sampleRow(card, sample, k, names, others)), 'samples'));
}

function showRollouts() {
  const {shown, at} = rolloutState;
  rolloutView.box.replaceChildren(shown.length ? rolloutCard(shown[at]) : el('p', {class: 'note'}, 'No study matches.'));
  rolloutView.count.textContent = `${shown.length} of ${data.rollouts[rolloutState.set].cards.length} studies`;
  rolloutView.pager.show(at, Math.max(1, shown.length));
}

function updateRollouts(change) {
  Object.assign(rolloutState, {at: 0, against: 0}, change);
  rolloutState.shown = matchingRollouts();
  showRollouts();
}

// To the next (1) or the previous (-1) study's samples.
function stepRollouts(by) {
  const at = rolloutState.at + by;
  if (at >= 0 && at < rolloutState.shown.length) Object.assign(rolloutState, {at, against: 0});
  showRollouts();
}

// Another round keeps the study in view, if it has it: that is what one wants to compare.
function changeRound(set) {
  const id = rolloutState.shown[rolloutState.at]?.id;
  rolloutState.set = set;
  const at = matchingRollouts().findIndex((card) => card.id === id);
  updateRollouts({at: Math.max(0, at)});
}

function rollouts() {
  Object.assign(rolloutView, {box: el('div', {}), count: el('p', {class: 'count', role: 'status'}), pager: pager('Studies with rollouts', 'Study', stepRollouts)});
  const round = data.rollouts.length < 2 ? null
    : select('Round', data.rollouts.map((set, k) => [k, set.name]), (k) => changeRound(Number(k)));
  const order = select('Order', rolloutOrders.map(([name, text]) => [name, text]), (value) => updateRollouts({order: value}));
  const search = searchField('words of a sample, or an id', (query) => updateRollouts({query}));
  rolloutView.search = search.lastChild;
  const note = 'What the policy drew for one study and how it was rewarded. Advantage: reward less the mean of the study’s samples.';
  const node = section('rollouts', 'Rollouts', note, markLegend(), el('div', {class: 'controls'}, search, round, order),
                       el('div', {class: 'bar-row'}, rolloutView.count, rolloutView.pager.node), rolloutView.box);
  updateRollouts({});
  return node;
}
