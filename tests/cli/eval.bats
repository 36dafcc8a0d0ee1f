#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-eval: scoring of plain files and records, comparison, what it refuses.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers

setup() {
  unirg_setup
  cat >ref.csv <<'CSV'
study_id,report
s1,"Findings: Small left pleural effusion. Impression: Left pleural effusion."
s2,"Findings: The heart is mildly enlarged. No pneumothorax. Impression: Mild cardiomegaly."
s3,"Findings: The lungs are clear. Impression: No acute disease."
CSV
  cat >hyp.jsonl <<'JSONL'
{"study_id":"s1","text":"Findings: Small left pleural effusion. Impression: Left pleural effusion."}
{"study_id":"s2","text":"Findings: The lungs are clear. Impression: No acute disease."}
{"study_id":"s3","text":"Findings: The lungs are clear. Impression: No acute disease."}
JSONL
}

scores_of() { # system, file
  unirg-eval --quiet --references ref.csv --name "$1" --scores "$1.scores.jsonl" --format none "$2"
}

@test "two plain files give a table and a score record a study" {
  run -0 --separate-stderr unirg-eval --references ref.csv --predictions hyp.jsonl --metrics bleu2,rouge-l --scores s.jsonl
  assert_contains "$output" "| bleu2 |"
  assert_contains "$output" "| rouge-l |"
  [[ $output != *label-f1* ]]
  assert_jsonl s.jsonl
  [ "$(jq -c '[.study_id, has("bleu2", "rouge-l", "errors")]' s.jsonl | head -1)" = '["s1",true,true,false]' ]
  [ -e s.jsonl.run.json ]
}

@test "an identical report scores 1 and has no errors" {
  scores_of same hyp.jsonl
  [ "$(jq -c 'select(.study_id == "s1") | [.bleu2, .["rouge-l"], .["label-f1"], .["entity-f1"], .errors] | map(. * 1000 | round)' same.scores.jsonl)" = '[1000,1000,1000,1000,0]' ]
  [ "$(jq -c 'select(.study_id == "s1") | [.called, .present]' same.scores.jsonl)" = '[["Pleural Effusion"],["Pleural Effusion"]]' ]
}

@test "a missed condition counts against recall, not precision" {
  run -0 unirg-eval --quiet --references ref.csv --format json hyp.jsonl
  [ "$(jq -c '.systems.system[""] | [(.["micro-f1"].mean * 1000 | round), .["call-rate"].mean]' <<<"$output")" = '[667,0.5]' ]
}

@test "standard input, a pipe in the middle" {
  run -0 bash -c 'jq -c "select(.study_id != \"s3\")" hyp.jsonl | unirg-eval --quiet --allow-missing --references ref.csv --format tsv -'
  assert_contains "$output" $'system\t\t\t\tbleu2\t'
  run -0 bash -c 'unirg-eval --quiet --references ref.csv --format tsv <hyp.jsonl'
}

@test "every kind of file gives the same scores" {
  jq -s '{} + (map({(.study_id): {model_prediction: .text}}) | add)' hyp.jsonl >hyp.json
  jq -r -s '(["study_id", "report"] | @csv), (.[] | [.study_id, .text] | @csv)' hyp.jsonl >hyp.csv
  for file in hyp.jsonl hyp.json hyp.csv; do scores_of one "$file" && mv one.scores.jsonl "$file.out"; done
  cmp hyp.jsonl.out hyp.json.out
  cmp hyp.jsonl.out hyp.csv.out
}

@test "every metric is listed with range, direction, needs and source" {
  run -0 --separate-stderr unirg-eval --list-metrics
  for part in "| bleu2 | report | 0..1 | higher is better |" "| radcliq-v1 | report |" "| 1/radcliq-v1 | corpus |" "lower is better"; do
    assert_contains "$output" "$part"
  done
  unirg-eval --list-metrics --format json | jq -e 'all(.name != "" and .range != "" and .source != "" and .meaning != "")'
  [ "$(unirg-eval --list-metrics --format tsv | awk -F'\t' 'NF != 7' | wc -l)" = 0 ]
}

@test "plain texts are scored as they stand" {
  printf 'study_id,report\na,"the heart is large"\n' >r.csv
  printf '{"study_id":"a","text":"the heart is large. FINDINGS: none"}\n' >h.jsonl
  unirg-eval --quiet --references r.csv --metrics words,bleu2 --scores s.jsonl --format none h.jsonl
  jq -e '.words == 6 and .text == "the heart is large. FINDINGS: none" and .called == null' s.jsonl
}

