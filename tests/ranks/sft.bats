#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-sft as several ranks: the bytes of one process, what each rank keeps, stops, lost ranks, errors.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load ../cli/helpers
load ../cli/sft_helpers
load ranks_helpers

ranked_sft() { ranks "$1" unirg-sft "${options[@]}" --micro-batch 1 --quiet "${@:2}"; }
one_sft() { sft --micro-batch 1 "$@"; }

# Field $2 of the note on ranks of run $1.
note() { jq -c ".notes.ranks.$2" "$1/run.json"; }

# ---------------------------------------------------------------- the same run

@test "two and four ranks give the bytes of one process" {
  need_mpirun
  one_sft --epochs 2 --brightness 0.1 -o one
  for n in 2 4; do
    ranked_sft $n --epochs 2 --brightness 0.1 -o many
    assert_same_run one many
    [ "$(note many count)" -eq $n ]
  done
  [ "$(names)" = "expected.txt many one pid.0 pid.1 pid.2 pid.3" ]
}

@test "so they do for labels, adapters and bfloat16, with more threads, and in small buckets" {
  need_mpirun
  check() {
    echo "options: $*"
    one_sft --epochs 1 "$@" -o one
    ranked_sft 2 --epochs 1 "$@" --threads 2 --bucket-mib 0.0005 -o many
    assert_same_run one many
    rm -r one many
  }
  check --objective labels
  check --lora-rank 2 --lora-dropout 0.1
  check --dtype bfloat16
}

@test "stages 0 and 1 give the loss of one process to 1e-6, and its bytes where a rank has one unit a step" {
  need_mpirun
  one_sft --epochs 2 --learning-rate 1e-3 -o one
  sft --epochs 2 --micro-batch 2 -o one-unit
  for zero in 0 1; do
    for n in 2 4; do
      ranked_sft $n --epochs 2 --learning-rate 1e-3 --zero $zero -o many
      assert_close one/metrics.jsonl many/metrics.jsonl .loss 1e-6
      assert_close one/metrics.jsonl many/metrics.jsonl .validation_loss 1e-6
      ranked_sft $n --epochs 2 --micro-batch 2 --zero $zero -o many
      assert_same_run one-unit many
    done
  done
}

@test "moments are shared out from stage 1 on, gradients at stage 2, and the run record shows it" {
  need_mpirun
  one_sft --epochs 1 -o one
  whole=$(note one 'optimizer_bytes[0]')
  [ "$(note one count)" -eq 1 ]
  moments=$(safetensors_header one/last/training_state/moments.safetensors |
    jq 'del(.__metadata__) | map(.data_offsets[1] - .data_offsets[0])')
  [ "$whole" -eq "$(jq add <<<"$moments")" ]
  # Of this model one tensor, of which a rank keeps two moments, is nearly half; the rest is spread evenly.
  largest=$(jq '2 * max' <<<"$moments")
  for zero in 0 1 2; do
    ranked_sft 4 --epochs 1 --zero $zero -o many
    jq -c .notes.ranks many/run.json
    jq -e --argjson whole "$whole" --argjson zero $zero --argjson largest "$largest" '.notes.ranks |
      def shared: add == $whole and max == $largest and (sort | .[0] > 0.99 * .[2] and .[2] < 0.34 * ($whole - $largest));
      .zero == $zero and (.peak_memory_bytes | length == 4 and min > 1e7) and
      (.optimizer_bytes | if $zero > 0 then shared else all(. == $whole) end) and
      (.gradient_bytes | map(2 * .) | if $zero == 2 then shared else all(. == $whole) end)' many/run.json
  done
}

