#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The HTML page of unirg-eval in a real browser: it draws itself, says nothing on the console, and hostile texts stay texts.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  unirg_setup
  command -v chromium || command -v chromium-browser || command -v google-chrome || skip 'Chromium is not installed (apt-get install chromium)'
}

# Writes reports of two systems over four studies and the page $1 that compares them.
make_report() {
  local hostile='</script><img src=x onerror=alert(1)><svg onload=alert(2)> <!-- <script>alert(3)</script>'
  local clear='Findings: The lungs are clear. Impression: No acute process.'
  local effusion='Findings: Small left pleural effusion. Impression: Effusion.'
  write_reports references "$effusion" "Findings: $hostile" "$clear" "$effusion"
  write_reports a "$effusion" "$clear" "$clear" "Findings: $hostile"
  write_reports b "$clear" "$clear" "$effusion" "$effusion"
  local system
  for system in a b; do
    unirg-eval "$system.jsonl" --quiet --format none --references references.jsonl --name "$system" --scores "$system.scores.jsonl"
  done
  unirg-eval compare a.scores.jsonl b.scores.jsonl --quiet --format none --pairs a-b --resamples 50 --title "$hostile" --html "$1"
}

# Page report.html with two study records that have an image (one the other's prior), and three samples for each of two
# studies, hostile texts in every place; further arguments go to unirg-eval.
make_full_report() {
  local hostile='</script><img src=x onerror=alert(1)>'
  base64 -d >images.tar <<<'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='
  local id prior=null
  for id in s0 s1; do
    jq -cn --arg id "$id" --argjson prior "$prior" --arg hostile "$hostile" --argjson bytes "$(wc -c <images.tar)" '{schema: "unirg.study/1",
      study_id: $id, patient_id: "p", dataset: "d", site: ("site " + $hostile), split: "test", date: "2020-01-31",
      images: [{id: $id, view: "PA", shard: "images.tar", offset: 0, bytes: $bytes, width: 1, height: 1, sha256: "", decoder: "png", source: "", pixels_sha256: ""}],
      age: 50, sex: "F", race: null, indication: $hostile, technique: null, comparison: null,
      findings: ("Small left pleural effusion. \u00e9\ud83d\ude00 No pneumothorax. " + $hostile), impression: "Effusion.", prior: $prior,
      encounter: 1, labels: null, modality: null, style: null, source: {path: "", sha256: ""}}'
    prior='"s0"'
  done >studies.jsonl
  write_reports reports "Findings: $hostile Mild edema. No pneumothorax." "Findings: é😀 Mild edema. No pneumothorax. Small effusion."
  sed -i 's/"s1"/"s0"/; s/"s2"/"s1"/' reports.jsonl
  unirg-eval reports.jsonl --quiet --format none --references studies.jsonl --name "$hostile" --scores scores.jsonl
  write_samples "$hostile"
  printf '{"step": %d, "loss": %d}\n' 1 3 2 2 3 1 >metrics.jsonl
  unirg-eval compare scores.jsonl --quiet --format none --resamples 0 --html report.html --studies studies.jsonl \
    --rollouts ":round </script><img>=rollouts.jsonl:rewards.jsonl" --curve "<b>loss</b>:<i>run</i>=metrics.jsonl:loss" "$@"
}

# rollouts.jsonl and rewards.jsonl of studies s0 and s1; rewards are 0.0, 0.3, 0.6 by sample.
write_samples() {
  local id sample
  for id in s0 s1; do
    for sample in 0 1 2; do
      jq -cn --arg id "$id" --argjson sample $sample --arg hostile "$1" '{schema: "unirg.generation/1", study_id: $id, sample: $sample,
        text: ("Small effusion. Sample \($sample). " + $hostile), findings: null, impression: null, answer: null, finish: "stop",
        tokens: [1, 2], logprobs: [-1, -1], prompt_tokens: 3, seed: 1, policy: "p"}'
    done
  done >rollouts.jsonl
  jq -c '{schema: "unirg.reward/1", study_id, sample, components: {bleu2: (.sample / 10), "<b>odd</b>": null}, weights: {bleu2: 3}, reward: (3 * .sample / 10)}' \
    rollouts.jsonl >rewards.jsonl
}

