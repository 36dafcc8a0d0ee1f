#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-generate: one greedy report a study, the same however it is run, its place in a pipe, stops, and what it refuses.
# What it shares with unirg-rollout (records, sampling, choice of studies) is tested in rollout.bats.
# shellcheck disable=SC2030,SC2031,SC2154  # run sets output and stderr, in each test anew
bats_require_minimum_version 1.5.0
load helpers

# Beside the untrained model one that has learned to write words: 'model'.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  unirg_tiny 10
  unirg-sft --quiet --threads 1 --studies st/studies.jsonl -m base --prompt short --epochs 6 --batch-size 4 --warmup-steps 0 \
    --learning-rate 1e-2 -o sft
  mv sft/best model
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  st=$BATS_FILE_TMPDIR/st
  model=$BATS_FILE_TMPDIR/model
  options=(--threads 1 --studies "$st/studies.jsonl" -m "$model" --prompt short --max-new-tokens 24)
}

loud_generate() { unirg-generate "${options[@]}" "$@"; }
generate() { loud_generate --quiet "$@"; }

# ---------------------------------------------------------------- records

@test "one record a study of every split, in file order" {
  run -0 --separate-stderr generate -o out.jsonl
  [ -z "$output" ]
  [ -z "$stderr" ]
  assert_jsonl out.jsonl
  [ "$(jq -r .study_id out.jsonl)" = "$(jq -r .study_id "$st/studies.jsonl")" ]
  jq -es --arg digest "$(checkpoint_digest "$model")" 'all(.schema == "unirg.generation/1" and .sample == 0 and .policy == $digest
    and (.tokens | length) == (.logprobs | length) and (.logprobs | all(type == "number" and . <= 0)))' out.jsonl
}

@test "the record is the one that unirg-rollout writes with the same settings" {
  generate --split train -o out.jsonl
  unirg-rollout --quiet "${options[@]}" --samples 1 --temperature 0 | cmp out.jsonl -
  generate --split train --temperature 1 --samples 3 --seed 4 -o drawn.jsonl
  unirg-rollout --quiet "${options[@]}" --samples 3 --seed 4 | cmp drawn.jsonl -
}

@test "greedy is the likeliest token at each step and knows no seed" {
  generate -o out.jsonl
  generate --seed 9 -o other.jsonl
  diff <(jq -c 'del(.seed)' out.jsonl) <(jq -c 'del(.seed)' other.jsonl)
  # With 300 tokens none is the likeliest below 1/300.
  jq -es 'all(.logprobs | all(. >= -(300 | log)))' out.jsonl
  # No drawn report has a likelier first token.
  generate --temperature 1 --samples 16 -o drawn.jsonl
  jq -es --slurpfile greedy out.jsonl '(INDEX($greedy[]; .study_id) | map_values(.logprobs[0])) as $best |
    all(.logprobs[0] <= $best[.study_id] + 1e-4)' drawn.jsonl
}

@test "the text is what the tokens say, its sections found" {
  # A model that knows one report by heart.
  cp -r "$st" one
  jq -c '.findings = "The heart is large." | .impression = "Cardiomegaly."' "$st/studies.jsonl" >one/studies.jsonl
  unirg-sft --quiet --threads 1 --studies one/studies.jsonl --split train,test --images 0 -m "$BATS_FILE_TMPDIR/base" --prompt short \
    --epochs 80 --batch-size 6 --warmup-steps 0 --learning-rate 1e-2 --evaluate-every 1000 -o sft
  generate -m sft/last --split test --images 0 --max-new-tokens 64 -o out.jsonl
  jq -es 'length == 2 and all(.text == "Findings: The heart is large. Impression: Cardiomegaly." and .finish == "stop"
    and .findings == "The heart is large." and .impression == "Cardiomegaly.")' out.jsonl
}

@test "--target findings is asked for by another prompt, and --prompt chooses the template" {
  prompt_tokens() { generate --split test --max-new-tokens 1 "$@" | jq -s 'map(.prompt_tokens) | add'; }
  paper=$(prompt_tokens --prompt paper)
  [ "$(prompt_tokens --prompt paper --target findings)" -ne "$paper" ]
  [ "$(prompt_tokens --prompt short)" -lt "$paper" ]
  [ "$(prompt_tokens --prompt '{input} Report:')" -eq "$(prompt_tokens --prompt short)" ]
}

