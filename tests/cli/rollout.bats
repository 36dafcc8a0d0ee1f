#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-rollout: the records it draws, which studies it takes, the same bytes however it is run, stops, and what it refuses.
# shellcheck disable=SC2030,SC2031,SC2154  # run sets output and stderr, in each test anew
bats_require_minimum_version 1.5.0
load helpers

setup_file() {
  cd "$BATS_FILE_TMPDIR"
  unirg_tiny 10
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  st=$BATS_FILE_TMPDIR/st
  base=$BATS_FILE_TMPDIR/base
  options=(--threads 1 --studies "$st/studies.jsonl" -m "$base" --prompt short --samples 2 --max-new-tokens 24)
}

loud_rollout() { unirg-rollout "${options[@]}" "$@"; }
rollout() { loud_rollout --quiet "$@"; }

# The studies of records $1 in their order, each once, in one line.
studies_of() { jq -r .study_id "$1" | uniq | paste -sd ' '; }

# ---------------------------------------------------------------- records

@test "records have every field, studies in file order, samples from 0" {
  run -0 --separate-stderr rollout --samples 3 --seed 5 -o out.jsonl
  [ -z "$output" ]
  [ -z "$stderr" ]
  assert_jsonl out.jsonl
  fields="schema study_id sample text findings impression answer finish tokens logprobs prompt_tokens seed policy"
  [ "$(jq -r 'keys_unsorted | join(" ")' out.jsonl | sort -u)" = "$fields" ]
  jq -r 'select(.split == "train") | .study_id' "$st/studies.jsonl" | sed 'h;s/$/ 0/p;g;s/$/ 1/p;g;s/$/ 2/' >expected.txt
  jq -r '"\(.study_id) \(.sample)"' out.jsonl | diff expected.txt -
  [ "$(wc -l <out.jsonl)" -eq 30 ]
  jq -es --arg digest "$(checkpoint_digest "$base")" \
    'all(.schema == "unirg.generation/1" and .answer == null and .seed == 5 and .policy == $digest and .prompt_tokens > 10)' out.jsonl
}

@test "sixteen samples a study and the training split are the defaults" {
  unirg-rollout --dump-config >config.yaml
  grep -qx 'samples: 16' config.yaml
  options=(--threads 1 --studies "$st/studies.jsonl" -m "$base" --prompt short --max-new-tokens 1)
  rollout -o out.jsonl
  [ "$(wc -l <out.jsonl)" -eq 160 ]
}

@test "a finite log-probability for each token, and a reply that ended itself says so" {
  rollout --samples 32 --max-new-tokens 48 -o out.jsonl
  jq -r '.added_tokens[] | select(.content == "<|im_end|>" or .content == "<|endoftext|>") | .id' "$base/tokenizer.json" |
    jq -cs . >ends.json
  [ "$(jq length ends.json)" -eq 2 ]
  jq -es --argjson ends "$(cat ends.json)" 'all(
    (.tokens | length) == (.logprobs | length) and
    (.logprobs | all(type == "number" and . <= 0 and . > -100)) and
    (.finish == "stop") == (.tokens[-1] as $t | $ends | index($t) != null) and
    (.finish == "length" or .finish == "stop") and
    (.finish == "stop" or (.tokens | length) == 48) and
    (.tokens[:-1] | all(. as $t | $ends | index($t) == null)))' out.jsonl
  [ "$(jq -r .finish out.jsonl | sort -u | paste -sd ' ')" = "length stop" ]
}

@test "special tokens are never drawn, all others are" {
  rollout --samples 128 --max-new-tokens 48 -o out.jsonl
  jq -r '.tokens[]' out.jsonl | sort -nu >drawn.txt
  jq -r '[.added_tokens[].content, (.model.vocab | keys[])] | unique | length' "$base/tokenizer.json" >size.txt
  jq -r '.added_tokens[] | select(.content != "<|im_end|>" and .content != "<|endoftext|>") | .id' "$base/tokenizer.json" |
    sort -n >never.txt
  [ "$(wc -l <never.txt)" -eq 5 ]
  [ -z "$(comm -12 <(sort drawn.txt) <(sort never.txt))" ]
  [ "$(wc -l <drawn.txt)" -eq $(($(cat size.txt) - 5)) ]
}