# What the drivers share: complaints that land on the console.
driver() {
  cat >driver.js <<'JS'
const all = (selector) => [...document.querySelectorAll(selector)];
const expect = (what, seen, wanted) => { if (seen !== wanted) throw new Error(`${what}: ${seen}, not ${wanted}`); };
const field = (section, label) => all(`#${section} label`).find((node) => node.textContent.startsWith(label)).lastChild;
const choose = (section, label, value, event) => { const node = field(section, label); node.value = value; node.dispatchEvent(new Event(event, {bubbles: true})); };
const press = (key, node = document.body) => { node.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})); };
JS
  cat >>driver.js
}

# $1.jsonl with one study for each further text.
write_reports() {
  local name=$1 text n=0
  shift
  for text; do
    n=$((n + 1))
    jq -cn --arg id "s$n" --arg text "$text" '{study_id: $id, text: $text}'
  done >"$name.jsonl"
}

@test "the page opens offline, draws its leaderboard, leaves the console empty, and texts do not become elements" {
  make_report report.html
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html
}

@test "the page is the same bytes each time" {
  make_report first.html
  make_report second.html
  cmp first.html second.html
}

@test "no raw text of a report stands in the file" {
  make_report report.html
  run -1 grep -F '<img src=x' report.html
}

@test "the check itself notices a console message, an injected element and a missing leaderboard" {
  make_report good.html
  sed 's|</body>|<script>console.warn("w")</script></body>|' good.html >bad.html
  run -1 "$BATS_TEST_DIRNAME/check-report" bad.html
  assert_contains "$output" 'console'
  sed 's|</header>|<img src=x></header>|' good.html >bad.html
  run -1 "$BATS_TEST_DIRNAME/check-report" bad.html
  sed 's|<script>|<script>throw 0;|' good.html >bad.html
  run -1 "$BATS_TEST_DIRNAME/check-report" bad.html
  sed '/^<script>$/,/^<\/script>$/d' good.html >bad.html
  run -1 "$BATS_TEST_DIRNAME/check-report" bad.html
}

