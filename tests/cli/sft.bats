#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-sft: what a run writes, what it learns, that it goes on after a stop or a kill, and what it refuses.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load sft_helpers

# A copy of the study records in folder $1, changed by jq program $2.
edited_studies() {
  cp -r "$st" "$1"
  jq -c "$2" "$st/studies.jsonl" >"$1/studies.jsonl"
}

# ---------------------------------------------------------------- what a run writes

@test "a run writes best, last, metrics and provenance, and nothing else" {
  run -0 --separate-stderr sft --epochs 1 -o out
  [ -z "$output" ]
  [ -z "$stderr" ]
  [ "$(ls -A)" = out ]
  [ "$(cd out && find . -type f ! -path './*/*' | sort | paste -sd ' ')" = "./DONE ./metrics.jsonl ./run.json" ]
  files="DONE chat_template.jinja config.json generation_config.json model.safetensors preprocessor_config.json run.json"
  files+=" tokenizer.json tokenizer_config.json"
  [ "$(cd out/best && find . -type f -printf '%P\n' | sort | paste -sd ' ')" = "$files" ]
  [ "$(cd out/last && find . -type f ! -path './training_state/*' -printf '%P\n' | sort | paste -sd ' ')" = "$files" ]
  [ "$(names out/last/training_state)" = "moments.safetensors state.json" ]
  jq -e '.optimizer_step == 3 and .progress.step == 3' out/last/training_state/state.json
}

@test "a checkpoint has the tensors of its base, changed, and opens" {
  sft --epochs 1 -o out
  tensors() { safetensors_header "$1/model.safetensors" | jq -cS 'del(.__metadata__) | map_values([.dtype, .shape])'; }
  tensors "$base" >expected.txt
  for name in best last; do
    tensors out/$name | cmp expected.txt -
    run -1 cmp -s "$base/model.safetensors" out/$name/model.safetensors
    for file in tokenizer.json tokenizer_config.json chat_template.jinja preprocessor_config.json generation_config.json; do
      cmp "$base/$file" "out/$name/$file"
    done
    unirg-model info --quiet -m out/$name >/dev/null
  done
  [ "$(safetensors_header out/last/training_state/moments.safetensors | jq 'del(.__metadata__) | length')" -eq \
    $((2 * $(jq length expected.txt))) ]
}

@test "provenance names inputs, configuration and outputs by digest" {
  sft --epochs 2 -o out
  jq -e --arg studies "$(sha256sum <"$st/studies.jsonl" | cut -d ' ' -f 1)" --arg base "$(checkpoint_digest "$base")" \
    --arg st "$st/studies.jsonl" --arg m "$base" \
    '.schema == "unirg.run/1" and .tool == "unirg-sft" and .inputs == {($st): $studies, ($m): $base}
      and .config["batch-size"] == 4 and .notes.steps == 6
      and (.notes.speed | .tokens > 0 and .tokens_per_s > 0 and .gemm_share > 0)' out/run.json
  jq -e --arg best "$(checkpoint_digest out/best)" --arg last "$(checkpoint_digest out/last)" \
    '.outputs["out/best"] == $best and .outputs["out/last"] == $last' out/run.json
}

@test "the lexicon of the labels objective is an input too" {
  sft --objective labels --epochs 1 -o out
  jq -e --arg digest "$(sha256sum <"$UNIRG_SOURCE/share/lexicon/chest.yaml" | cut -d ' ' -f 1)" \
    '[.inputs[]] | any(. == $digest)' out/run.json
}

@test "a line of metrics is a step or a validation" {
  sft --epochs 2 --evaluate-every 2 -o out
  assert_jsonl out/metrics.jsonl
  [ "$(jq -r 'if .loss then "step" else "validation" end + " \(.step)"' out/metrics.jsonl | paste -sd ,)" = \
    "step 1,step 2,validation 2,step 3,step 4,validation 4,step 5,step 6,validation 6" ]
  [ "$(jq -c 'select(.loss) | keys_unsorted' out/metrics.jsonl | sort -u)" = \
    '["schema","step","epoch","learning_rate","loss","accuracy","grad_norm","tokens"]' ]
  [ "$(jq -c 'select(.loss | not) | keys_unsorted' out/metrics.jsonl | sort -u)" = \
    '["schema","step","validation_loss","validation_accuracy"]' ]
  jq -es 'map(select(.loss)) | all(.loss > 0 and .accuracy >= 0 and .accuracy <= 1 and .grad_norm > 0 and .tokens > 0)
    and (map(.tokens) | .[0:3] | add) == (map(.tokens) | .[3:6] | add)' out/metrics.jsonl
  jq -es 'map(select(.loss) | .epoch * 3 - .step | fabs) | all(. < 1e-12)' out/metrics.jsonl
}