@test "the samples of a study differ, and the seed decides" {
  rollout --samples 4 -o out.jsonl
  [ "$(jq -c '[.study_id, .tokens]' out.jsonl | sort -u | wc -l)" -eq 40 ]
  rollout --samples 4 --seed 1 -o other.jsonl
  [ -z "$(comm -12 <(jq -c '[.study_id, .tokens]' out.jsonl | sort) <(jq -c '[.study_id, .tokens]' other.jsonl | sort))" ]
}

@test "the picture matters" {
  rollout --temperature 0 --samples 1 -o with.jsonl
  rollout --temperature 0 --samples 1 --images 0 -o without.jsonl
  [ "$(jq -c .logprobs with.jsonl | sort -u | wc -l)" -eq 10 ]
  jq -es --slurpfile without without.jsonl \
    '. as $with | [range(10) | $with[.].prompt_tokens > $without[.].prompt_tokens and $with[.].logprobs != $without[.].logprobs] | all' \
    with.jsonl
}

@test "the report is not shown" {
  cp -r "$st" other
  jq -c '.findings |= (if . then "Nothing." else . end) | .impression |= (if . then "None." else . end)' \
    "$st/studies.jsonl" >other/studies.jsonl
  rollout -o out.jsonl
  rollout --studies other/studies.jsonl | cmp out.jsonl -
}

@test "log-probabilities are those before top-k and top-p" {
  rollout --temperature 1 --samples 1 --top-k 1 -o narrow.jsonl
  rollout --temperature 0 --samples 1 -o greedy.jsonl
  # The likeliest token is drawn, and its probability is not 1.
  cmp narrow.jsonl greedy.jsonl
  rollout --temperature 1 --samples 1 --top-p 1e-6 | cmp greedy.jsonl -
  jq -es 'all(.logprobs | add / length < -1)' narrow.jsonl
}

@test "a low temperature draws likelier tokens" {
  mean() { jq -s 'map(.logprobs) | add | add / length' "$1"; }
  rollout --temperature 1 -o warm.jsonl
  rollout --temperature 0.05 -o cold.jsonl
  [ "$(jq -n --argjson warm "$(mean warm.jsonl)" --argjson cold "$(mean cold.jsonl)" '$cold > $warm + 1')" = true ]
}

@test "provenance names inputs, configuration, output and counts" {
  rollout -o out.jsonl
  [ "$(names)" = "out.jsonl out.jsonl.run.json" ]
  jq -e --arg studies "$(sha256sum <"$st/studies.jsonl" | cut -d ' ' -f 1)" --arg model "$(checkpoint_digest "$base")" \
    --arg out "$(sha256sum <out.jsonl | cut -d ' ' -f 1)" --arg st "$st/studies.jsonl" --arg m "$base" \
    --argjson tokens "$(jq -s 'map(.tokens | length) | add' out.jsonl)" \
    '.schema == "unirg.run/1" and .tool == "unirg-rollout" and .inputs == {($st): $studies, ($m): $model}
      and .outputs == {"out.jsonl": $out} and .config.samples == 2 and .notes.studies == 10
      and (.notes.speed | .tokens == $tokens and .tokens_per_s > 0 and .gflop_per_s > 0 and .gemm_share > 0)' out.jsonl.run.json
}

# ---------------------------------------------------------------- which studies

@test "rounds go through the split once a pass, a new order each pass" {
  for k in 0 1 2 3; do rollout --prompts 5 --round $k -o round-$k.jsonl; done
  for k in 0 1 2 3; do [ "$(studies_of round-$k.jsonl | wc -w)" -eq 5 ]; done
  train=$(jq -r 'select(.split == "train") | .study_id' "$st/studies.jsonl" | sort)
  [ "$(cat round-0.jsonl round-1.jsonl | jq -r .study_id | sort -u)" = "$train" ]
  [ "$(cat round-2.jsonl round-3.jsonl | jq -r .study_id | sort -u)" = "$train" ]
  [ "$(studies_of round-0.jsonl)" != "$(studies_of round-2.jsonl)" ]
  [ "$(studies_of round-0.jsonl) $(studies_of round-1.jsonl)" != "$(paste -sd ' ' <<<"$train")" ]
  rollout --prompts 5 --round 3 | cmp round-3.jsonl -
  rollout --prompts 5 --round 0 --seed 1 -o other.jsonl
  [ "$(studies_of other.jsonl)" != "$(studies_of round-0.jsonl)" ]
}