@test "ReXrank's files are written, rounded as its board" {
  unirg-eval --quiet --references ref.csv --name mine --metrics bleu2,errors --rexrank board --format none hyp.jsonl
  jq -e '.s2.model_prediction == "Findings: The lungs are clear. Impression: No acute disease."' board/predictions.json
  [ "$(head -1 board/report_scores.csv)" = "study_id,bleu_score" ]
  [ "$(wc -l <board/report_scores.csv)" = 4 ]
  [[ "$(tail -1 board/leaderboard.csv)" =~ ^mine,,0\.[0-9]{3},-,-,-,-,-,-,-$ ]]
  unirg-eval --quiet --references ref.csv --metrics bleu2 --format none --scores s.jsonl board/predictions.json
}

@test "scores that were computed differently are not compared" {
  scores_of a hyp.jsonl
  unirg-eval --quiet --references ref.csv --name b --scores b.scores.jsonl --uncertain-is-positive --format none hyp.jsonl
  run -65 --separate-stderr unirg-eval compare a.scores.jsonl b.scores.jsonl
  assert_contains "$stderr" "metric 'call-rate' was computed as"
}

@test "the sections scored, the labeler and the composite are in the signatures" {
  run -0 unirg-eval --quiet --references ref.csv --sections impression --composite bleu2=0.5,errors=-0.1 --format json hyp.jsonl
  [ "$(jq -r .signatures.bleu2 <<<"$output")" = "bleu2:rexrank|lower|smooth1|v1|sections:impression" ]
  [[ $(jq -r '.signatures["micro-f1"]' <<<"$output") == "micro-f1:13|corpus|rule|lexicon:chest-"*"|uncertain:negative|v1|sections:impression" ]]
  [ "$(jq -r .signatures.composite <<<"$output")" = "composite:0.5*bleu2 + -0.1*errors|v1" ]
  unirg-eval --quiet --references ref.csv --name a --scores a.jsonl --format none hyp.jsonl
  unirg-eval --quiet --references ref.csv --name b --sections impression --scores b.jsonl --format none hyp.jsonl
  run -65 --separate-stderr unirg-eval compare --quiet a.jsonl b.jsonl
  assert_contains "$stderr" "sections:impression"
}

@test "cider-d says which references it was fitted to" {
  unirg-eval --quiet --references ref.csv --metrics cider-d --name a --scores a.jsonl --format none hyp.jsonl
  [[ $(jq -r '.notes.signatures["cider-d"]' a.jsonl.run.json) == *"|df:references@"????????????"|v1" ]]
  head -3 ref.csv >two.csv
  head -2 hyp.jsonl | unirg-eval --quiet --references two.csv --metrics cider-d --name b --scores b.jsonl --format none -
  run -65 --separate-stderr unirg-eval compare --quiet a.jsonl b.jsonl
  assert_contains "$stderr" "cider-d"
}

@test "scores without a run record are compared with a warning" {
  scores_of a hyp.jsonl
  sed 's/"system":"a"/"system":"b"/' a.scores.jsonl >b.scores.jsonl
  run -0 --separate-stderr unirg-eval compare --format none a.scores.jsonl b.scores.jsonl
  assert_contains "$stderr" "b.scores.jsonl.run.json"
}

@test "files scored with metrics in another order are compared" {
  unirg-eval --quiet --references ref.csv --metrics bleu2,rouge-l --name a --scores a.jsonl --format none hyp.jsonl
  unirg-eval --quiet --references ref.csv --metrics rouge-l,bleu2 --name b --scores b.jsonl --format none hyp.jsonl
  run -0 unirg-eval compare --quiet --pairs a-b --format json a.jsonl b.jsonl
  jq -e '[.paired["a-b"][""][].diff] == [0, 0]' <<<"$output"
}

@test "a composition brings its metrics" {
  printf 'terms:\n  - {metric: rouge2, weight: 1}\n' >c.yaml
  run -0 unirg-eval --quiet --references ref.csv --metrics words --composition ./c.yaml --format json hyp.jsonl
  [ "$(jq -c '.systems.system[""] | [.composite.mean == .rouge2.mean, has("words")]' <<<"$output")" = "[true,true]" ]
}