@test "without --evaluate-every each epoch ends with a validation" {
  sft --epochs 2 -o out
  [ "$(jq -c 'select(.validation_loss) | .step' out/metrics.jsonl | paste -sd ' ')" = "3 6" ]
}

@test "--log-every 0 tells of every step" {
  run -0 --separate-stderr loud_sft --epochs 1 --log-every 0 -o out
  for k in 1 2 3; do assert_contains "$stderr" "unirg-sft: step $k/3"; done
}

# The plan of an SFT as JSON, and a field of it.
json_plan() { sft --epochs 5 --dry-run --plan-format json -o out "$@" >"$BATS_TEST_TMPDIR/plan.json"; }
plan() { jq -r "$1" "$BATS_TEST_TMPDIR/plan.json"; }

@test "--dry-run counts the studies, plans memory and work, and writes nothing" {
  run -0 --separate-stderr sft --epochs 5 --dry-run -o out
  [ "$(head -n 3 <<<"$output")" = "$(printf 'training-studies: 12\nvalidation-studies: 3\nepochs: 5')" ]
  assert_contains "$output" "| memory of the process | bytes | GB |"
  assert_contains "$output" "| optimiser steps | 15 |"
  assert_contains "$output" "| the whole process, 563494 studies | FLOPs | a rank sends, GB |"
  [ -z "$(ls -A)" ]
  json_plan
  [ "$(plan '[."training-studies", ."validation-studies", .epochs, .steps, .ranks] | @csv')" = "12,3,5,15,1" ]
  [ "$(plan .memory.moments)" -eq $((2 * $(plan .memory.gradients))) ]
  [ "$(plan .memory.weights)" -eq "$(unirg-model info --quiet -m "$base" | sed -n 's/^weights-float32-bytes: //p')" ]
  [ "$(plan '.memory | .peak == (del(.peak) | add)')" = true ]
  [ "$(plan '[.fits, .seconds, .price] | @json')" = "[null,null,null]" ]
  whole=$(plan '."memory"."activations-replies"')
  flops=$(plan .flops)
  json_plan --gradient-checkpointing --lora-rank 2
  [ "$(plan .memory.gradients)" -lt 10000 ]
  [ "$(plan '."memory"."activations-replies"')" -lt "$whole" ]
  [ "$(plan ".flops / $flops * 3 | round")" -eq 4 ]
}

@test "--dry-run shares state and work out over ranks" {
  json_plan --batch-size 8 --micro-batch 1 --dtype bfloat16
  values=$(plan '.memory.weights / 2')
  [ "$(plan '.memory | [.gradients, .moments, .masters] | @csv')" = "$((4 * values)),$((8 * values)),$((4 * values))" ]
  [ "$(plan .step_bytes)" = 0 ]
  share=$(((values + 3) / 4))
  for zero in 0 1 2; do
    json_plan --batch-size 8 --micro-batch 1 --dtype bfloat16 --ranks 4 --zero $zero
    case $zero in
      0) expected="$((4 * values)),$((8 * values)),$((4 * values)),$((6 * values))" ;;                   # 2 x 3/4 x 4
      1) expected="$((4 * values)),$((8 * share)),$((4 * share)),$((3 * 6 * values / 4))" ;;            # 3/4 x (4 + 2)
      2) expected="$((4 * share)),$((8 * share)),$((4 * share)),$((3 * (2 * 2 + 2) * values / 4))" ;; # of 2 units
    esac
    [ "$(plan '[.memory.gradients, .memory.moments, .memory.masters, (.step_bytes | floor)] | @csv')" = "$expected" ]
  done
}