@test "no study stands twice in a round, where it goes on into the next pass too" {
  # Ten studies by four: rounds 2, 7, 12 ... have two of each pass.
  for k in 2 7 12 17 22; do
    rollout --max-new-tokens 1 --prompts 4 --round $k -o out.jsonl
    [ "$(jq -r .study_id out.jsonl | sort -u | wc -l)" -eq 4 ]
  done
}

@test "other studies stand in for those whose samples are all rewarded alike" {
  rollout --prompts 4 --round 1 -o round.jsonl
  # of the first two studies all samples have the same reward
  jq -cs '(map(.study_id) | unique_by(.)) as $ids | .[] | (.study_id as $id | $ids | index($id)) as $i |
    {schema: "unirg.reward/1", study_id, sample, components: {}, weights: {}, reward: (if $i < 2 then 0.5 else .sample end)}' \
    round.jsonl >rewards.jsonl
  rollout --prompts 4 --round 1 --instead-of rewards.jsonl -o others.jsonl
  [ "$(jq -r .study_id others.jsonl | sort -u | wc -l)" -eq 2 ]
  [ -z "$(comm -12 <(jq -r .study_id round.jsonl | sort -u) <(jq -r .study_id others.jsonl | sort -u))" ]
  jq -e '.inputs | has("rewards.jsonl")' others.jsonl.run.json
  rollout --prompts 4 --round 1 --instead-of rewards.jsonl | cmp others.jsonl -
  jq -c '.reward = .sample' rewards.jsonl >spread.jsonl
  rollout --prompts 4 --round 1 --instead-of spread.jsonl -o none.jsonl
  [ ! -s none.jsonl ]
  run -65 --separate-stderr rollout --prompts 4 --round 0 --instead-of rewards.jsonl
  assert_contains "$stderr" "of the round has no reward"
  run -78 --separate-stderr rollout --instead-of rewards.jsonl
  assert_contains "$stderr" "--instead-of needs --prompts"
}

@test "more prompts than there are studies are 65" {
  run -65 --separate-stderr rollout --prompts 11 -o out.jsonl
  assert_contains "$stderr" "10"
  assert_contains "$stderr" "11"
  [ -z "$(ls -A)" ]
}

@test "--split chooses, and one that is not there is 65" {
  [ "$(rollout --split test,heldout_site | jq -r .study_id | uniq | paste -sd ' ')" = \
    "$(jq -r 'select(.split == "test" or .split == "heldout_site") | .study_id' "$st/studies.jsonl" | paste -sd ' ')" ]
  run -65 --separate-stderr rollout --split absent
  assert_contains "$stderr" "no study of split 'absent' (hint: the file has heldout_site, test, train, validate)"
  [ -z "$output" ]
}

@test "a shard takes every n-th study, and the shards joined are the whole run" {
  rollout -o whole.jsonl
  for k in 0 1 2; do rollout --shard $k/3 -o part-$k.jsonl; done
  [ "$(studies_of part-1.jsonl)" = "$(studies_of whole.jsonl | tr ' ' '\n' | awk 'NR % 3 == 2' | paste -sd ' ')" ]
  "$UNIRG_SOURCE/scripts/merge-shards" -o joined.jsonl part-?.jsonl
  cmp whole.jsonl joined.jsonl
  rollout --prompts 5 --round 1 -o whole.jsonl
  for k in 0 1; do rollout --prompts 5 --round 1 --shard $k/2 -o half-$k.jsonl; done
  "$UNIRG_SOURCE/scripts/merge-shards" -o joined.jsonl half-?.jsonl
  cmp whole.jsonl joined.jsonl
}

@test "a shard with no study is an empty file, and one that is none 64" {
  rollout --prompts 2 --shard 2/3 -o out.jsonl
  [ "$(jq -c .notes.units out.jsonl.run.json)" = '[]' ]
  [ -e out.jsonl ]
  [ ! -s out.jsonl ]
  for shard in 3/3 -1/3 1 a/b 0/0; do
    run -64 --separate-stderr rollout --shard=$shard
    assert_contains "$stderr" "'$shard'"
  done
}

# ---------------------------------------------------------------- the same bytes