@test "search, filter, order and the keys j and k choose studies" {
  make_report report.html
  driver <<'JS'
const ids = () => all('#studies article h3').map((node) => node.textContent).join();
const focused = (key) => { press(key); return document.activeElement.querySelector('h3').textContent; };
expect('all', ids(), 's1,s2,s3,s4');
expect('j', focused('j'), 's1');
expect('j again', focused('j'), 's2');
expect('k', focused('k'), 's1');
choose('studies', 'Search', 'ONERROR', 'input');
expect('search', ids(), 's2,s4');
choose('studies', 'Search', '', 'input');
choose('studies', 'Condition', 'Pleural Effusion', 'change');
expect('condition', ids(), 's1,s4');
choose('studies', 'Condition', '', 'change');
choose('studies', 'System', 'b', 'change');
expect('system', all('#studies article:first-of-type .system h4').map((node) => node.textContent).join(), 'b');
choose('studies', 'Order', 'bleu2', 'change');
expect('worst ends with the best', ids().slice(-2), 's4');
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
  echo "throw new Error('seen')" >driver.js
  run -1 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "keys search, help, turn the theme, and can be switched off" {
  make_report report.html
  driver <<'JS'
press('/');
expect('search has the focus', document.activeElement.type, 'search');
press('j', document.activeElement);
expect('a letter in the search stays there', document.activeElement.type, 'search');
press('Escape', document.activeElement);
press('t');
expect('theme', document.documentElement.dataset.theme, 'light');
press('t');
expect('theme', document.documentElement.dataset.theme, 'dark');
press('t');
expect('theme', document.documentElement.dataset.theme, undefined);
press('?');
expect('help', document.querySelector('dialog').open, true);
document.querySelector('dialog input').click();
document.querySelector('dialog button').click();
expect('help closed', document.querySelector('dialog').open, false);
press('t');
expect('switched off', document.documentElement.dataset.theme, undefined);
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "groups have a plot for each split, by what and of which metric is chosen, and a table behind it" {
  make_report plain.html
  driver <<'JS'
expect('no groups without --by', document.getElementById('groups'), null);
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" plain.html driver.js
  unirg-eval compare a.scores.jsonl b.scores.jsonl --quiet --format none --resamples 50 --by sex,encounter --html report.html
  driver <<'JS'
const title = () => document.querySelector('#groups svg.plot').getAttribute('aria-label');
expect('first', title().startsWith('bleu2 by sex'), true);
choose('groups', 'By', 'encounter', 'change');
choose('groups', 'Metric of groups', 'rouge-l', 'change');
expect('chosen', title().startsWith('rouge-l by encounter'), true);
expect('a mark a system', all('#groups svg.plot path').length, 2);
document.querySelector('#groups button.view').click();
expect('table', all('#groups tbody tr').length, 2);
expect('reports', document.querySelector('#groups tbody th').textContent, '1 (4)');
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "a long list is cut into pages, which the arrow keys turn and j goes over" {
  local texts=() k
  for k in {1..25}; do texts+=("Findings: Study $k has no pneumothorax."); done
  write_reports references "${texts[@]}"
  unirg-eval references.jsonl --quiet --format none --resamples 0 --references references.jsonl --html report.html --shown-studies 0
  driver <<'JS'
const shown = () => all('#studies article h3').map((node) => node.textContent);
expect('first page', `${shown().length} ${shown()[0]}`, '20 s1');
press('ArrowRight');
expect('second page', `${shown().length} ${shown()[0]}`, '5 s21');
press('ArrowRight');
expect('no third page', shown()[0], 's21');
press('k');
expect('back over the end', `${shown()[0]} ${document.activeElement.querySelector('h3').textContent}`, 's1 s19');
press('j');
press('j');
expect('and forth', `${shown()[0]} ${document.activeElement.querySelector('h3').textContent}`, 's21 s21');
press('ArrowLeft', document.querySelector('#leaderboard [role=region]'));
expect('a table keeps its arrows', shown()[0], 's21');
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "every plot is there, named, and turns into a table of its numbers and back" {
  make_report report.html
  driver <<'JS'
for (const id of ['metrics', 'intervals', 'conditions', 'errors']) {
  const figure = document.querySelector(`#${id} figure`), button = figure.querySelector('button.view');
  const plots = () => figure.querySelectorAll('svg[role=img]').length;
  expect(`${id}: a plot with a name`, figure.querySelector('svg[role=img]').getAttribute('aria-label').length > 10, true);
  button.click();
  expect(`${id}: table instead`, `${plots()} ${figure.querySelectorAll('table').length} ${button.getAttribute('aria-pressed')}`, '0 1 true');
  button.click();
  expect(`${id}: plot again`, `${plots()} ${figure.querySelectorAll('table').length} ${button.getAttribute('aria-pressed')}`, '1 0 false');
}
document.querySelector('#errors button.view').click();
expect('errors of a', document.querySelector('#errors tbody tr').textContent.startsWith('a4'), true);
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "the rollout browser shows the samples of a study, best first, with what they were rewarded for" {
  make_full_report
  driver <<'JS'
const rows = () => all('#rollouts tbody tr').map((row) => [...row.children].slice(0, 4).map((cell) => cell.textContent).join(' ')).join();
expect('samples', rows(), 'sample 2 0.600 +0.300 0.200,sample 1 0.300 +0.000 0.100,sample 0 0.000 −0.300 0.000');
expect('the first study', document.querySelector('#rollouts h3').textContent, 's0');
press('n');
expect('the next study', document.querySelector('#rollouts h3').textContent, 's1');
press('p');
expect('the one before', document.querySelector('#rollouts h3').textContent, 's0');
choose('rollouts', 'Search', 'no such words', 'input');
expect('nothing found', rows(), '');
choose('rollouts', 'Search', 'sample 1', 'input');
all('#rollouts tbody button')[1].click();
expect('reference against a chosen sample', all('#rollouts h4').some((node) => node.textContent.endsWith('against sample 1')), true);
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "statements are marked where they stand, and prior study and image are shown" {
  make_full_report
  driver <<'JS'
const card = all('#studies article').at(-1);
const marks = (selector) => [...card.querySelectorAll(`${selector} .report mark`)].map((node) => `${node.className}: ${node.textContent}`).join();
expect('report', marks('.system'), 'false: edema,matched denial: pneumothorax,matched: effusion');
expect('reference', marks('.reference'), 'matched: pleural effusion,matched denial: pneumothorax,matched: Effusion');
expect('in words', card.querySelector('.verdict').textContent, 'false Edema');
expect('prior', card.querySelector('.prior h4').textContent, 'Prior study s0, 2020-01-31');
expect('images', card.querySelectorAll('img').length, 2);
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "hostile texts of priors, rollouts, systems and sites stay texts" {
  make_full_report
  run -1 grep -F '<img src=x' report.html
  driver <<'JS'
const hostile = '<\/script><img src=x onerror=alert(1)>';
expect('curve', document.querySelector('#curves figure').textContent.includes('<b>loss</b>') && document.querySelector('#curves .legend').textContent.includes('<i>run</i>'), true);
document.querySelector('#curves button.view').click();
expect('curve as a table', all('#curves tbody tr').map((row) => row.textContent).join(), '13.0000,22.0000,31.0000');
for (const place of ['.prior .report', '.indication .report', '.system h4', '.system .report'])
  expect(place, all(`#studies ${place}`).some((node) => node.textContent.includes(hostile)), true);
expect('sample', document.querySelector('#rollouts .wrapped').textContent.includes(hostile), true);
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}

@test "linked images lie in a folder beside the page and load; none are none" {
  make_full_report --images link
  [ "$(find report_files -type f | wc -l)" = 1 ]
  cmp report_files/*.png images.tar
  run -1 grep -F 'data:image/png' report.html
  driver <<'JS'
addEventListener('load', () => all('img').forEach((image) => {
  image.loading = 'eager';
  image.decode().then(() => expect('width', image.naturalWidth, 1));
}));
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
  rm report_files/*
  run -1 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
  make_full_report --images none
  run -1 grep -E 'data:image/png|report_files' report.html
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html
  run -64 unirg-eval compare scores.jsonl --quiet --format none --resamples 0 --html - --images link
  assert_contains "$output" '--images link'
}

@test "rollouts without rewards, of other studies, or badly named are errors that say so" {
  make_full_report
  sed -n 2p rewards.jsonl >one.jsonl
  with() { unirg-eval compare scores.jsonl --quiet --format none --resamples 0 --html x.html --studies studies.jsonl --rollouts "$1"; }
  run -65 with rollouts.jsonl:one.jsonl
  assert_contains "$output" "rollout of study 's0', sample 0, has no reward"
  run -64 with rollouts.jsonl
  assert_contains "$output" "bad value 'rollouts.jsonl' for 'rollouts'"
  sed 's/"s1"/"s7"/' rollouts.jsonl >other.jsonl
  sed 's/"s1"/"s7"/' rewards.jsonl >other-rewards.jsonl
  run -65 with other.jsonl:other-rewards.jsonl
  assert_contains "$output" "study 's7' of the rollouts is not among the studies"
  run -66 with missing.jsonl:rewards.jsonl
  [ ! -e x.html ]
}