@test "--dry-run for a GPU counts one unit at a time, whatever the threads, and the host apart" {
  json_plan --threads 1 --device cuda
  one=$(plan '."memory"."activations-replies"')
  json_plan --threads 4 --micro-batch 1 --device cuda
  [ "$(plan '."memory"."activations-replies"')" -lt "$one" ]
  [ "$(plan '.host | keys | @csv')" = '"pictures","process"' ]
  [ "$(plan '.memory | has("process")')" = false ]
  json_plan --device-memory 80G
  [ "$(plan '[.fits, has("host")] | @csv')" = "true,true" ]
  json_plan --device cpu --device-memory 1K
  [ "$(plan '[.fits, has("host")] | @csv')" = "false,false" ]
}

@test "--dry-run states time and money for a peak and a price" {
  json_plan --micro-batch 1 --ranks 2 --peak-flops 1T --flops-share 0.5 --decode-share 0.1 --price 3 --plan-studies 1000
  [ "$(plan '(.seconds - .flops / 1e12 | fabs) < 1e-9 * .seconds')" = true ]
  [ "$(plan '(.price - .seconds / 3600 * 6 | fabs) < 1e-9 * .price')" = true ]
  [ "$(plan '.process | length')" = 4 ]
  [ "$(plan '.process[1] | (.seconds - .flops / 2e11 | fabs) < 1e-9 * .seconds')" = true ]
  [ "$(plan .process_studies)" = 1000 ]
  paced=$(plan .seconds)
  json_plan --micro-batch 1 --ranks 2 --peak-flops 1T --flops-share 0.5 --bandwidth 1M
  [ "$(plan "(.seconds - $paced - .steps * .step_bytes / 1e6 | fabs) < 1e-9 * .seconds")" = true ]
}

@test "--dry-run plans for weights that are not there yet, and says so; the run itself does not start" {
  cp -r "$base" small && rm small/model.safetensors
  json_plan
  with=$(plan .memory.weights)
  run -0 --separate-stderr loud_sft -m small --dry-run --plan-format json -o out
  assert_contains "$stderr" "'small' has no weights"
  [ "$(jq .memory.weights <<<"$output")" = "$with" ]
  run -66 sft -m small -o out
}

@test "what is no quantity is refused" {
  for flag in --device-memory --peak-flops --bandwidth; do
    run -64 --separate-stderr sft --dry-run "$flag" 80X -o out
    assert_contains "$stderr" "bad value '80X' for '$flag'"
  done
  run -64 sft --dry-run --zero 3 -o out
}

# ---------------------------------------------------------------- what it learns

@test "the loss falls, on studies it was not shown too" {
  sft --epochs 8 --evaluate-every 8 -o out
  jq -es 'map(select(.loss) | .loss) | .[0] > 5 and .[-1] < .[0] - 1' out/metrics.jsonl
  jq -es 'map(select(.validation_loss) | .validation_loss) | length == 3 and .[0] - 0.1 > .[1] and .[1] > .[2]' out/metrics.jsonl
}

@test "the learning rate warms up along a line and falls along a cosine" {
  sft --epochs 2 --warmup-steps 2 --learning-rate 1e-3 --final-rate-ratio 0.1 -o out
  jq -es 'map(select(.loss) | .learning_rate) as $rates |
    [0.5, 1, (0, 0.25, 0.5, 0.75 | 0.1 + 0.9 * 0.5 * (1 + (. * 3.141592653589793 | cos)))] as $expected |
    ($rates | length) == 6 and ([range(6) | $rates[.] - 1e-3 * $expected[.] | fabs] | max < 1e-12)' out/metrics.jsonl
  sft --epochs 1 --schedule constant --warmup-steps 2 --learning-rate 1e-3 -o constant
  [ "$(metric constant .learning_rate)" = "0.0005 0.001 0.001" ]
}

@test "best is the step with the lowest validation loss" {
  erratic() { sft --schedule constant --learning-rate 1 --evaluate-every 1 "$@"; }
  erratic --epochs 2 -o out
  best=$(jq -s 'map(select(.validation_loss)) | min_by(.validation_loss).step' out/metrics.jsonl)
  echo "best step: $best"
  [ "$best" -lt 6 ] # else this test shows nothing
  [ "$(jq .notes.best_step out/run.json)" -eq "$best" ]
  erratic --epochs 2 --max-steps "$best" -o short
  cmp short/last/model.safetensors out/best/model.safetensors
  run -1 cmp -s out/last/model.safetensors out/best/model.safetensors
}