@test "--prior-report and --prior-image show what came before" {
  study='A-700001-2'
  [ "$(jq -r "select(.study_id == \"$study\") | .prior" "$st/studies.jsonl")" = A-700001-1 ]
  tokens() { generate --split test --max-new-tokens 1 "$@" | jq "select(.study_id == \"$study\") | .prompt_tokens"; }
  alone=$(tokens)
  [ "$(tokens --prior-report)" -gt "$alone" ]
  [ "$(tokens --prior-image)" -gt "$alone" ]
  jq -c "select(.study_id == \"$study\")" "$st/studies.jsonl" >"$st/../one.jsonl"
  cp -r "$st" orphan && mv "$st/../one.jsonl" orphan/studies.jsonl
  run -65 --separate-stderr generate --studies orphan/studies.jsonl --prior-report
  assert_contains "$stderr" "study '$study': its prior 'A-700001-1' is not in the studies file"
}

@test "provenance stands beside the file" {
  generate --split test -o out.jsonl
  [ "$(names)" = "out.jsonl out.jsonl.run.json" ]
  jq -e --arg model "$(checkpoint_digest "$model")" --arg out "$(sha256sum <out.jsonl | cut -d ' ' -f 1)" --arg m "$model" \
    '.tool == "unirg-generate" and .inputs[$m] == $model and .outputs == {"out.jsonl": $out} and .config.temperature == 0
      and .notes.studies == 2' out.jsonl.run.json
}

# ---------------------------------------------------------------- baselines

baseline() { unirg-generate --quiet --threads 1 --studies "$st/studies.jsonl" --baseline "$@"; }
# Report of a study as it is asked for: the sections it has.
report() { jq -r "select(.study_id == \"$1\") | \"Findings: \" + .findings + \" Impression: \" + .impression" "$st/studies.jsonl"; }
# Commonest report of the training split, the first of equals.
commonest() {
  jq -r 'select(.split == "train") | "Findings: " + .findings + " Impression: " + .impression' "$st/studies.jsonl" |
    awk '{ if (!($0 in n)) order[++k] = $0; n[$0]++ } END { for (i = 1; i <= k; i++) if (n[order[i]] > n[order[b]]) b = i; print order[b] }'
}

@test "--baseline copy-prior is the prior's report, without a prior the most frequent one, and needs no model" {
  run -0 --separate-stderr baseline copy-prior --split test -o out.jsonl
  [ -z "$output" ]
  [ -z "$stderr" ]
  assert_jsonl out.jsonl
  [ "$(jq -r 'select(.study_id == "A-700001-2") | .text' out.jsonl)" = "$(report A-700001-1)" ]
  [ "$(jq -r 'select(.study_id == "A-700001-1") | .text' out.jsonl)" = "$(commonest)" ]
  jq -es 'map([.study_id, .baseline, .from, .source]) == [["A-700001-1", "copy-prior", "most-frequent", .[0].source],
    ["A-700001-2", "copy-prior", "copy-prior", "A-700001-1"]] and all(.tokens == [] and .policy == "" and .finish == "stop")' out.jsonl
}

@test "--baseline most-frequent is the commonest training report" {
  baseline most-frequent -o out.jsonl
  [ "$(jq -r .study_id out.jsonl)" = "$(jq -r .study_id "$st/studies.jsonl")" ]
  [ "$(jq -r .text out.jsonl | sort -u)" = "$(commonest)" ]
}

@test "--baseline random is another training report, by seed and study" {
  baseline random --seed 3 -o out.jsonl
  baseline random --seed 3 --threads 2 | cmp out.jsonl -
  run -1 cmp out.jsonl <(baseline random --seed 4)
  jq -es --slurpfile studies "$st/studies.jsonl" '(INDEX($studies[]; .study_id)) as $of |
    all(.source != .study_id and $of[.source].split == "train" and .text == "Findings: " + $of[.source].findings + " Impression: " + $of[.source].impression)' out.jsonl
  # Each study draws by itself.
  baseline random --seed 3 --split test | cmp - <(grep '"study_id":"A-70000' out.jsonl)
}

