#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-reward: what it scores, from which files, what it refuses, and how it behaves in a pipe.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  cat >reference.csv <<'END'
study_id,report
a,"FINDINGS: Small left pleural effusion. IMPRESSION: Small left pleural effusion."
b,"FINDINGS: Moderate cardiomegaly. No pneumothorax. IMPRESSION: Cardiomegaly."
c,"IMPRESSION: No acute disease."
END
  cat >rollouts.jsonl <<'END'
{"study_id":"a","text":"Findings: Small left pleural effusion. Impression: Small left pleural effusion."}
{"study_id":"b","text":"Findings: Large right pneumothorax. Impression: Pneumothorax."}
END
}

# The lexicon by name, so that the tools may lie anywhere.
reward() { unirg-reward --quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" "$@"; }

# A record unirg.generation/1: study, sample, findings.
generation() {
  printf '{"schema":"unirg.generation/1","study_id":"%s","sample":%d,"text":"Findings: %s","findings":"%s","impression":null,"answer":null,' "$1" "$2" "$3" "$3"
  printf '"finish":"stop","tokens":[1],"logprobs":[-0.5],"prompt_tokens":3,"seed":0,"policy":"x"}\n'
}

# $1 studies with four samples each, as rollouts.jsonl, and their references.csv.
many() {
  seq "$1" | while read -r n; do
    for sample in 0 1 2 3; do generation "s$n" $sample "Small left effusion. Heart size is $((n % 7 * sample)) normal."; done
  done >many.jsonl
  (echo study_id,report && seq "$1" | awk '{ print "s" $1 ",FINDINGS: Moderate left pleural effusion. Heart size is normal." }') >many.csv
}

# ---------------------------------------------------------------- values

@test "one record a rollout, in order, and the reward is the weighted sum" {
  reward --references reference.csv rollouts.jsonl >out.jsonl
  assert_jsonl out.jsonl
  [ "$(jq -r .study_id out.jsonl | paste -sd ' ')" = "a b" ]
  jq -es 'all(.schema == "unirg.reward/1" and (.components | keys) == (.weights | keys) and
    ((.weights | add) - 1 | fabs) < 1e-12 and
    ((. as $r | .weights | to_entries | map(.value * $r.components[.key]) | add) - .reward | fabs) < 1e-12)' out.jsonl
  jq -es '.[0].reward == 1 and (.[0].components | all(. == 1)) and .[1].reward < 0.5' out.jsonl
}

@test "weights choose the metrics, and --metrics adds some beside the reward" {
  reward --references reference.csv --weights entity-f1=2,errors=-0.5 --metrics words --metrics errors rollouts.jsonl >out.jsonl
  [ "$(jq -c '[.components | keys_unsorted[]]' out.jsonl | sort -u)" = '["entity-f1","errors","words"]' ]
  jq -es 'all(.weights == {"entity-f1": 2, "errors": -0.5})' out.jsonl
  jq -es '.[0] | .components.errors == 0 and .components.words == 10 and .reward == 2' out.jsonl
  jq -es '.[1].components.errors > 0 and (.[1] | .reward - 2 * .components["entity-f1"] + 0.5 * .components.errors | fabs) < 1e-12' out.jsonl
}

@test "values that are known by hand" {
  printf 'study_id,report\na,Findings: the heart is large\n' >r.csv
  printf '{"study_id":"a","text":"Findings: the heart is normal"}\n' >h.jsonl
  reward --references r.csv --weights rouge-l=1 --metrics bleu2 --metrics words h.jsonl >out.jsonl
  # Five words each, four in common, three of four pairs.
  jq -e '(.reward - 0.8 | fabs) < 1e-12 and (.components.bleu2 - (0.8 * 0.75 | sqrt) | fabs) < 1e-12 and .components.words == 5' out.jsonl
}