@test "--patience stops after validations without improvement" {
  # At a rate of 0 no validation is better than the first.
  sft --epochs 9 --learning-rate 0 --patience 2 -o out
  [ "$(metric out .validation_loss | wc -w)" -eq 3 ]
  jq -e '.notes.steps == 9 and .notes.best_step == 3' out/run.json
}

@test "--max-steps ends the run, and no epochs leave the weights as they are" {
  sft --epochs 3 --max-steps 2 -o out
  [ "$(metric out .loss | wc -w)" -eq 2 ]
  sft --epochs 0 -o none
  cmp "$base/model.safetensors" none/best/model.safetensors
  [ ! -s none/metrics.jsonl ]
}

@test "a run without validation keeps its last checkpoint as best" {
  edited_studies some 'if .split == "validate" then .findings = null | .impression = null else . end'
  sft --studies some/studies.jsonl --epochs 1 -o out
  cmp out/last/model.safetensors out/best/model.safetensors
  [ "$(jq -c 'has("validation_loss")' out/metrics.jsonl | sort -u)" = false ]
}

@test "studies without a report are left out, for labels those without an image too" {
  edited_studies some 'if .study_id == "A-000001-1" then .findings = null | .impression = null
    elif .study_id == "C-000003-1" then .images = [] else . end'
  [ "$(sft --studies some/studies.jsonl --dry-run -o out | head -n 1)" = "training-studies: 11" ]
  [ "$(sft --studies some/studies.jsonl --objective labels --dry-run -o out | head -n 1)" = "training-studies: 10" ]
  sft --studies some/studies.jsonl --epochs 1 -o out
}

@test "--split and --validation-split choose" {
  [ "$(sft --split train,test --validation-split heldout_site --dry-run -o out | head -n 2 | paste -sd ' ')" = \
    "training-studies: 14 validation-studies: 2" ]
  run -65 --separate-stderr sft --split absent -o out
  assert_contains "$stderr" "no study of split 'absent' (hint: the file has heldout_site, test, train, validate)"
}

@test "the labels objective changes the vision tower alone, and its head is thrown away" {
  sft --objective labels --epochs 2 --validation-split train -o out
  safetensors_digests "$base/model.safetensors" | sort >before.txt
  safetensors_digests out/last/model.safetensors | sort >after.txt
  [ "$(cut -d ' ' -f 1 before.txt)" = "$(cut -d ' ' -f 1 after.txt)" ]
  diff <(grep -v ^model.visual before.txt) <(grep -v ^model.visual after.txt)
  run -1 diff -q <(grep ^model.visual before.txt) <(grep ^model.visual after.txt)
  [ "$(safetensors_header out/last/training_state/extra.safetensors | jq -r 'del(.__metadata__) | keys | join(" ")')" = \
    "label_head.bias label_head.weight" ]
  [ "$(jq -c 'select(.loss | not) | keys_unsorted' out/metrics.jsonl | sort -u)" = \
    '["schema","step","validation_loss","validation_f1","f1_by_target"]' ]
  jq -es 'map(select(.validation_loss) | .validation_loss) | .[1] < .[0]' out/metrics.jsonl
}

# ---------------------------------------------------------------- the same bytes

@test "the same bytes at one and two threads, and again over the old run" {
  for objective in reports labels; do
    sft --objective $objective --epochs 1 --micro-batch 1 --brightness 0.1 -o one
    sft --objective $objective --epochs 1 --micro-batch 1 --brightness 0.1 --threads 2 -o two
    assert_same_run one two
    touch two/stray
    sft --objective $objective --epochs 1 --micro-batch 1 --brightness 0.1 --threads 2 -o two
    assert_same_run one two
  done
  assert_no_leftovers .
}

@test "another seed takes the studies in another order" {
  sft --epochs 1 -o one
  sft --epochs 1 --seed 1 -o other
  [ "$(metric one .tokens)" != "$(metric other .tokens)" ]
}