@test "every file of tables has a run record" {
  scores_of a hyp.jsonl
  for option in table html summary; do
    unirg-eval compare --quiet --format none --$option out.$option a.scores.jsonl
    [ "$(jq -r '.outputs | keys[0]' out.$option.run.json)" = out.$option ]
  done
  unirg-eval compare --quiet --format none --rexrank board a.scores.jsonl
  [ "$(jq '.outputs | length' board/leaderboard.csv.run.json)" -eq 3 ]
}

@test "a ReXrank file keeps its order, takes empty reports, and refuses a study twice" {
  printf '{"s3": {"model_prediction": ""}, "s1": {"model_prediction": "Clear."}, "s2": {"model_prediction": "Clear."}}' >p.json
  printf '{"s3": {"report": "Clear."}, "s1": {"report": "Clear."}, "s2": {"report": "Clear."}}' >r.json
  unirg-eval --quiet --references r.json --metrics rouge-l --scores s.jsonl --format none p.json
  jq -es 'map([.study_id, .["rouge-l"]]) == [["s3", 0], ["s1", 1], ["s2", 1]]' s.jsonl
  printf '{"s1": {"report": "Clear."}, "s1": {"report": "Effusion."}}' >twice.json
  run -65 --separate-stderr unirg-eval --references twice.json --metrics rouge-l p.json
  assert_contains "$stderr" "study 's1' stands twice"
}

@test "text that is no UTF-8 is named" {
  printf 'study_id,report\ns1,Caf\351.\n' >latin.csv
  run -65 --separate-stderr unirg-eval --references latin.csv --rexrank board latin.csv
  assert_contains "$stderr" "latin.csv:2: "
  assert_contains "$stderr" "iconv"
}

@test "the same bytes at any number of threads" {
  scores_of a hyp.jsonl
  mv a.scores.jsonl one
  unirg-eval --quiet --threads 2 --references ref.csv --name a --scores a.scores.jsonl --format none hyp.jsonl
  cmp one a.scores.jsonl
}

@test "compare joins systems, pairs them and writes summary, tables and page" {
  jq -c '.text |= sub("The lungs are clear"; "Left pleural effusion")' hyp.jsonl >other.jsonl
  scores_of good hyp.jsonl
  scores_of bad other.jsonl
  unirg-eval --quiet --resamples 200 --pairs good-bad --composite bleu2=0.5,label-f1=0.5 --summary sum.json \
    --table t.md --html page.html compare good.scores.jsonl bad.scores.jsonl >printed.md
  grep -q 'good - bad' printed.md
  cmp printed.md t.md
  [ "$(jq -r '.schema' sum.json)" = unirg.summary/1 ]
  [ "$(jq '.paired["good-bad"][""].composite.diff > 0' sum.json)" = true ]
  [ "$(jq '.systems.good[""].bleu2 | .lo <= .mean and .mean <= .hi and .n == 3' sum.json)" = true ]
  [ "$(jq '.signatures | has("bleu2")' sum.json)" = true ]
  grep -q '^<!doctype html>' page.html
}

@test "a baseline is paired with the others, p is corrected, and the leaderboard ranks in Markdown and LaTeX" {
  jq -c '.text |= sub("The lungs are clear"; "Left pleural effusion")' hyp.jsonl >other.jsonl
  scores_of good hyp.jsonl
  scores_of bad other.jsonl
  unirg-eval --quiet --resamples 50 --permutations 99 --intervals bca --baseline good --summary sum.json compare bad.scores.jsonl good.scores.jsonl >t.md
  jq -e '.paired["bad-good"][""].bleu2 | .p_holm >= .p and .p > 0' sum.json
  grep -q '^| 1 | good |' t.md
  unirg-eval --quiet --resamples 50 --format latex compare bad.scores.jsonl good.scores.jsonl >t.tex
  grep -q '^good & \\textbf' t.tex
  run -78 --separate-stderr unirg-eval compare --quiet --baseline best good.scores.jsonl
  assert_contains "$stderr" "no scores of system 'best'"
}

@test "groups are parts of the split, in every format" {
  scores_of a hyp.jsonl
  unirg-eval --quiet --resamples 20 --by sex,encounter --summary sum.json --format tsv compare a.scores.jsonl >t.tsv
  jq -e '.groups.sex[""].unknown.n == .systems.a[""].bleu2.n' sum.json
  awk -F'\t' '$3 == "encounter" && $4 == "1" && $5 == "bleu2"' t.tsv | grep -q .
  run -78 --separate-stderr unirg-eval compare --quiet --by height a.scores.jsonl
  assert_contains "$stderr" 'site, sex, race'
}