@test "a composition file transforms, and keeps the raw values" {
  cat >mine.yaml <<'END'
terms:
  - {metric: errors, weight: 0.5, transform: reciprocal}
  - {metric: words, weight: 1, transform: [{scale: [0, 20]}, {clip: [0, 1]}]}
END
  reward --references reference.csv --composition mine.yaml rollouts.jsonl >out.jsonl
  jq -es '.[0] | .components.errors == 0 and .components.words == 10 and .reward == 0.5 + 0.5' out.jsonl
  jq -es '.[1] | (.reward - (0.5 / (1 + .components.errors) + .components.words / 20) | fabs) < 1e-12' out.jsonl
  jq -es 'all(.weights == {"errors": 0.5, "words": 1})' out.jsonl
}

@test "--reweight changes the reward without scoring" {
  reward --references reference.csv --weights rouge-l=1 --metrics errors,words -o first.jsonl rollouts.jsonl
  reward --reweight first.jsonl --weights errors=-1,words=0.5 -o second.jsonl
  jq -es 'all(.reward == 0.5 * .components.words - .components.errors and .weights == {"errors": -1, "words": 0.5})' second.jsonl
  [ "$(jq -c .components first.jsonl)" = "$(jq -c .components second.jsonl)" ]
  [ "$(jq -r .notes.reward second.jsonl.run.json)" = "-1*errors + 0.5*words" ]
  reward --reweight second.jsonl --weights rouge-l=1 -o third.jsonl
  [ "$(jq -c '[.reward, .weights]' third.jsonl)" = "$(jq -c '[.reward, .weights]' first.jsonl)" ]
}

@test "--reweight keeps the signatures, and takes nothing that would need scoring" {
  reward --references reference.csv --weights rouge-l=1 --metrics bleu2 -o rewards.jsonl rollouts.jsonl
  unirg-reward --quiet --reweight rewards.jsonl --weights bleu2=1 -o again.jsonl
  [ "$(jq -c .notes.signatures again.jsonl.run.json)" = "$(jq -c .notes.signatures rewards.jsonl.run.json)" ]
  run -64 unirg-reward --reweight rewards.jsonl --weights bleu2=1 --metrics words
  run -64 unirg-reward --reweight rewards.jsonl --weights bleu2=1 --shard 0/2
}

@test "--reweight tells bad lines by number" {
  reward --references reference.csv --weights rouge-l=1 -o rewards.jsonl rollouts.jsonl
  { head -1 rewards.jsonl; echo '{"schema":"unirg.reward/1"}'; } >bad.jsonl
  run -65 --separate-stderr unirg-reward --reweight bad.jsonl --weights rouge-l=1
  assert_contains "$stderr" "bad.jsonl:2: "
  unirg-reward --quiet --on-error skip --reweight bad.jsonl --weights rouge-l=1 -o some.jsonl
  [ "$(jq .line some.jsonl.rejected.jsonl)" -eq 2 ]
}

@test "--reweight names a component that is not there, and a null one" {
  reward --references reference.csv --weights rouge-l=1 -o first.jsonl rollouts.jsonl
  run -65 --separate-stderr reward --reweight first.jsonl --weights errors=1 -o second.jsonl
  assert_contains "$stderr" "study 'a' sample 0: metric 'errors' of the reward is not among the metrics"
  jq -c '.components["rouge-l"] = null' first.jsonl >null.jsonl
  run -65 --separate-stderr reward --reweight null.jsonl --weights rouge-l=1 -o second.jsonl
  assert_contains "$stderr" "has no value"
  [ ! -e second.jsonl ]
}

@test "the paper's rewards name the weights they want" {
  run -66 --separate-stderr reward --references reference.csv --composition unirg-step1 --models none rollouts.jsonl
  assert_contains "$stderr" "none/"
  run -66 --separate-stderr reward --references reference.csv --composition unirg-step3 rollouts.jsonl
  run -64 reward --references reference.csv --composition unirg-step1 --weights rouge-l=1 rollouts.jsonl
}

