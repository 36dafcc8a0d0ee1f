#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-update as several ranks: the bytes of one process, what each rank keeps, stops and lost ranks.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load ../cli/helpers
load ranks_helpers

# Six studies with four reports each and rewards that can be told by hand.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  unirg_tiny 8
  unirg-rollout --quiet --threads 1 --studies st/studies.jsonl -m base --prompt short --prompts 6 --samples 4 --max-new-tokens 24 \
    -o rollouts.jsonl
  jq -c '{schema: "unirg.reward/1", study_id, sample, components: {a: (.sample * .sample)}, weights: {a: 1},
    reward: (.sample * .sample)}' rollouts.jsonl >rewards.jsonl
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  st=$BATS_FILE_TMPDIR/st
  base=$BATS_FILE_TMPDIR/base
  rollouts=$BATS_FILE_TMPDIR/rollouts.jsonl
  options=(--threads 1 --studies "$st/studies.jsonl" --prompt short --learning-rate 1e-2 -m "$base"
    --rewards "$BATS_FILE_TMPDIR/rewards.jsonl")
}

update() { unirg-update --quiet "${options[@]}" "$@" "$rollouts"; }
ranked_update() { ranks "$1" unirg-update --quiet "${options[@]}" "${@:2}" "$rollouts"; }

# Fails unless policies $1 and $2 and their metrics are the same.
assert_same_policy() {
  unirg_digests "$1" >expected.txt
  unirg_digests "$2" | diff expected.txt -
  cmp "$1.metrics.jsonl" "$2.metrics.jsonl"
}

@test "two and four ranks give the bytes of one process" {
  need_mpirun
  check() {
    echo "options: $*"
    update "$@" -o one
    for n in 2 4; do
      ranked_update $n "$@" -o many
      assert_same_policy one many
      jq -e --argjson n $n '.notes.ranks.count == $n' many/run.json
    done
  }
  check --groups-per-step 4 --epochs 2 --kl 0.1 --reference "$base" # a step with fewer groups than ranks
  check --epochs 2 --kl 0.1 --reference "$base" --kl-in reward --importance-cap 2 --kl-target 0.01
  check --cross-entropy 0.1 --lora-rank 2 --bucket-mib 0.0005
  check --dtype bfloat16 --max-logprob-gap 1
}

@test "an update of one process goes on as several ranks, and theirs as one" {
  need_mpirun
  next() { # command..., policy, output
    "${@:1:$#-2}" "${options[@]}" -m "${@: -2:1}" --rewards w.jsonl --quiet -o "${@: -1}" r.jsonl
  }
  update -o one
  ranked_update 2 -o many
  assert_same_policy one many
  unirg-rollout --quiet --threads 1 --studies "$st/studies.jsonl" -m one --prompt short --prompts 6 --samples 4 --max-new-tokens 24 -o r.jsonl
  jq -c '{schema: "unirg.reward/1", study_id, sample, components: {a: .sample}, weights: {a: 1}, reward: .sample}' r.jsonl >w.jsonl
  next unirg-update one one-one
  next unirg-update many many-one
  next ranks 4 unirg-update one one-many
  jq -e '.optimizer_step == 2' one-many/training_state/state.json
  assert_same_policy one-one many-one
  assert_same_policy one-one one-many
}

@test "stages 0 and 1 give the losses of one process to 1e-6" {
  need_mpirun
  update --epochs 4 --learning-rate 1e-4 -o one
  for zero in 0 1; do
    ranked_update 2 --epochs 4 --learning-rate 1e-4 --zero $zero -o many
    assert_close one.metrics.jsonl many.metrics.jsonl .loss 1e-6
    jq -e --argjson zero $zero --argjson whole "$(jq '.notes.ranks.optimizer_bytes[0]' one/run.json)" '.notes.ranks |
      .zero == $zero and (.optimizer_bytes | add == $whole * if $zero == 0 then 2 else 1 end)' many/run.json
  done
}

@test "moments are shared out, and the run record shows it" {
  need_mpirun
  update -o one
  ranked_update 4 -o many
  jq -c .notes.ranks one/run.json many/run.json
  jq -en --slurpfile one one/run.json --slurpfile many many/run.json '$one[0].notes.ranks.optimizer_bytes[0] as $whole |
    $many[0].notes.ranks.optimizer_bytes | length == 4 and add == $whole and max < 0.5 * $whole and min > 0.15 * $whole'
}

@test "a stop of one rank is 75 for all and leaves nothing" {
  need_mpirun
  ranked_update 2 --epochs 1000 -o out 2>stderr.txt &
  launcher=$!
  wait_until test -e pid.1
  wait_until listens "$(cat pid.1)"
  sleep 2
  kill -TERM "$(cat pid.1)"
  assert_status $launcher 75
  [ "$(names)" = "pid.0 pid.1 stderr.txt" ]
}

@test "a lost rank ends the job, is named, and leaves nothing" {
  need_mpirun
  ranked_update 2 --epochs 1000 -o out 2>stderr.txt &
  launcher=$!
  wait_until test -e pid.0
  wait_until listens "$(cat pid.0)"
  sleep 2
  kill -KILL "$(cat pid.0)"
  assert_status $launcher 137
  assert_contains "$(cat stderr.txt)" "rank 0"
  assert_contains "$(cat stderr.txt)" "exited on signal 9"
  [ "$(names)" = "pid.0 pid.1 stderr.txt" ]
}

@test "an error of the objective ends all with its status" {
  need_mpirun
  run -65 --separate-stderr ranked_update 2 --temperature 0.5 -o out
  assert_contains "$stderr" "log-probabilities of trainer and sampler differ"
  [ ! -e out ]
}

@test "ranks cannot share standard input: 64" {
  need_mpirun
  run -64 --separate-stderr ranks 2 unirg-update --quiet "${options[@]}" -o out - <"$rollouts"
  assert_contains "$stderr" "several ranks cannot share standard input"
}

@test "--dry-run plans once, and a stage that is none is 64" {
  need_mpirun
  run -0 --separate-stderr ranked_update 2 --dry-run -o out
  [ "$(grep -c '^groups: 6' <<<"$output")" -eq 1 ]
  run -64 --separate-stderr update --zero 3 -o out
  run -64 --separate-stderr update --bucket-mib 0 -o out
}