@test "--brightness changes the pictures, anew in each epoch" {
  # At a rate of 0 only the pictures can change the loss; the three steps of an epoch cover all studies.
  epochs() { jq -s 'map(select(.loss)) | [.[0:3], .[3:6]] | map(map(.loss * .tokens) | add | . * 1e4 | round)' "$1/metrics.jsonl"; }
  sft --epochs 2 --learning-rate 0 -o plain
  sft --epochs 2 --learning-rate 0 --brightness 0.5 -o bright
  epochs plain | jq -e '.[0] - .[1] | fabs < 100'
  epochs bright | jq -e --argjson plain "$(epochs plain | jq '.[0]')" '.[0] != .[1] and .[0] != $plain'
}

@test "--micro-batch changes low bits, not the loss" {
  sft --epochs 1 --micro-batch 1 -o one
  sft --epochs 1 --micro-batch 4 -o four
  paste <(jq .loss one/metrics.jsonl) <(jq .loss four/metrics.jsonl) |
    awk '$1 != "null" { n++; d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4) bad = 1 } END { exit bad || n != 3 }'
}

# ---------------------------------------------------------------- what is refused

@test "inputs that are not there are 66, named, and nothing is begun" {
  cp -r "$base" model
  check() { # what is named, options
    word=$1
    shift
    echo "options: $*"
    run -66 --separate-stderr sft --epochs 1 -o out "$@"
    assert_contains "$stderr" "$word"
    [ ! -e out ]
    [ ! -e out.partial ]
  }
  check "'absent.jsonl'" --studies absent.jsonl
  check "'absent/config.json'" -m absent
  cp "$st/studies.jsonl" .
  check "images-00000.tar" --studies studies.jsonl
  check "'absent.yaml'" --objective labels --lexicon absent.yaml
  rm model/config.json
  check "'model/config.json'" -m model
  cp "$base/config.json" model && rm model/tokenizer.json
  check "model" -m model
}

@test "weights that are not there are 66, a missing tensor is 65 by name" {
  cp -r "$base" model
  sed -i 's/lm_head\.weight/lm_hexd.weight/' model/model.safetensors
  run -65 --separate-stderr sft --epochs 1 -m model -o out
  assert_contains "$stderr" "checkpoint 'model' does not fit its config.json"
  assert_contains "$stderr" "missing tensors: lm_head.weight"
  rm model/model.safetensors
  run -66 --separate-stderr sft --epochs 1 -m model -o out
  assert_contains "$stderr" "'model.safetensors'"
  [ ! -e out ]
}

@test "a bad study record is 65 with file, line and field" {
  check() { # jq program for line 3, message
    edited_studies bad "if input_line_number == 3 then $1 else . end"
    run -65 --separate-stderr sft -o out --studies bad/studies.jsonl
    assert_contains "$stderr" "bad/studies.jsonl:3: $2"
    rm -r bad
  }
  check '.findings = 7' "field 'findings': expected string, got number"
  check 'del(.split)' "field 'split' is missing"
  check '.images[0].offset = "0"' "images[0]: field 'offset'"
  check '.study_id = "A-000001-1"' "'A-000001-1' stands twice"
  head -c 3000 "$st/studies.jsonl" >cut.jsonl
  run -65 --separate-stderr sft -o out --studies cut.jsonl
  assert_contains "$stderr" "cut.jsonl:"
  [ "$(ls -A)" = cut.jsonl ]
}

@test "a picture that does not decode is 65, study and image named" {
  edited_studies bad '.'
  offset=$(jq -r 'select(.study_id == "C-000003-1") | .images[0].offset' "$st/studies.jsonl")
  printf 'XXXXXXXXXXXXXXXX' | dd of=bad/images-00000.tar bs=1 seek="$offset" conv=notrunc status=none
  run -65 --separate-stderr sft -o out --studies bad/studies.jsonl
  assert_contains "$stderr" "study 'C-000003-1', image 'C-000003-1'"
}

@test "studies that teach nothing are 65" {
  edited_studies bad '.findings = null | .impression = null'
  run -65 --separate-stderr sft -o out --studies bad/studies.jsonl
  assert_contains "$stderr" "no study to train on"
  [ ! -e out.partial ]
}