@test "--sections chooses what is compared" {
  printf '{"study_id":"b","text":"Findings: Clear. Impression: Cardiomegaly."}\n' >h.jsonl
  is_perfect() { reward --references reference.csv --weights rouge-l=1 --sections "$1" h.jsonl | jq '.reward == 1'; }
  [ "$(is_perfect impression)" = true ]
  [ "$(is_perfect findings)" = false ]
  [ "$(is_perfect both)" = false ]
}

@test "--uncertain-is-positive counts a doubt as a call" {
  printf 'study_id,report\na,FINDINGS: Possible pneumonia.\n' >r.csv
  printf '{"study_id":"a","text":"Findings: Pneumonia."}\n' >h.jsonl
  reward --references r.csv --weights label-f1=1 --uncertain-is-positive h.jsonl | jq -e '.reward == 1'
  reward --references r.csv --weights label-f1=1 h.jsonl | jq -e '.reward == 0'
}

@test "empty generated reports have finite scores, an empty reference is an error" {
  printf 'study_id,report\na,\nb,FINDINGS: Effusion.\n' >r.csv
  printf '{"study_id":"b","text":""}\n' >h.jsonl
  reward --references r.csv --metrics errors --metrics words h.jsonl >out.jsonl
  jq -es 'all(.components | all(type == "number")) and .[0].components.words == 0 and .[0].components.bleu2 == 0' out.jsonl
  printf '{"study_id":"a","text":"Clear."}\n' >h.jsonl
  run -65 --separate-stderr reward --references r.csv h.jsonl
  assert_contains "$stderr" "'a' lacks the sections"
}

# ---------------------------------------------------------------- files

@test "the same reports score the same from every kind of file" {
  printf 'study_id,report\na,Findings: Left effusion.\nb,Findings: Clear. Impression: Normal.\n' >h.csv
  printf 'study_id\treport\na\tFindings: Left effusion.\nb\tFindings: Clear. Impression: Normal.\n' >h.tsv
  printf '{"study_id":"a","text":"Findings: Left effusion."}\n{"study_id":"b","text":"Findings: Clear. Impression: Normal."}\n' >h.jsonl
  printf '{"a":{"model_prediction":"Findings: Left effusion.","report":NaN},"b":{"model_prediction":"Findings: Clear. Impression: Normal."}}' >h.json
  reward --references reference.csv h.csv >expected.jsonl
  [ "$(wc -l <expected.jsonl)" -eq 2 ]
  for kind in tsv jsonl json; do
    echo "kind: $kind"
    reward --references reference.csv h.$kind | cmp expected.jsonl -
  done
  reward --references reference.csv <h.jsonl | cmp expected.jsonl -
  reward --references reference.csv - <h.jsonl | cmp expected.jsonl -
}

@test "references may be of every kind too, also from a pipe" {
  reward --references reference.csv rollouts.jsonl >expected.jsonl
  printf '{"study_id":"%s","text":"%s"}\n' a "Findings: Small left pleural effusion. Impression: Small left pleural effusion." \
    b "Findings: Moderate cardiomegaly. No pneumothorax. Impression: Cardiomegaly." >r.jsonl
  printf '{"a":{"section_findings":"Small left pleural effusion.","section_impression":"Small left  pleural effusion."},
    "b":{"section_findings":NaN,"section_impression":null,"report":"FINDINGS: Moderate cardiomegaly. No pneumothorax. IMPRESSION: Cardiomegaly."}}' >r.json
  reward --references r.jsonl rollouts.jsonl | cmp expected.jsonl -
  reward --references r.json rollouts.jsonl | cmp expected.jsonl -
  reward --references - rollouts.jsonl <r.jsonl | cmp expected.jsonl -
}

@test "the word NaN inside a ReXrank report stays" {
  printf '{"a":{"model_prediction":"NaN \\" NaN","report":"NaN \\" NaN","section_findings":NaN}}' >r.json
  reward --references r.json --weights rouge-l=1 --metrics words r.json | jq -e '.reward == 1 and .components.words == 2'
}