@test "--baseline nearest compares images by the model's tower" {
  baseline nearest -m "$model" -o out.jsonl
  baseline nearest -m "$model" --threads 2 | cmp out.jsonl -
  jq -es --arg digest "$(checkpoint_digest "$model")" 'all(.policy == $digest and .from == "nearest" and .source != .study_id
    and .similarity <= 1.000001)' out.jsonl
  # The only picture there is, twice: its neighbour is the other.
  mkdir two && cp "$st"/images-*.tar two
  jq -c 'select(.study_id == "A-700001-1")' "$st/studies.jsonl" >two/studies.jsonl
  jq -c '.split = "train" | .study_id += ("x", "y")' two/studies.jsonl >again.jsonl && cat again.jsonl >>two/studies.jsonl
  baseline nearest -m "$model" --studies two/studies.jsonl --split test >near.jsonl
  jq -e '.source == "A-700001-1x" and .similarity > 0.9999' near.jsonl
  run -64 --separate-stderr baseline nearest
  assert_contains "$stderr" "missing option '--model'"
  run -66 --separate-stderr baseline nearest -m absent
}

@test "a baseline's records are scored and have provenance; its sections are those asked for" {
  baseline random --split test --target impression -o out.jsonl
  jq -es 'all(.findings == null and (.text | startswith("Impression: ")))' out.jsonl
  jq -e '.tool == "unirg-generate" and .notes.baseline == {"kind": "random", "from": {"random": 2}} and .config.baseline == "random"' out.jsonl.run.json
  unirg-eval --quiet --metrics rouge-l --references "$st/studies.jsonl" --name random --scores s.jsonl --format none out.jsonl
  [ "$(wc -l <s.jsonl)" -eq 2 ]
}

@test "shards of a baseline joined are the whole run, and --dry-run writes nothing" {
  baseline random -o whole.jsonl
  for k in 0 1; do baseline random --shard $k/2 -o part-$k.jsonl; done
  "$UNIRG_SOURCE/scripts/merge-shards" -o joined.jsonl part-?.jsonl
  cmp whole.jsonl joined.jsonl
  run -0 --separate-stderr baseline random --split test --dry-run -o out.jsonl
  [ "$(head -n 2 <<<"$output")" = "$(printf 'studies: 2\nbaseline: random')" ]
  [ ! -e out.jsonl ]
}

@test "a baseline without training reports is 65, one that is none 64" {
  run -65 --separate-stderr baseline random --baseline-from absent -o out.jsonl
  assert_contains "$stderr" "no study of split 'absent' (hint: the file has "
  mkdir bare && jq -c 'if .split == "train" then .findings = null | .impression = null else . end' "$st/studies.jsonl" >bare/studies.jsonl
  run -65 --separate-stderr baseline most-frequent --studies bare/studies.jsonl -o out.jsonl
  assert_contains "$stderr" "no study of split 'train' has a report to take (hint: --baseline-from"
  mkdir orphan && jq -c 'select(.study_id != "A-700001-1")' "$st/studies.jsonl" >orphan/studies.jsonl
  run -65 --separate-stderr baseline copy-prior --studies orphan/studies.jsonl -o out.jsonl
  assert_contains "$stderr" "study 'A-700001-2': its prior 'A-700001-1' is not in the studies file"
  run -64 --separate-stderr baseline nearst
  run -64 --separate-stderr baseline random --samples 2
  run -64 --separate-stderr unirg-generate --studies "$st/studies.jsonl"
  assert_contains "$stderr" "missing option '--model'"
  [ ! -e out.jsonl ]
}

# ---------------------------------------------------------------- the same bytes

@test "the same bytes at one and two threads, again, and on standard output" {
  generate --threads 1 -o one.jsonl
  generate --threads 2 -o two.jsonl
  generate --threads 2 -o again.jsonl
  cmp one.jsonl two.jsonl
  cmp one.jsonl again.jsonl
  generate | cmp one.jsonl -
  generate -o - | cmp one.jsonl -
  [ ! -e ./- ]
}

@test "a report does not depend on the others, and shards joined are the whole run" {
  generate -o whole.jsonl
  for k in 0 1 2 3; do generate --shard $k/4 -o part-$k.jsonl; done
  [ "$(wc -l <part-0.jsonl)" -gt "$(wc -l <part-3.jsonl)" ]
  "$UNIRG_SOURCE/scripts/merge-shards" -o joined.jsonl part-?.jsonl
  cmp whole.jsonl joined.jsonl
  [ "$(jq .notes.studies joined.jsonl.run.json)" = "$(wc -l <whole.jsonl)" ]
  generate --split test | cmp - <(grep '"A-70000' whole.jsonl)
}