@test "of many tensors a rank's share of the optimiser's state is one part in as many as there are ranks" {
  need_mpirun
  sed 's/^layers: .*/layers: 24/' "$BATS_FILE_TMPDIR/tiny.yaml" >deep.yaml
  unirg-model init --quiet -c deep.yaml --studies "$st/studies.jsonl" -m deep
  sft -m deep --max-steps 1 -o one
  whole=$(note one 'optimizer_bytes[0]')
  for n in 2 4; do
    run -0 --separate-stderr ranks $n unirg-sft "${options[@]}" -m deep --max-steps 1 --zero 1 -o many
    assert_contains "$stderr" "$n ranks, --zero 1: optimiser state "
    jq -c .notes.ranks many/run.json
    jq -e --argjson whole "$whole" --argjson n $n '.notes.ranks.optimizer_bytes |
      length == $n and add == $whole and all(. > 0.97 * $whole / $n and . < 1.03 * $whole / $n)' many/run.json
  done
}

@test "gradients leave while the backward pass still runs, at stage 2 alone" {
  need_mpirun
  sed 's/^layers: .*/layers: 24/' "$BATS_FILE_TMPDIR/tiny.yaml" >deep.yaml
  unirg-model init --quiet -c deep.yaml --studies "$st/studies.jsonl" -m deep
  for recompute in '' --gradient-checkpointing; do
    # shellcheck disable=SC2086  # an option or none
    ranked_sft 2 -m deep --epochs 1 --bucket-mib 0.02 $recompute -o many
    jq -c .notes.ranks many/run.json
    # How much depends on the machine: a backward pass of this model takes a few milliseconds.
    jq -e '.notes.ranks | [.sent_early_bytes, .sent_bytes] | transpose | all(.[0] > 0 and .[0] <= .[1])' many/run.json
    # shellcheck disable=SC2086
    one_sft -m deep --epochs 1 $recompute -o one
    assert_same_run one many
    rm -r one many
  done
  ranked_sft 2 --epochs 1 --zero 1 -o many
  jq -e '.notes.ranks | (.sent_early_bytes == [0, 0]) and (.sent_bytes | min > 0)' many/run.json
}

@test "only rank 0 speaks, and --dry-run plans once" {
  need_mpirun
  run -0 --separate-stderr ranks 2 unirg-sft "${options[@]}" --epochs 1 --log-every 0 -o out
  [ "$(grep -c 'studies to learn' <<<"$stderr")" -eq 1 ]
  [ "$(grep -c 'step 3/3' <<<"$stderr")" -eq 1 ]
  [ "$(grep -c 'done, ' <<<"$stderr")" -eq 1 ]
  run -0 --separate-stderr ranks 2 unirg-sft "${options[@]}" --dry-run -o none
  [ "$(grep -c 'training-studies: 12' <<<"$output")" -eq 1 ]
  [ ! -e none ]
}

# ---------------------------------------------------------------- stops

# The run that is stopped: 15 steps, saved after every second.
long=(--epochs 5 --evaluate-every 7 --save-every 2 --brightness 0.1)

# Starts it as $1 ranks, process $launcher, and waits until it has saved a step.
begin_long() {
  rm -f pid.*
  ranks "$1" unirg-sft "${options[@]}" --micro-batch 1 --quiet "${long[@]}" -o out 2>stderr.txt &
  launcher=$!
  wait_long test -e out.partial/last/DONE
}
# wait_until for a minute.
wait_long() {
  local k
  for ((k = 0; k < 6; ++k)); do wait_until "$@" 2>/dev/null && return 0; done
  echo "waited in vain: $*" >&2
  return 1
}

@test "a signal to one rank stops all at one step, and the run goes on at any number of ranks to the same bytes" {
  need_mpirun
  one_sft "${long[@]}" -o whole
  for then in 1 4; do
    rm -rf out out.partial
    begin_long 2
    kill -TERM "$(cat pid.1)"
    assert_status $launcher 75
    [ ! -e out ]
    step=$(jq .progress.step out.partial/last/training_state/state.json)
    echo "stopped after step $step"
    [ "$step" -gt 0 ]
    [ "$step" -lt 15 ]
    [ "$(jq .optimizer_step out.partial/last/training_state/state.json)" -eq "$step" ]
    if [ $then -eq 1 ]; then one_sft "${long[@]}" -o out; else ranked_sft $then "${long[@]}" -o out; fi
    assert_same_run whole out
  done
}