@test "study records and rollouts, as the pipeline has them" {
  unirg-phantom --quiet --train 6 --validate 0 --test 0 --heldout 0 --side 64 --output ph
  unirg-ingest --quiet --reports ph/reports.csv -o st ph
  jq -r .study_id st/studies.jsonl | while read -r id; do for k in 0 1; do generation "$id" $k "Heart size is normal."; done; done >g.jsonl
  reward --references st/studies.jsonl -o out.jsonl g.jsonl
  assert_jsonl out.jsonl
  [ "$(jq -c '[.study_id, .sample]' out.jsonl)" = "$(jq -c '[.study_id, .sample]' g.jsonl)" ]
  [ "$(echo out*)" = "out.jsonl out.jsonl.run.json" ]
  jq -e --arg in "$(sha256sum <g.jsonl | cut -d ' ' -f 1)" --arg out "$(sha256sum <out.jsonl | cut -d ' ' -f 1)" \
    '.tool == "unirg-reward" and .inputs["g.jsonl"] == $in and .outputs["out.jsonl"] == $out and (.notes.signatures | keys | length) == 4' out.jsonl.run.json
  # A reference scored against itself is perfect.
  reward --references st/studies.jsonl st/studies.jsonl | jq -es 'length == 6 and all(.reward == 1)'
}

@test "the lexicon that is installed beside the tool is found" {
  mkdir -p prefix/bin prefix/share/unirg
  cp "$(command -v unirg-reward)" prefix/bin/
  cp -r "$UNIRG_SOURCE/share/lexicon" prefix/share/unirg/
  reward --references reference.csv rollouts.jsonl >expected.jsonl
  prefix/bin/unirg-reward --quiet --references reference.csv rollouts.jsonl | cmp expected.jsonl -
  run -66 --separate-stderr unirg-reward --quiet --lexicon absent.yaml --references reference.csv rollouts.jsonl
  assert_contains "$stderr" "'absent.yaml'"
}

@test "no rollouts give no records" {
  reward --references reference.csv -o out.jsonl </dev/null
  [ -e out.jsonl ]
  [ ! -s out.jsonl ]
}

# ---------------------------------------------------------------- what is refused

@test "a rollout without a reference is 65 and nothing is written" {
  echo '{"study_id":"z","text":"x"}' >>rollouts.jsonl
  run -65 --separate-stderr reward --references reference.csv -o out.jsonl rollouts.jsonl
  assert_contains "$stderr" "rollouts.jsonl"
  assert_contains "$stderr" "study 'z' has no reference in 'reference.csv'"
  [ "$(ls -A)" = "$(printf 'reference.csv\nrollouts.jsonl')" ]
}

@test "a report that stands twice is 65, on either side" {
  generation a 0 "x" >twice.jsonl
  generation a 1 "y" >>twice.jsonl
  reward --references reference.csv twice.jsonl
  generation a 0 "z" >>twice.jsonl
  run -65 --separate-stderr reward --references reference.csv twice.jsonl
  assert_contains "$stderr" "study 'a' sample 0 stands twice"
  printf 'a,again\n' >>reference.csv
  run -65 --separate-stderr reward --references reference.csv rollouts.jsonl
  assert_contains "$stderr" "'reference.csv': study 'a' sample 0 stands twice"
}