@test "--prompts takes as many studies in a seeded order" {
  generate --split train --prompts 4 -o out.jsonl
  generate --split train --prompts 4 --threads 2 | cmp out.jsonl -
  [ "$(jq -r .study_id out.jsonl | sort -u | wc -l)" -eq 4 ]
  generate --split train --prompts 4 --round 1 -o next.jsonl
  [ -z "$(comm -12 <(jq -r .study_id out.jsonl | sort) <(jq -r .study_id next.jsonl | sort))" ]
}

@test "--dry-run says how much there is to do and writes nothing" {
  run -0 --separate-stderr generate --split test --dry-run -o out.jsonl
  [ "$(head -n 3 <<<"$output")" = "$(printf 'studies: 2\nsamples: 1\nmax-new-tokens: 24')" ]
  assert_contains "$output" "| caches | "
  assert_contains "$output" "| FLOPs | "
  local weights
  weights=$(generate --split test --dry-run --plan-format json -o out.jsonl | jq .memory.weights)
  [ "$weights" -eq "$(unirg-model info --quiet -m "$BATS_FILE_TMPDIR/base" | sed -n 's/^weights-float32-bytes: //p')" ]
  [ -z "$(ls -A)" ]
}

# ---------------------------------------------------------------- in a pipe

@test "a pipe through jq into unirg-eval gives the scores of the files" {
  eval_options=(--quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --metrics bleu2 --metrics rouge-l --resamples 0
    --references "$st/studies.jsonl")
  set -o pipefail
  generate --split test -o out.jsonl
  unirg-eval "${eval_options[@]}" --scores expected.jsonl out.jsonl >/dev/null
  generate --split test | jq -c . | unirg-eval "${eval_options[@]}" --scores scores.jsonl - >table.txt
  cmp expected.jsonl scores.jsonl
  [ "$(jq -r .study_id scores.jsonl | paste -sd ' ')" = "A-700001-1 A-700001-2" ]
  grep -q rouge-l table.txt
}

@test "a reader may close the pipe without a word of complaint" {
  # More than a pipe and a buffer hold.
  first=$(generate --temperature 1 --samples 64 --max-new-tokens 64 2>errors | head -n 1)
  jq -e '.sample == 0' <<<"$first"
  cat errors
  [ ! -s errors ]
}

@test "a closed standard output is 74" {
  # shellcheck disable=SC2016  # expanded by the inner shell
  run -74 --separate-stderr bash -c 'unirg-generate --quiet --split test "$@" >&-' - "${options[@]}"
}

# ---------------------------------------------------------------- what is refused

@test "inputs that are not there are 66, named, and nothing is written" {
  check() { # what is named, options
    word=$1
    shift
    echo "options: $*"
    run -66 --separate-stderr generate -o out.jsonl "$@"
    assert_contains "$stderr" "$word"
    [ ! -e out.jsonl ]
  }
  check "'absent.jsonl'" --studies absent.jsonl
  check "'absent/config.json'" -m absent
  cp "$st/studies.jsonl" .
  check "images-00000.tar" --studies studies.jsonl
  cp -r "$model" model && rm model/config.json
  check "'model/config.json'" -m model
  cp "$model/config.json" model && rm model/preprocessor_config.json
  check "no preprocessor_config.json in 'model'" -m model
  assert_no_leftovers .
}

@test "a checkpoint that does not fit together is 65" {
  check() { # message; model is a changed copy
    run -65 --separate-stderr generate -m model -o out.jsonl
    assert_contains "$stderr" "$1"
    [ ! -e out.jsonl ]
    rm -r model
  }
  cp -r "$model" model && sed -i 's/lm_head\.weight/lm_hexd.weight/' model/model.safetensors
  check "missing tensors: lm_head.weight; unknown tensors: lm_hexd.weight"
  cp -r "$model" model && jq '.image_token_id = 5' "$model/config.json" >model/config.json
  check "image_token_id of config.json is not the tokenizer's '<|image_pad|>'"
  cp -r "$model" model && jq '.patch_size = 8' "$model/preprocessor_config.json" >model/preprocessor_config.json
  check "patch or merge size"
  cp -r "$model" model && truncate -s -100 model/model.safetensors
  check "model.safetensors"
}