@test "one process goes on as several ranks, and the stage may change" {
  need_mpirun
  one_sft "${long[@]}" -o whole
  unirg-sft --quiet "${options[@]}" --micro-batch 1 "${long[@]}" -o out &
  pid=$!
  wait_until test -e out.partial/last/DONE
  kill -TERM "$pid"
  assert_status "$pid" 75
  ranked_sft 4 "${long[@]}" --zero 1 -o out # a unit each
  assert_same_run whole out
}

@test "SIGUSR1 to mpirun reaches all ranks: 75" {
  need_mpirun
  begin_long 2
  kill -USR1 "$(ps -o ppid= -p "$(cat pid.0)")"
  assert_status $launcher 75
  [ -e out.partial/last/DONE ]
}

@test "a lost rank ends the job and is named, and the run goes on from its last save" {
  need_mpirun
  one_sft "${long[@]}" -o whole
  begin_long 2
  kill -KILL "$(cat pid.1)"
  assert_status $launcher 137
  assert_contains "$(cat stderr.txt)" "rank 1"
  assert_contains "$(cat stderr.txt)" "exited on signal 9"
  [ ! -e out ]
  wait_until is_gone "$(cat pid.0)"
  one_sft "${long[@]}" -o out
  assert_same_run whole out
}

# ---------------------------------------------------------------- errors

# As ranks, with what differs at rank $2: options $3...
unlike() {
  local n=$1 odd=$2
  shift 2
  # shellcheck disable=SC2016  # the ranks expand it
  ranks "$n" bash -c 'odd=$1 rank=$OMPI_COMM_WORLD_RANK split=$2; shift 2; common=("${@:1:split}"); [ "$rank" != "$odd" ] || common=("$@")
    exec unirg-sft "${common[@]}"' unlike "$odd" $((${#options[@]} + 4)) "${options[@]}" --quiet --epochs=50 -o out "$@"
}

@test "an error of one rank ends all with its status and its words" {
  need_mpirun
  cp -r "$st" bad
  jq -c 'if input_line_number == 3 then .findings = 7 else . end' "$st/studies.jsonl" >bad/studies.jsonl
  run -65 --separate-stderr unlike 2 1 --studies bad/studies.jsonl
  assert_contains "$stderr" "bad/studies.jsonl:3: field 'findings'"
  [ ! -e out ]
  run -65 --separate-stderr unlike 4 0 --studies bad/studies.jsonl
  [ ! -e out ]
}

@test "a save that fails does not leave the others waiting" {
  need_mpirun
  long=(--epochs 100000 --save-every 2)
  begin_long 2
  mv out.partial elsewhere && touch out.partial
  assert_status $launcher 73
  assert_contains "$(cat stderr.txt)" "cannot create"
  wait_until is_gone "$(cat pid.1)"
}

@test "ranks that were told different things are 78" {
  need_mpirun
  run -78 --separate-stderr unlike 2 1 --seed 5
  assert_contains "$stderr" "ranks have different options, inputs or builds"
  [ ! -e out ]
  [ ! -e out.partial ]
}

@test "tasks of srun that cannot find each other are 78, and a launcher's single process is a plain call" {
  SLURM_STEP_NUM_TASKS=2 run -78 --separate-stderr sft --epochs 1 -o out
  assert_contains "$stderr" "hint: srun --mpi=pmix"
  [ ! -e out.partial ]
  OMPI_COMM_WORLD_SIZE=1 PMIX_RANK=0 sft --epochs 1 -o out
  sft --epochs 1 -o plain
  assert_same_run plain out
}

@test "a stage or bucket that is none is 64" {
  run -64 --separate-stderr sft --zero 3 -o out
  run -64 --separate-stderr sft --bucket-mib 0 -o out
}