@test "a bad line is 65 with file, line and field" {
  check() { # text, message
    printf '%b' "$1" >bad.jsonl
    run -65 --separate-stderr reward --references reference.csv -o out.jsonl bad.jsonl
    assert_contains "$stderr" "$2"
    [ ! -e out.jsonl ]
  }
  check '{"study_id":"a","text":"x"}\n{"study_id":"b"\n' "bad.jsonl:2: not valid JSON"
  check '{"study_id":"a"}\n' "bad.jsonl:1: field 'text'"
  check '{"study_id":7,"text":"x"}\n' "bad.jsonl:1: field 'study_id'"
  check '[1]\n' "bad.jsonl:1:"
  check '{"schema":"unirg.generation/1","study_id":"a"}\n' "bad.jsonl:1: field 'sample'"
  printf 'id,report\na,x\n' >bad.csv
  run -65 --separate-stderr reward --references reference.csv bad.csv
  assert_contains "$stderr" "columns 'study_id' and 'report'"
  printf '{"a":{"report":"x"}}' >bad.json
  run -65 --separate-stderr reward --references reference.csv bad.json
  assert_contains "$stderr" "study 'a': field 'model_prediction' is missing"
  printf '[]' >bad.json
  run -65 --separate-stderr reward --references reference.csv bad.json
}

@test "a record of an unknown version or kind is 65" {
  for schema in unirg.generation/9 unirg.reward/1; do
    printf '{"schema":"%s","study_id":"a","sample":0,"text":"x"}\n' $schema >bad.jsonl
    run -65 --separate-stderr reward --references reference.csv bad.jsonl
    assert_contains "$stderr" "bad.jsonl:1:"
  done
}

@test "an unknown metric is 78 and the nearest one is named" {
  for options in "--weights bleu2=1,bleu3=1" "--metrics bleu3"; do
    # shellcheck disable=SC2086  # words are meant
    run -78 --separate-stderr reward --references reference.csv $options rollouts.jsonl
    assert_contains "$stderr" "unknown metric 'bleu3' (hint: did you mean 'bleu2'? unirg-eval --list-metrics shows all)"
    [ -z "$output" ]
  done
  printf 'weights: {bleu3: 1}\n' >reward.yaml
  run -78 --separate-stderr reward -c reward.yaml --references reference.csv rollouts.jsonl
}

@test "weights that are no numbers, and a name twice, are refused" {
  run -64 --separate-stderr reward --references reference.csv --weights bleu2 rollouts.jsonl
  run -64 --separate-stderr reward --references reference.csv --weights bleu2=nan rollouts.jsonl
  run -64 --separate-stderr reward --references reference.csv --weights bleu2=x rollouts.jsonl
  run -78 --separate-stderr reward --references reference.csv --weights '' rollouts.jsonl
}

@test "a metric that is given two weights is refused" {
  run -64 --separate-stderr reward --references reference.csv --weights bleu2=1,bleu2=1 rollouts.jsonl
  [ -z "$output" ]
  assert_contains "$stderr" "bleu2"
}

@test "standard input cannot be both" {
  run -64 --separate-stderr reward --references - - <rollouts.jsonl
  run -64 --separate-stderr reward --references - <rollouts.jsonl
}

@test "files that are not there are 66" {
  run -66 --separate-stderr reward --references absent.csv rollouts.jsonl
  assert_contains "$stderr" "'absent.csv'"
  run -66 --separate-stderr reward --references reference.csv absent.jsonl
  assert_contains "$stderr" "'absent.jsonl'"
}

@test "an output that cannot be created is 73" {
  run -73 --separate-stderr reward --references reference.csv -o absent/out.jsonl rollouts.jsonl
  assert_contains "$stderr" "cannot create 'absent/out.jsonl'"
  run -73 --separate-stderr reward --references reference.csv -o reference.csv/out.jsonl rollouts.jsonl
}

# ---------------------------------------------------------------- --on-error skip

@test "--on-error skip moves rollouts without a reference aside, each of them, and the counts add up" {
  { generation a 0 x && generation z 0 x && generation z 1 x && generation b 0 x; } >g.jsonl
  reward --references reference.csv --on-error skip -o out.jsonl g.jsonl
  [ "$(jq -r .study_id out.jsonl | paste -sd ' ')" = "a b" ]
  assert_jsonl out.jsonl.rejected.jsonl
  [ "$(wc -l <out.jsonl.rejected.jsonl)" -eq 2 ]
  [ "$(jq -c '[.file, .line]' out.jsonl.rejected.jsonl | paste -sd ' ')" = '["g.jsonl",2] ["g.jsonl",3]' ]
  grep -q "no reference" out.jsonl.rejected.jsonl
}