@test "a bad study record is 65 with file, line and field" {
  cp -r "$st" bad
  jq -c 'if input_line_number == 4 then .sex = 1 else . end' "$st/studies.jsonl" >bad/studies.jsonl
  run -65 --separate-stderr generate --studies bad/studies.jsonl -o out.jsonl
  assert_contains "$stderr" "bad/studies.jsonl:4: field 'sex': expected string, got number"
  [ "$(ls -A)" = bad ]
}

@test "a picture that does not decode is 65, and the output is not there" {
  cp -r "$st" bad
  offset=$(jq -r 'select(.study_id == "C-000003-1") | .images[0].offset' "$st/studies.jsonl")
  printf 'XXXXXXXXXXXXXXXX' | dd of=bad/images-00000.tar bs=1 seek="$offset" conv=notrunc status=none
  for threads in 1 2; do
    run -65 --separate-stderr generate --threads $threads --studies bad/studies.jsonl -o out.jsonl
    assert_contains "$stderr" "study 'C-000003-1', image 'C-000003-1'"
    [ "$(ls -A)" = bad ]
  done
}

@test "a bad key or value in the YAML file is 78 with its line, a bad flag 64" {
  check() { # text, message
    printf '%b' "$1" >wrong.yaml
    run -78 --separate-stderr generate -c wrong.yaml -o out.jsonl
    assert_contains "$stderr" "$2"
  }
  check 'temperature: 0\ntemprature: 1\n' "wrong.yaml:2: unknown key 'temprature' (hint: did you mean 'temperature'?)"
  check 'max-new-tokens: many\n' "wrong.yaml:1: bad value 'many' for 'max-new-tokens'"
  check 'images: [1]\n' "wrong.yaml:1:"
  run -64 --separate-stderr generate --max-new-tokens 0
  run -64 --separate-stderr generate --temperature -1
  [ "$(ls -A)" = wrong.yaml ]
}

@test "an output that cannot be created is 73" {
  touch file
  run -73 --separate-stderr generate --split test -o file/out.jsonl
  assert_contains "$stderr" "cannot create 'file/out.jsonl'"
  run -73 --separate-stderr generate --split test -o absent/out.jsonl
  [ "$(ls -A)" = file ]
}

@test "a full disk is 74, on standard output and in a file" {
  # shellcheck disable=SC2016  # expanded by the inner shell
  run -74 --separate-stderr bash -c 'unirg-generate --quiet --split test "$@" >/dev/full' - "${options[@]}"
  assert_contains "$stderr" "cannot write standard output"
  run -74 --separate-stderr with_full_disk 2 generate -o out.jsonl
  assert_contains "$stderr" "cannot write 'out.jsonl'"
  [ -z "$(ls -A)" ]
}

@test "--on-error skip moves bad records aside, into a pipe says how many" {
  cp -r "$st" bad
  jq -c 'if .study_id == "A-700001-1" then .age = "old" else . end' "$st/studies.jsonl" >bad/studies.jsonl
  generate --studies bad/studies.jsonl --split test --on-error skip -o out.jsonl
  [ "$(jq -r .study_id out.jsonl)" = A-700001-2 ]
  [ "$(jq -c '[.file, .line]' out.jsonl.rejected.jsonl)" = \
    "[\"bad/studies.jsonl\",$(grep -n '"A-700001-1"' bad/studies.jsonl | head -n 1 | cut -d : -f 1)]" ]
  run -0 --separate-stderr loud_generate --studies bad/studies.jsonl --split test --on-error skip
  [ "${#lines[@]}" -eq 1 ]
  assert_contains "$stderr" "skipped 1 study records"
}

# ---------------------------------------------------------------- stops

@test "a stopped or killed run leaves no output, and the next gives all" {
  long=(--temperature 1 --samples 64 --max-new-tokens 64)
  generate "${long[@]}" -o expected.jsonl
  mkdir work
  for signal in TERM KILL; do
    unirg-generate "${options[@]}" "${long[@]}" --log-every 0 -o work/out.jsonl 2>log &
    pid=$!
    # The first progress lines say that the run is under way and far from its end.
    wait_until grep -q 'study 1/17' log
    kill -$signal "$pid"
    if [ $signal = TERM ]; then
      assert_status "$pid" 75
      [ -z "$(ls -A work)" ]
    else
      assert_status "$pid" 137
      [ ! -e work/out.jsonl ]
    fi
  done
  generate "${long[@]}" -o work/out.jsonl
  cmp expected.jsonl work/out.jsonl
}
