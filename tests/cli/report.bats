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
  cat >driver.js <<'JS'
const ids = () => [...document.querySelectorAll('#studies article h3')].map((node) => node.textContent).join();
const expect = (what, seen, wanted) => { if (seen !== wanted) throw new Error(`${what}: ${seen}, not ${wanted}`); };
const field = (label) => [...document.querySelectorAll('#studies label')].find((node) => node.textContent.startsWith(label)).lastChild;
const choose = (label, value, event) => { field(label).value = value; field(label).dispatchEvent(new Event(event)); };
const press = (key) => { document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true})); return document.activeElement.querySelector('h3').textContent; };
expect('all', ids(), 's1,s2,s3,s4');
expect('j', press('j'), 's1');
expect('j again', press('j'), 's2');
expect('k', press('k'), 's1');
choose('Search', 'ONERROR', 'input');
expect('search', ids(), 's2,s4');
choose('Search', '', 'input');
choose('Condition', 'Pleural Effusion', 'change');
expect('condition', ids(), 's1,s4');
choose('Condition', '', 'change');
choose('Order by', 'b', 'change');
choose('Order', 'bleu2', 'change');
expect('worst ends with the best', ids().slice(-2), 's4');
JS
  run -0 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
  echo "throw new Error('seen')" >driver.js
  run -1 "$BATS_TEST_DIRNAME/check-report" report.html driver.js
}