@test "a bad key or value in the YAML file is 78 with its line, a bad flag 64" {
  check() { # text, message
    printf '%b' "$1" >wrong.yaml
    run -78 --separate-stderr sft -c wrong.yaml -o out
    assert_contains "$stderr" "$2"
  }
  check 'epochs: 1\nepoch: 2\n' "wrong.yaml:2: unknown key 'epoch' (hint: did you mean 'epochs'?)"
  check 'epochs: two\n' "wrong.yaml:1: bad value 'two' for 'epochs'"
  check 'epochs: [1]\n' "wrong.yaml:1:"
  check 'objective: poetry\n' "wrong.yaml:1:"
  run -64 --separate-stderr sft --batch-size 0 -o out
  run -64 --separate-stderr sft --objective poetry -o out
  run -78 --separate-stderr sft --prompt 'Report:' -o out
  assert_contains "$stderr" "prompt template has no '{input}'"
  [ "$(ls -A)" = wrong.yaml ]
}

@test "weights held in bfloat16 are trained on copies in float32, and a stopped run goes on with those" {
  sft --dtype bfloat16 --epochs 2 -o whole
  sft --epochs 2 -o float32
  for run in whole float32; do
    jq -r 'select(.validation_loss) | .validation_loss' $run/metrics.jsonl | tail -n 1
  done >losses.txt
  awk 'NR == 1 {a = $1} NR == 2 {exit !(a / $1 < 1.02 && a / $1 > 0.98)}' losses.txt
  jq -e '.dtype == "bfloat16" or .text_config.dtype == "bfloat16"' whole/best/config.json
  safetensors_header whole/last/training_state/moments.safetensors |
    jq -e 'del(.__metadata__) | [to_entries[] | select(.key | startswith("master."))] | length > 0 and all(.value.dtype == "F32")'
  safetensors_header whole/last/model.safetensors | jq -e 'del(.__metadata__) | all(.[]; .dtype == "BF16")'
  begin_long --dtype bfloat16
  kill -KILL "$pid"
  assert_status "$pid" 137
  sft "${long[@]}" --dtype bfloat16 -o out
  rm -r whole
  sft "${long[@]}" --dtype bfloat16 -o whole
  assert_same_run whole out
}

@test "two runs into one folder at a time are refused" {
  unirg-sft "${options[@]}" --quiet --epochs 100000 -o out 3>&- &
  pid=$!
  wait_until test -e out.partial
  sleep 0.3
  run -73 --separate-stderr sft --epochs 100000 -o out
  assert_contains "$stderr" "another run is at work"
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  [ "$status" -eq 75 ]
}

@test "a device that is not there is 69" {
  run -69 --separate-stderr sft --device cuda:99 -o out
  [ ! -e out ]
}

@test "an output that cannot be created is 73" {
  touch file
  run -73 --separate-stderr sft -o file/out
  assert_contains "$stderr" "cannot create 'file"
  [ "$(ls -A)" = file ]
}

@test "a folder that is no run of ours is not replaced, and that is said at once" {
  mkdir mine && echo precious >mine/data
  run -73 --separate-stderr sft --epochs 1 -o mine
  assert_contains "$stderr" "'mine' is there and is not the output of an earlier run"
  [ "$(cat mine/data)" = precious ]
  [ "$(ls -A)" = mine ]
}

@test "a slash after the name of the output changes nothing" {
  sft --epochs 1 -o with
  sft --epochs 1 -o without/
  assert_same_run with without
  [ "$(names)" = "expected.txt with without" ]
}

@test "a full disk is 74 and the next run gives the same bytes" {
  sft --epochs 1 -o expected
  run -74 --separate-stderr with_full_disk 64 sft --epochs 1 -o out
  assert_contains "$stderr" "cannot write"
  [ ! -e out ]
  assert_no_leftovers .
  sft --epochs 1 -o out
  assert_same_run expected out
}

@test "--on-error skip moves bad records aside, and the counts add up" {
  edited_studies bad 'if .study_id == "A-000001-1" then .age = "old" else . end'
  echo '{"schema":"unirg.study/1"' >>bad/studies.jsonl
  run -0 --separate-stderr loud_sft --epochs 1 --studies bad/studies.jsonl --on-error skip -o new/out
  assert_contains "$stderr" "skipped 2 study records"
  assert_contains "$stderr" "11 studies to learn, 3 to validate"
  assert_jsonl new/out.rejected.jsonl
  [ "$(jq -c '[.line, .reason[:11]]' new/out.rejected.jsonl | paste -sd ' ')" = '[1,"field '"'age'"'"] [20,"not valid J"]' ]
  sft --epochs 1 -o new/out
  [ ! -e new/out.rejected.jsonl ]
}