@test "the same seed gives the same intervals, another seed others" {
  scores_of a hyp.jsonl
  unirg-eval --quiet --seed 1 --resamples 9 --format json compare a.scores.jsonl >one
  unirg-eval --quiet --seed 1 --resamples 9 --format json compare a.scores.jsonl >again
  cmp one again
  unirg-eval --quiet --seed 2 --resamples 9 --format json compare a.scores.jsonl >other
  run -1 cmp one other
}

@test "a study without a report is named" {
  head -2 hyp.jsonl >short.jsonl
  run -65 --separate-stderr unirg-eval --references ref.csv short.jsonl
  assert_contains "$stderr" "'s3'"
  assert_contains "$stderr" "--allow-missing"
  run -0 unirg-eval --quiet --allow-missing --references ref.csv --format none short.jsonl
}

@test "a report without a reference, or two for a study, is an error" {
  echo '{"study_id":"s9","text":"x"}' >>hyp.jsonl
  run -65 --separate-stderr unirg-eval --references ref.csv hyp.jsonl
  assert_contains "$stderr" "'s9'"
  printf '{"study_id":"s1","text":"x"}\n{"study_id":"s1","text":"y"}\n' >twice.jsonl
  run -65 --separate-stderr unirg-eval --references ref.csv twice.jsonl
  assert_contains "$stderr" "twice"
}

@test "systems scored on different studies are not compared" {
  scores_of a hyp.jsonl
  scores_of b hyp.jsonl
  sed -i 1d b.scores.jsonl
  run -65 --separate-stderr unirg-eval compare a.scores.jsonl b.scores.jsonl
  assert_contains "$stderr" "same studies"
}

@test "bad lines are named by file, line and field" {
  sed -i '2s/"text"/"texts"/' hyp.jsonl
  run -65 --separate-stderr unirg-eval --references ref.csv hyp.jsonl
  assert_contains "$stderr" "hyp.jsonl:2: field 'text'"
  scores=$'{"schema":"unirg.score/1","study_id":7}'
  run -65 --separate-stderr unirg-eval compare - <<<"$scores"
  assert_contains "$stderr" ":1: field 'study_id'"
}

@test "a split that no reference has is 65" {
  run -65 --separate-stderr unirg-eval --references ref.csv --split tset hyp.jsonl
  assert_contains "$stderr" "'tset'"
}

@test "without resamples no interval is printed" {
  scores_of a hyp.jsonl
  unirg-eval --quiet --resamples 0 compare a.scores.jsonl >table.md
  run -1 grep -F '[' table.md
  unirg-eval --quiet --resamples 0 --format json compare a.scores.jsonl | jq -e '[.systems[][][].lo] | all(. == null)'
}

@test "usage errors come before the work" {
  for option in "--pairs a" "--composite bleu2=1 --composition x"; do
    # shellcheck disable=SC2086  # two words
    run -64 unirg-eval --references ref.csv --scores s.jsonl $option hyp.jsonl
    [ ! -e s.jsonl ]
  done
}

@test "a lexicon that is not there is 66, and only where it is needed" {
  run -66 --separate-stderr unirg-eval --references ref.csv --lexicon none.yaml --metrics label-f1 hyp.jsonl
  assert_contains "$stderr" "none.yaml"
  unirg-eval --quiet --references ref.csv --lexicon none.yaml --metrics rouge-l --format none hyp.jsonl
}

@test "usage and configuration errors" {
  run -64 --separate-stderr unirg-eval hyp.jsonl
  assert_contains "$stderr" "--references"
  run -64 --separate-stderr unirg-eval compare
  run -64 --separate-stderr unirg-eval --references ref.csv a.jsonl b.jsonl
  assert_contains "$stderr" "compare"
  run -78 --separate-stderr unirg-eval --references ref.csv --metrics bleu7 hyp.jsonl
  assert_contains "$stderr" "bleu2"
  scores_of a hyp.jsonl
  run -78 --separate-stderr unirg-eval --pairs a-zz compare a.scores.jsonl
  assert_contains "$stderr" "'zz'"
  run -64 --separate-stderr unirg-eval --pairs a compare a.scores.jsonl
  run -66 --separate-stderr unirg-eval --references absent.csv hyp.jsonl
  run -66 --separate-stderr unirg-eval --lexicon absent.yaml --references ref.csv hyp.jsonl
}