@test "the same bytes at one and two threads, again, and on standard output" {
  rollout --threads 1 -o one.jsonl
  rollout --threads 2 -o two.jsonl
  rollout --threads 2 -o again.jsonl
  cmp one.jsonl two.jsonl
  cmp one.jsonl again.jsonl
  rollout | cmp one.jsonl -
  rollout -o - | cmp one.jsonl -
  [ ! -e ./- ]
}

@test "studies decoded together get the replies that each gets alone" {
  rollout --samples 4 -o alone.jsonl
  rollout --samples 4 --at-once 3 -o together.jsonl
  for file in alone together; do jq -c '[.study_id, .sample, .tokens, .finish]' $file.jsonl >$file.txt; done
  cmp alone.txt together.txt
  rollout --samples 4 --at-once 3 --threads 2 -o again.jsonl
  cmp together.jsonl again.jsonl
}

@test "--dry-run says how much there is to do and writes nothing" {
  run -0 --separate-stderr rollout --prompts 7 --shard 0/2 --dry-run -o out.jsonl
  [ "$(head -n 3 <<<"$output")" = "$(printf 'studies: 4\nsamples: 2\nmax-new-tokens: 24')" ]
  assert_contains "$output" "| caches | "
  assert_contains "$output" "| FLOPs | "
  [ -z "$(ls -A)" ]
}

@test "--dry-run plans decoding for a machine" {
  plan() { rollout --prompts 7 --dry-run --plan-format json -o out.jsonl "$@"; }
  plan --threads 1 >one.json
  [ "$(jq .memory.weights one.json)" -eq "$(unirg-model info --quiet -m "$base" | sed -n 's/^weights-float32-bytes: //p')" ]
  jq -e '.memory.peak == (.memory | del(.peak) | add) and .steps == 0 and .seconds == null' one.json
  # On a CPU a study a thread; on a GPU two threads, 16 studies each, but not more than there are.
  plan --threads 4 >four.json
  plan --threads 4 --device cuda --ranks 2 --peak-flops 1T --decode-share 0.1 --price 2 >gpu.json
  jq -es '(.[1].memory.caches == 4 * .[0].memory.caches) and (.[2].memory.caches == 7 * .[0].memory.caches)
    and (.[2].memory.logits == 7 * .[0].memory.logits * 33 / 8) and (.[2].host | has("process"))
    and (.[2] | (.seconds - .flops / 2e11 | fabs) < 1e-9 * .seconds and (.price - .seconds / 900 | fabs) < 1e-9 * .price)' \
    one.json four.json gpu.json
}

@test "a reader may close the pipe without a word of complaint" {
  # More than a pipe and a buffer hold.
  first=$(rollout --samples 64 --max-new-tokens 64 2>errors | head -n 1)
  jq -e '.sample == 0' <<<"$first"
  cat errors
  [ ! -s errors ]
}

# ---------------------------------------------------------------- what is refused

@test "inputs that are not there are 66, named, and nothing is written" {
  check() { # what is named, options
    word=$1
    shift
    echo "options: $*"
    run -66 --separate-stderr rollout -o out.jsonl "$@"
    assert_contains "$stderr" "$word"
    [ ! -e out.jsonl ]
  }
  check "'absent.jsonl'" --studies absent.jsonl
  check "'absent/config.json'" -m absent
  cp "$st/studies.jsonl" .
  check "images-00000.tar" --studies studies.jsonl
  cp -r "$base" model && rm model/config.json
  check "'model/config.json'" -m model
  cp "$base/config.json" model && rm model/model.safetensors
  check "'model.safetensors'" -m model
  assert_no_leftovers .
}

@test "a checkpoint with a missing tensor is 65 and the tensor is named" {
  cp -r "$base" model
  sed -i 's/layers\.0\.mlp\.up_proj/layers.0.mlp.op_proj/' model/model.safetensors
  run -65 --separate-stderr rollout -m model -o out.jsonl
  assert_contains "$stderr" "checkpoint 'model' does not fit its config.json"
  assert_contains "$stderr" "missing tensors: model.language_model.layers.0.mlp.up_proj.weight"
  [ "$(ls -A)" = model ]
}