# ---------------------------------------------------------------- stops

# The run that is stopped: 15 steps, saved after every second.
long=(--epochs 5 --evaluate-every 7 --save-every 2 --brightness 0.1)

# Starts it as process $pid and waits until it has saved a step.
begin_long() {
  unirg-sft --quiet "${options[@]}" "${long[@]}" -o out "$@" &
  pid=$!
  wait_until test -e out.partial/last/DONE
}

# Starts and stops it.
stopped_long() {
  begin_long "$@"
  kill -TERM "$pid"
  assert_status "$pid" 75
}

@test "a stopped run is 75 and goes on to the same bytes as an unbroken one" {
  for objective in reports labels; do
    rm -rf whole out
    sft "${long[@]}" --objective $objective -o whole
    stopped_long --objective $objective
    [ ! -e out ]
    [[ $(names out.partial) == ?(best )last ]]
    step=$(jq .progress.step out.partial/last/training_state/state.json)
    echo "stopped after step $step"
    [ "$step" -gt 0 ]
    [ "$step" -lt 15 ]
    run -0 --separate-stderr loud_sft "${long[@]}" --threads 2 --peak-flops 1T --objective $objective -o out
    assert_contains "$stderr" "goes on at step $step"
    [ ! -e out.partial ]
    assert_same_run whole out
  done
}

@test "a killed run leaves nothing to trust and goes on to the same bytes" {
  begin_long
  kill -KILL "$pid"
  assert_status "$pid" 137
  [ ! -e out ]
  sft "${long[@]}" -o out
  sft "${long[@]}" -o whole
  assert_same_run whole out
}

@test "what a kill in the middle of a save leaves does not get into the output" {
  sft --epochs 2 -o whole
  sft --epochs 2 --max-steps 1 -o other
  mkdir -p out.partial/.last.tmp-1-0 && cp other/last/model.safetensors out.partial/.last.tmp-1-0
  cp -r other/best out.partial/best
  echo '{}' >out.partial/.metrics.jsonl.tmp-1-0
  sft --epochs 2 -o out
  assert_same_run whole out
}

@test "a stop before the first step saves what there is" {
  sft --epochs 1 -o whole
  cp -r "$st" slow && rm slow/studies.jsonl && mkfifo slow/studies.jsonl
  unirg-sft --quiet "${options[@]}" --epochs 1 --studies slow/studies.jsonl -o out &
  pid=$!
  exec 7>slow/studies.jsonl # waits until the tool has opened its studies
  kill -TERM "$pid"
  rm slow/studies.jsonl && cp "$st/studies.jsonl" slow
  cat "$st/studies.jsonl" >&7
  exec 7>&-
  assert_status "$pid" 75
  sft --epochs 1 --studies slow/studies.jsonl -o out
  cmp whole/last/model.safetensors out/last/model.safetensors
}

@test "a partial run of another configuration or other inputs is refused with 78, and kept" {
  stopped_long
  unirg_digests out.partial >before.txt
  edited_studies other 'if .study_id == "A-000001-1" then .findings = "Clear." else . end'
  cp -r "$base" model && jq '.x = 1' "$base/generation_config.json" >model/generation_config.json
  for change in "--learning-rate 2e-2" "--seed 1" "--studies other/studies.jsonl" "-m model" "--prompt paper"; do
    echo "change: $change"
    # shellcheck disable=SC2086  # words are meant
    run -78 --separate-stderr sft "${long[@]}" $change -o out
    assert_contains "$stderr" "'out.partial' is a run with another configuration or other inputs (hint: remove it to begin again)"
    unirg_digests out.partial | cmp before.txt -
  done
}

@test "a partial run whose state is damaged is 65" {
  stopped_long
  truncate -s -20 out.partial/last/training_state/state.json
  run -65 --separate-stderr sft "${long[@]}" -o out
  assert_contains "$stderr" "state.json' is damaged"
  rm -r out.partial/last/training_state
  run -65 --separate-stderr sft "${long[@]}" -o out
  assert_contains "$stderr" "'out.partial/last' has no training_state"
}