@test "outputs that cannot be written" {
  run -74 --separate-stderr bash -c 'unirg-eval --references ref.csv hyp.jsonl >/dev/full'
  run -74 --separate-stderr bash -c 'unirg-eval --references ref.csv --scores - hyp.jsonl >/dev/full'
  run -73 --separate-stderr unirg-eval --references ref.csv --summary ref.csv/x.json hyp.jsonl
  run -74 --separate-stderr bash -c 'unirg-eval --help >/dev/full'
  assert_no_leftovers .
}

# ---------------------------------------------------------------- tensorboard

@test "tensorboard writes a folder of events for each metrics file" {
  printf '%s\n' '{"step":1,"loss":0.5}' '{"step":2,"loss":0.25}' >metrics.jsonl
  unirg-eval tensorboard --quiet --logdir log rl=metrics.jsonl again=metrics.jsonl
  [ "$(find log -type f | LC_ALL=C sort | xargs)" = "log/again/events.out.tfevents.0.unirg log/rl/events.out.tfevents.0.unirg log/unirg.run.json" ]
  cmp log/rl/events.out.tfevents.0.unirg log/again/events.out.tfevents.0.unirg
  [ "$(grep -ac loss log/rl/events.out.tfevents.0.unirg)" -ge 1 ]
}

@test "tensorboard refuses what it cannot use before it writes" {
  printf '{"step":1,"loss":0.5}\n' >metrics.jsonl
  echo '{"loss":0.5}' >stepless.jsonl
  run -64 unirg-eval tensorboard rl=metrics.jsonl
  run -64 unirg-eval tensorboard --logdir log
  run -64 unirg-eval tensorboard --logdir log ../up=metrics.jsonl
  run -64 unirg-eval tensorboard --logdir log rl=metrics.jsonl rl=metrics.jsonl
  run -66 unirg-eval tensorboard --logdir log rl=metrics.jsonl none=absent.jsonl
  run -65 unirg-eval tensorboard --logdir log rl=metrics.jsonl stepless=stepless.jsonl
  [[ $output == *stepless.jsonl* ]]
  [ ! -e log ]
}

# ---------------------------------------------------------------- temporal classes

# Study records of one patient, and a report for each.
follow_ups() {
  study() { # id, encounter, findings
    jq -cn --arg id "$1" --argjson n "$2" --arg f "$3" '{schema: "unirg.study/1", study_id: $id, patient_id: "p", dataset: "d", site: "A",
      split: "test", date: null, images: [], age: null, sex: null, race: null, indication: null, technique: null, comparison: null,
      findings: $f, impression: null, prior: null, encounter: $n, labels: null, modality: null, style: null,
      source: {path: "", sha256: ""}}'
  }
  {
    study a 1 "New left effusion."
    study b 2 "The left effusion has increased."
    study c 3 "No new opacity. The effusion has resolved."
    study d 4 "Stable cardiomegaly. New right pneumothorax."
    study e 5 "No acute disease."
  } >studies.jsonl
  jq -c '{study_id, text: "Findings: The heart is large."}' studies.jsonl >reports.jsonl
}

@test "a score record tells the temporal class of a study, not of a plain text" {
  follow_ups
  unirg-eval --quiet --references studies.jsonl --metrics rouge-l --scores s.jsonl --format none reports.jsonl
  [ "$(jq -r .temporal s.jsonl)" = "$(printf 'first study\nprogression\nregression\nnew development\nno change')" ]
  [[ $(jq -r .notes.temporal s.jsonl.run.json) == "temporal:rule|lexicon:chest-"*"|temporal:temporal-1@"* ]]
  unirg-eval compare --quiet s.jsonl >table.md
  unirg-eval --quiet --references ref.csv --metrics rouge-l --scores plain.jsonl --format none hyp.jsonl
  jq -es 'all(has("temporal") | not)' plain.jsonl
  jq -c 'del(.temporal)' s.jsonl >old.jsonl
  cp s.jsonl.run.json old.jsonl.run.json # its signatures stand below the table
  unirg-eval compare --quiet old.jsonl | cmp table.md -
}

