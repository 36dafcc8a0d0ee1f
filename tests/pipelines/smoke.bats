#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The smoke graph (the demo's, on a handful of studies) as a whole: what it makes, what a second run does, and that any of its
# stages may be killed or stopped at any moment.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup_file() {
  export UNIRG_REFERENCE=$BATS_FILE_TMPDIR/unbroken
  (BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR unirg_setup && run_graph "$UNIRG_REFERENCE" >"$BATS_FILE_TMPDIR/unbroken.log") || {
    tail -n 20 "$BATS_FILE_TMPDIR/unbroken.log" >&2
    return 1
  }
}

setup() { unirg_setup; }

# run_graph RUN [TARGET...]: makes targets of the graph, all of it without one, in folder RUN.
run_graph() {
  local run=$1
  shift
  make --no-print-directory --silent -C "$UNIRG_SOURCE" -f pipelines/smoke.mk RUN="$run" BIN="$UNIRG_BIN" THREADS=1 "$@"
}

# The targets of the graph below RUN in the order in which the unbroken run made them.
stages() {
  sed -nE "s|^ *[0-9]+ s  $UNIRG_REFERENCE/||p" "$BATS_FILE_TMPDIR/unbroken.log"
}
all_stages() { stages && echo summary.json; }

# The file that says that stage $1 is done: a folder's DONE, or the file itself.
target_of() {
  case $1 in
    *.jsonl | *.json) echo "$1" ;;
    *) echo "$1/DONE" ;;
  esac
}

# strike SIGNAL SECONDS RUN TARGET: makes the target in a process group of its own and sends the signal to all of it after a
# while. Succeeds if the stage was still at work then.
strike() {
  local signal=$1 delay=$2 pid
  shift 2
  set -m
  run_graph "$1" "$2" >/dev/null 2>&1 &
  pid=$!
  set +m
  sleep "$delay"
  local struck=0
  kill "-$signal" -- "-$pid" 2>/dev/null && struck=1
  wait "$pid" 2>/dev/null || true
  # The group's members may outlive their leader by a moment.
  while pgrep -g "$pid" >/dev/null; do sleep 0.02; done
  ((struck))
}

same_bytes() {
  unirg_digests "$UNIRG_REFERENCE" | grep -E '\.(jsonl|safetensors|json|tar|md|html)$' | grep -v summary.json >expected
  unirg_digests "$1" | grep -E '\.(jsonl|safetensors|json|tar|md|html)$' | grep -v summary.json >actual
  [ -s expected ]
  diff expected actual
}

# strike_all SIGNAL: every stage of the graph three times, later and later, then the rest of the graph.
strike_all() {
  local signal=$1 struck=0 stage delay
  while read -r stage; do
    for delay in 0.06 0.18 0.36; do
      [ ! -e "$PWD/run/$(target_of "$stage")" ] || continue
      if strike "$signal" "$delay" "$PWD/run" "$PWD/run/$(target_of "$stage")"; then struck=$((struck + 1)); fi
    done
    run_graph "$PWD/run" "$PWD/run/$(target_of "$stage")" >/dev/null
  done < <(all_stages)
  run_graph "$PWD/run" >/dev/null
  echo "struck $struck times"
  [ "$struck" -ge "$(stages | wc -l)" ]
}

@test "the graph ends in a table, a summary and a page" {
  jq -e '.systems | has("base") and has("sft") and has("sft_rl") and has("sft_more")' "$UNIRG_REFERENCE/summary.json"
  jq -e '.paired["sft_rl-sft"].test.composite | has("diff") and has("lo") and has("hi") and has("p") and has("n")' "$UNIRG_REFERENCE/summary.json"
  jq -e '.systems.sft_rl.heldout_site.composite | has("mean") and has("lo") and has("hi") and has("n")' "$UNIRG_REFERENCE/summary.json"
  jq -e '.signatures and .seeds and (.wall_s | type == "object")' "$UNIRG_REFERENCE/summary.json"
  grep -q '^| composite |' "$UNIRG_REFERENCE/table.md"
  grep -q '<html' "$UNIRG_REFERENCE/report.html"
}

@test "the page opens in a browser without the network and without a word on the console" {
  command -v chromium || command -v chromium-browser || command -v google-chrome || skip 'Chromium is not installed (apt-get install chromium)'
  run -0 "$UNIRG_SOURCE/tests/cli/check-report" "$UNIRG_REFERENCE/report.html"
}