@test "a bad study record is 65 with file, line and field" {
  cp -r "$st" bad
  check() { # jq program for line 3, message
    jq -c "if input_line_number == 3 then $1 else . end" "$st/studies.jsonl" >bad/studies.jsonl
    run -65 --separate-stderr rollout --studies bad/studies.jsonl -o out.jsonl
    assert_contains "$stderr" "bad/studies.jsonl:3: $2"
  }
  check '.indication = 7' "field 'indication': expected string, got number"
  check 'del(.images)' "field 'images' is missing"
  check '.schema = "unirg.study/9"' "field 'schema': expected 'unirg.study/1', got 'unirg.study/9'"
  check '.images[0].shard = "../x"' "images[0]: field 'shard'"
  [ ! -e out.jsonl ]
}

@test "a bad key or value in the YAML file is 78 with its line, a bad flag 64" {
  check() { # text, message
    printf '%b' "$1" >wrong.yaml
    run -78 --separate-stderr rollout -c wrong.yaml -o out.jsonl
    assert_contains "$stderr" "$2"
  }
  check 'seed: 1\nsample: 2\n' "wrong.yaml:2: unknown key 'sample' (hint: did you mean 'samples'?)"
  check 'samples: two\n' "wrong.yaml:1: bad value 'two' for 'samples'"
  check 'temperature: {a: 1}\n' "wrong.yaml:1:"
  run -64 --separate-stderr rollout --samples 0
  run -64 --separate-stderr rollout --top-p 0
  run -78 --separate-stderr rollout --prompt 'Report:'
  assert_contains "$stderr" "prompt template has no '{input}'"
  run -69 --separate-stderr rollout --device cuda:99
}

@test "an output that cannot be created is 73" {
  touch file
  run -73 --separate-stderr rollout -o file/out.jsonl
  assert_contains "$stderr" "cannot create 'file/out.jsonl'"
  run -73 --separate-stderr rollout -o absent/out.jsonl
  [ "$(ls -A)" = file ]
}

@test "a full disk is 74, on standard output and in a file" {
  # shellcheck disable=SC2016  # expanded by the inner shell
  run -74 --separate-stderr bash -c 'unirg-rollout --quiet "$@" >/dev/full' - "${options[@]}"
  assert_contains "$stderr" "cannot write standard output"
  run -74 --separate-stderr with_full_disk 2 rollout -o out.jsonl
  assert_contains "$stderr" "cannot write 'out.jsonl'"
  [ -z "$(ls -A)" ]
}

@test "--on-error skip moves bad records aside, and the counts add up" {
  cp -r "$st" bad
  jq -c 'if .study_id == "A-000001-1" then .age = "old" else . end' "$st/studies.jsonl" >bad/studies.jsonl
  echo '{"schema":"unirg.study/1"' >>bad/studies.jsonl
  run -0 --separate-stderr loud_rollout --studies bad/studies.jsonl --on-error skip -o out.jsonl
  assert_contains "$stderr" "skipped 2 study records"
  [ "$(jq -r .study_id out.jsonl | sort -u | wc -l)" -eq 9 ]
  assert_jsonl out.jsonl.rejected.jsonl
  [ "$(jq -c .line out.jsonl.rejected.jsonl | paste -sd ' ')" = "1 $(wc -l <bad/studies.jsonl)" ]
  # The others are as if it had never been there.
  rollout | grep -v '"A-000001-1"' | cmp out.jsonl -
  rollout -o out.jsonl
  [ ! -e out.jsonl.rejected.jsonl ]
}

# ---------------------------------------------------------------- stops

@test "a stopped or killed run leaves no output, and the next gives all" {
  long=(--samples 64 --max-new-tokens 64)
  rollout "${long[@]}" -o expected.jsonl
  mkdir work
  for signal in TERM KILL; do
    unirg-rollout "${options[@]}" "${long[@]}" --log-every 0 -o work/out.jsonl 2>log &
    pid=$!
    # The first progress lines say that the run is under way and far from its end.
    wait_until grep -q 'study 1/10' log
    kill -$signal "$pid"
    if [ $signal = TERM ]; then
      assert_status "$pid" 75
      [ -z "$(ls -A work)" ]
    else
      assert_status "$pid" 137
      [ ! -e work/out.jsonl ]
    fi
  done
  rollout "${long[@]}" -o work/out.jsonl
  cmp expected.jsonl work/out.jsonl
}