@test "--on-error skip moves bad lines aside" {
  { cat rollouts.jsonl && printf '{"study_id":"c"\n{"study_id":"c","text":"Normal."}\n'; } >bad.jsonl
  reward --references reference.csv --on-error skip -o out.jsonl bad.jsonl
  [ "$(jq -r .study_id out.jsonl | paste -sd ' ')" = "a b c" ]
  [ "$(jq -c '[.file, .line]' out.jsonl.rejected.jsonl)" = '["bad.jsonl",3]' ]
}

@test "--on-error skip into a pipe says how many were skipped" {
  echo '{"study_id":"z","text":"x"}' >>rollouts.jsonl
  run -0 --separate-stderr unirg-reward --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --references reference.csv --on-error skip rollouts.jsonl
  [ "${#lines[@]}" -eq 2 ]
  [[ $stderr =~ 1[^.0-9].*(reject|skip) || $stderr =~ (reject|skip)[a-z]*[^.0-9]*1 ]]
}

@test "a rejected file of an earlier run does not outlive it" {
  echo '{"study_id":"z","text":"x"}' >bad.jsonl
  reward --references reference.csv --on-error skip -o out.jsonl bad.jsonl
  [ -s out.jsonl.rejected.jsonl ]
  reward --references reference.csv --on-error skip -o out.jsonl rollouts.jsonl
  [ ! -s out.jsonl.rejected.jsonl ]
}

# ---------------------------------------------------------------- threads, shards, pipes

@test "the same bytes at one and two threads" {
  many 100
  reward --references many.csv --threads 1 -o one.jsonl many.jsonl
  reward --references many.csv --threads 2 -o two.jsonl many.jsonl
  [ "$(wc -l <one.jsonl)" -eq 400 ]
  cmp one.jsonl two.jsonl
}

@test "shards hold whole studies and together everything" {
  many 20
  reward --references many.csv many.jsonl | sort >whole
  for k in 0 1 2; do reward --references many.csv --shard $k/3 many.jsonl >part-$k; done
  sort part-0 part-1 part-2 | cmp whole -
  [ "$(jq -rs 'group_by(.study_id) | map(length) | unique | join(" ")' part-1)" = 4 ]
  run -64 --separate-stderr reward --references many.csv --shard 3/3 many.jsonl
  assert_contains "$stderr" "'3/3'"
}

@test "shards joined are the whole run, also where a study has no reward or stands in two places" {
  many 9
  { cat many.jsonl && echo 'no record' && generation z 0 text && generation z 1 text && sed 's/"sample":/"sample":4/' many.jsonl && echo '{"study_id":7}'; } >mixed.jsonl
  whole=(--references many.csv --on-error skip mixed.jsonl)
  reward "${whole[@]}" -o whole.jsonl
  [ "$(wc -l <whole.jsonl)" -eq 72 ]
  [ "$(jq .line whole.jsonl.rejected.jsonl | paste -sd ' ')" = '37 38 39 76' ] # by line, whenever it was found
  for n in 2 5 40; do
    parts=()
    for ((k = 0; k < n; k++)); do
      parts+=("part-$k.jsonl")
      reward "${whole[@]}" --shard $k/$n -o "part-$k.jsonl"
    done
    "$UNIRG_SOURCE/scripts/merge-shards" -o joined.jsonl "${parts[@]}"
    cmp whole.jsonl joined.jsonl
    cmp whole.jsonl.rejected.jsonl joined.jsonl.rejected.jsonl
  done
  [ "$(jq -c .notes.signatures joined.jsonl.run.json)" = "$(jq -c .notes.signatures whole.jsonl.run.json)" ]
}

