// SPDX-License-Identifier: Apache-2.0
// What studies and rollouts are shown with: texts with their marks, images, scores.

// The texts' conditions and what is said of them: a statement is 4 x condition + state.
const stateNames = ['denied, as implied', 'denied', 'doubted', 'stated'];
const statementName = (statement) => `${data.conditions[Math.floor(statement / 4)]}, ${stateNames[statement % 4]}`;
// An implied denial is a denial to the text it is compared with.
const statementKey = (statement) => (statement % 4 === 0 ? statement + 1 : statement);
const statementKeys = (marks = []) => new Set(marks.flatMap((mark) => mark.slice(2)).map(statementKey));

// Whether the other text says what stands at a mark too. What a statement of normality implies counts as wrong only where
// the other text says the opposite; null: nothing to mark.
function markKind(statements, others, wrong) {
  const contradicted = (s) => others.has(s + 2) || others.has(s + 3);
  if (statements.some((s) => (s % 4 === 0 ? contradicted(s) : !others.has(s)))) return wrong;
  return statements.some((s) => others.has(statementKey(s))) ? 'matched' : null;
}

// A text as nodes; what the other one says too is marked matched, what it does not `wrong`: missed or false. Marks that
// touch and look alike become one.
function markedText(text, marks = [], others, wrong) {
  const parts = [];
  for (const [begin, end, ...statements] of marks) {
    const kind = markKind(statements, others, wrong);
    if (!kind) continue;
    const look = statements.every((s) => s % 4 < 2) ? `${kind} denial` : kind;
    const last = parts.at(-1);
    if (last && last.look === look && !text.slice(last.end, begin).trim()) Object.assign(last, {end, said: [...last.said, ...statements]});
    else parts.push({begin, end, look, kind, said: statements});
  }
  let at = 0;
  const nodes = parts.flatMap(({begin, end, look, kind, said}) => {
    const title = `${kind}: ${unique(said.map(statementName)).join('; ')}`;
    const before = text.slice(at, begin);
    at = end;
    return [before, el('mark', {class: look, title}, text.slice(begin, end))];
  });
  return [...nodes, text.slice(at)];
}

// Conditions that one text states or doubts and the other does not, by name.
const saidOnly = (marks, others) => unique([...statementKeys(marks)].filter((s) => s % 4 > 1 && !others.has(s))
  .map((s) => data.conditions[Math.floor(s / 4)] + (s % 4 === 2 ? ' (doubted)' : '')));

const markLegend = () => el('p', {class: 'mark-legend'}, 'Marked by the rule labeler: ',
  el('mark', {class: 'matched'}, 'matched'), ' said by both, ', el('mark', {class: 'missed'}, 'missed'), ' only in the reference, ',
  el('mark', {class: 'false'}, 'false'), ' only in the report. A denial has a line and no ground.');

function picture(index, name) {
  if (index === undefined) return el('div', {class: 'picture none'}, 'no image');
  const button = el('button', {type: 'button', class: 'picture', 'aria-pressed': 'false', title: 'Enlarge or shrink'},
                    el('img', {src: data.images[index], alt: `Radiograph of study ${name}`, loading: 'lazy'}));
  button.addEventListener('click', () =>
    button.setAttribute('aria-pressed', button.closest('article').classList.toggle('large')));
  return button;
}

const scoreList = (metrics) => el('dl', {class: 'scores'}, ...Object.entries(metrics).map(([name, value]) =>
  el('div', {}, el('dt', {}, name), el('dd', {}, formatted(name, value)))));
const textBlock = (title, nodes, kind, ...extra) => el('section', {class: `text ${kind}`}, el('h4', {}, title),
  nodes.some((node) => node !== '') ? el('p', {class: 'report'}, ...nodes) : el('p', {class: 'report soft'}, 'no text'), ...extra);
const systemColour = (system) => { const k = data.systems.indexOf(system); return k < 0 ? '' : `c${k % 8}`; };