@test "another temporal lexicon, one that is not there, one that is none" {
  follow_ups
  sed 's/^new:/new:\n  - heart/' "$UNIRG_SOURCE/share/lexicon/temporal.yaml" >mine.yaml
  eval_studies() { unirg-eval --quiet --references studies.jsonl --metrics rouge-l --scores s.jsonl --format none "$@" reports.jsonl; }
  eval_studies --temporal-lexicon mine.yaml
  run -66 --separate-stderr eval_studies --temporal-lexicon none.yaml
  echo 'schema: unirg.temporal/2' >bad.yaml
  run -78 --separate-stderr eval_studies --temporal-lexicon bad.yaml
  assert_contains "$stderr" "'bad.yaml:1': schema is not 'unirg.temporal/1'"
}

# ---------------------------------------------------------------- ReXrank submissions

@test "a submission that is in order is 0, its numbers on standard output" {
  unirg-eval --quiet --references ref.csv --metrics bleu2 --rexrank board --format none hyp.jsonl
  run -0 --separate-stderr unirg-eval rexrank --quiet board/predictions.json --references ref.csv
  [ "$output" = "$(printf 'references: 3\nrecords: 3\nvalid: 3\nmissing: 0\nunknown: 0\nempty: 0\nduplicated: 0\nmistyped: 0')" ]
  [ -z "$stderr" ]
  # The test set's own JSON is a ground truth, too.
  run -0 unirg-eval rexrank board/predictions.json --references board/predictions.json
  unirg-eval rexrank --quiet --references ref.csv - <board/predictions.json
}

@test "a bad submission is 65 and every problem is told" {
  printf '{"s1": {"model_prediction": " "}, "s2": {"model_prediction": NaN},\n"s9": {"model_prediction": "a"}, "s9": {"model_prediction": "b"}}' >bad.json
  run -65 --separate-stderr unirg-eval rexrank bad.json --references ref.csv
  for line in "valid: 0" "- missing: study 's3'" "- unknown: study 's9'" "- empty: study 's1'" "- duplicated: study 's9': the study stands 2 times" \
    "- mistyped: study 's2': field 'model_prediction': expected text, got null"; do
    assert_contains "$output" "$line"
  done
  assert_contains "$stderr" "'bad.json' is no valid submission: 5 problems, 0 of 3 studies are in order"
  run -65 --separate-stderr unirg-eval rexrank bad.json --references ref.csv --format json --summary check.json
  jq -e '.schema == "unirg.submission-check/1" and .missing == 1 and (.problems | length) == 5' check.json
  cmp check.json <(cat <<<"$output")
  run -65 --separate-stderr unirg-eval rexrank bad.json --references ref.csv --format tsv
  [ "${#lines[@]}" -eq 6 ]
}

@test "a long list of problems is cut short and counted" {
  jq -rn '"study_id,report", (range(50) | "x\(.),Clear.")' >many.csv
  echo '{}' >none.json
  run -65 --separate-stderr unirg-eval rexrank none.json --references many.csv
  assert_contains "$output" "missing: 50"
  assert_contains "$output" "- missing: and 30 more (hint: --format json has all)"
  [ "$(grep -c '^- ' <<<"$output")" -eq 21 ]
}

@test "of study records the splits asked for must be in a submission" {
  follow_ups
  jq -c 'if .study_id == "e" then .split = "train" else . end' studies.jsonl >two.jsonl
  jq -n '{a: {model_prediction: "x"}, b: {model_prediction: "x"}, c: {model_prediction: "x"}, d: {model_prediction: "x"}}' >sub.json
  run -0 unirg-eval rexrank sub.json --references two.jsonl
  run -65 unirg-eval rexrank sub.json --references two.jsonl --split test,train
  run -65 --separate-stderr unirg-eval rexrank sub.json --references two.jsonl --split tset
  assert_contains "$stderr" "'tset'"
}

@test "what is no submission at all is named" {
  printf '{"s1": {\n"model_prediction": "a"\n' >cut.json
  run -65 --separate-stderr unirg-eval rexrank cut.json --references ref.csv
  assert_contains "$stderr" "'cut.json': no JSON from line"
  run -66 --separate-stderr unirg-eval rexrank absent.json --references ref.csv
  run -64 --separate-stderr unirg-eval rexrank cut.json
  assert_contains "$stderr" "--references"
  run -64 --separate-stderr unirg-eval rexrank --references ref.csv
}