@test "a shard complains of its own records only" {
  printf '{"study_id":"a","text":"x"}\n{"study_id":"z","text":"x"}\n' >h.jsonl
  reward --references reference.csv --shard 0/2 h.jsonl >out.jsonl
  [ "$(wc -l <out.jsonl)" -eq 1 ]
  run -65 reward --references reference.csv --shard 1/2 h.jsonl
}

@test "a shard reads its own lines alone, and still tells a report that stands twice" {
  many 4
  sed -i '5s/"text":"[^"]*"/"text":7/' many.jsonl # study s2's first
  reward --references many.csv --shard 0/2 -o part-0.jsonl many.jsonl
  [ "$(jq -r .study_id part-0.jsonl | uniq | paste -sd ' ')" = "s1 s3" ]
  run -65 --separate-stderr reward --references many.csv --shard 1/2 many.jsonl
  assert_contains "$stderr" "many.jsonl:5: field 'text'"
  many 4
  again=$(sed -n 5p many.jsonl)
  echo "$again" >>many.jsonl
  for k in 0 1; do
    run -65 --separate-stderr reward --references many.csv --shard $k/2 many.jsonl
    assert_contains "$stderr" "study 's2' sample 0 stands twice"
  done
}

@test "shards of a metric that hangs on all references are the whole run" {
  many 6
  sed -i 's/^s\([0-9]\),FINDINGS:/&, case \1 seen./; s/^\(s[0-9]\),\(.*\)/\1,"\2"/' many.csv
  whole=(--references many.csv --weights 'cider-d=1,words=0.01' many.jsonl)
  reward "${whole[@]}" -o whole.jsonl
  [ "$(jq -s 'map(.components["cider-d"]) | unique | length' whole.jsonl)" -gt 1 ]
  for k in 0 1; do reward "${whole[@]}" --shard $k/2 -o part-$k.jsonl; done
  "$UNIRG_SOURCE/scripts/merge-shards" -o joined.jsonl part-0.jsonl part-1.jsonl
  cmp whole.jsonl joined.jsonl
}

@test "head may close the pipe without a word of complaint" {
  many 1000 # more than a pipe and a buffer hold
  first=$(reward --references many.csv many.jsonl 2>errors | head -n 1)
  assert_contains "$first" '"study_id":"s1"'
  cat errors
  [ ! -s errors ]
}

@test "a full disk is 74, on standard output and in a file" {
  # shellcheck disable=SC2016  # expanded by the inner shell
  run -74 --separate-stderr bash -c 'unirg-reward --quiet --lexicon "$1" --references reference.csv rollouts.jsonl >/dev/full' - "$UNIRG_SOURCE/share/lexicon/chest.yaml"
  assert_contains "$stderr" "cannot write standard output"
  many 20
  touch before
  find . | sort >before
  # A limit on the size of files stands in for the disk.
  limited() { (trap '' XFSZ && ulimit -f 2 && reward --references many.csv -o out.jsonl many.jsonl); }
  run -74 --separate-stderr limited
  assert_contains "$stderr" "cannot write 'out.jsonl'"
  find . | sort | cmp before -
  assert_no_leftovers .
}

@test "a stopped run is 75 and leaves no output; the next gives all" {
  many 20
  mkfifo slow.csv
  (exec unirg-reward --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --quiet --references slow.csv -o out.jsonl many.jsonl) 2>errors &
  pid=$!
  exec 7>slow.csv # waits until the tool has opened its references
  kill -TERM "$pid"
  cat many.csv >&7
  exec 7>&-
  status=0
  wait "$pid" || status=$?
  echo "status $status"
  [ "$status" -eq 75 ]
  [ -z "$(find . -name 'out*' -o -name '*.tmp-*')" ]
  reward --references many.csv -o out.jsonl many.jsonl
  [ "$(wc -l <out.jsonl)" -eq 80 ]
}