@test "every record of the graph is a record" {
  find "$UNIRG_REFERENCE" -name '*.jsonl' -print0 >files
  [ -s files ]
  while IFS= read -r -d '' file; do
    [ ! -s "$file" ] || assert_jsonl "$file"
  done <files
}

@test "every stage leaves a log and says what made its output" {
  while read -r stage; do
    [ -e "$UNIRG_REFERENCE/$stage.log" ]
    [ -e "$UNIRG_REFERENCE/$stage.run.json" ] || [ -e "$UNIRG_REFERENCE/$stage/run.json" ]
  done < <(stages)
}

@test "rounds drawn again and validated go through the graph, from the studies and the SFT of another run" {
  run_graph "$PWD/run" FROM="$UNIRG_REFERENCE" RESAMPLE=1 VALIDATE=1 >log
  for k in 001 002; do
    cmp <(cat "run/seed-1/rl/$k/rollouts.jsonl" "run/seed-1/rl/$k/more-rollouts.jsonl") "run/seed-1/rl/$k/filled-rollouts.jsonl"
    jq -e '.systems[].validate.composite.mean >= 0' "run/seed-1/rl/$k/validation/summary.json"
  done
  best=$(jq -r 'select(.best) | .round' run/seed-1/rl/validation.jsonl)
  [ "$(jq -s 'max_by(.composite).composite == (map(select(.best))[0].composite)' run/seed-1/rl/validation.jsonl)" = true ]
  [ "$(jq -r '.policy' run/seed-1/reports/sft_rl.jsonl | sort -u)" = "$(jq -r '.outputs[]' "run/seed-1/rl/$best/policy/run.json")" ]
  [ "$(wc -l <run/seed-1/rl/metrics.jsonl)" -eq 2 ]
  run -0 run_graph "$PWD/run" FROM="$UNIRG_REFERENCE" RESAMPLE=1 VALIDATE=1
  [[ $output != *" s  "* ]]
}

@test "a second run does nothing" {
  run -0 run_graph "$UNIRG_REFERENCE"
  [ -z "$output" ]
}

@test "a dry run shows every tool of the process and makes nothing" {
  run -0 run_graph "$PWD/run" --dry-run
  for tool in phantom ingest model sft rollout reward update generate eval; do assert_contains "$output" "unirg-$tool"; done
  [ ! -e run ]
}

@test "every stage may be killed at several points, and the bytes are those of an unbroken run" {
  strike_all KILL
  same_bytes run
}

@test "every stage may be stopped at several points, and the bytes are those of an unbroken run" {
  strike_all TERM
  same_bytes run
}

@test "a signal to a stage reaches its tool, which saves and says so" {
  cp -r "$UNIRG_REFERENCE/seed-1/studies" "$UNIRG_REFERENCE/seed-1/base" .
  "$UNIRG_SOURCE/scripts/stage" "$PWD/out/DONE" "$UNIRG_BIN/unirg-sft" --studies studies/studies.jsonl -m base -o out \
    --epochs 100000 --threads 1 2>stage.log &
  wait_until test -e out.partial
  sleep 0.5
  kill -TERM $!
  status=0
  wait $! || status=$?
  [ "$status" -eq 75 ]
  [ -e out.partial/last/DONE ]
  grep -q 'exit status 75' stage.log
}

@test "a setting that changes makes its stage and what follows again, and nothing before" {
  cp -r "$UNIRG_REFERENCE" run
  cp -r "$UNIRG_SOURCE/pipelines/conf/smoke" conf
  sed -i "s|pipelines/conf/smoke|$PWD/conf|" run/rl-settings # the folder of rewards is one of RL's settings
  # make goes by time: the copies are old, the changed file is new.
  find run conf -exec touch -d '2020-01-01' {} +
  run -0 run_graph "$PWD/run" CONF="$PWD/conf" --dry-run
  [ -z "$output" ]
  touch conf/generate.yaml
  run -0 run_graph "$PWD/run" CONF="$PWD/conf" --dry-run
  assert_contains "$output" unirg-generate
  assert_contains "$output" unirg-eval
  [[ $output != *unirg-sft* && $output != *unirg-update* ]]
}
