#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The judge metrics through judge_probe: killed and resumed, processes beside each other, and where a key may not go.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load ../cli/helpers
load server

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PROBE=${UNIRG_JUDGE_PROBE:-$UNIRG_SOURCE/build/release/tests/judge/judge_probe}
  mkdir here && cd here || return 1
  for i in 1 2 3 4 5 6 7 8; do
    printf '{"reference":"Effusion %d.","hypotheses":["Effusion.","Normal %d.","Effusion."]}\n' $i $i
  done >in.jsonl # sixteen questions to each judge
}
teardown() { stop_judge; }

probe() { "$PROBE" url="$JUDGE_URL" model=m cache=cache metrics=green "$@" <in.jsonl; }

@test "a run that is killed at any moment goes on without asking again" {
  start_judge --rest slow:0.3
  for count in 3 6 9; do # each run asks for some more; sixteen is a second away when the last is killed
    "$PROBE" url="$JUDGE_URL" model=m cache=cache metrics=green concurrency=2 <in.jsonl >killed.jsonl 2>log &
    pid=$!
    wait_until asked_at_least $count
    kill -KILL $pid
    wait $pid || true
  done
  before=$(asked)
  [ "$before" -lt 16 ] # it was killed before its end
  probe concurrency=2 >out.jsonl
  [ "$(wc -l <out.jsonl)" -eq 24 ]
  jq -es 'all(.values.green != null)' out.jsonl
  # What was under way when the signal came is asked again: at most two a kill. Nothing else is.
  [ "$(asked)" -le $((16 + 6)) ]
  [ "$(questions)" -eq 16 ]
  [ "$(find cache -name '*.json' | wc -l)" -eq 16 ]
  stop_judge
  probe retries=0 | cmp out.jsonl -
}

@test "SIGTERM ends a run with 75 within two seconds, and answers that came are kept" {
  start_judge --faults ok,ok,ok --rest slow:60
  "$PROBE" url="$JUDGE_URL" model=m cache=cache metrics=green concurrency=1 <in.jsonl >out.jsonl 2>log &
  pid=$!
  wait_until asked_at_least 4
  SECONDS=0
  kill -TERM $pid
  assert_status $pid 75
  [ "$SECONDS" -le 2 ]
  assert_contains "$(cat log)" "stopped while a judge was asked"
  [ "$(find cache -name '*.json' | wc -l)" -eq 3 ]
  assert_no_leftovers cache
}

@test "two processes may share a cache" {
  start_judge --rest slow:0.02
  probe >a.jsonl &
  pid=$!
  probe >b.jsonl
  assert_status $pid 0
  cmp a.jsonl b.jsonl
  [ "$(questions)" -eq 16 ]
  [ "$(asked)" -le 32 ]
}

@test "faults of every kind change nothing in what comes out" {
  start_judge
  probe >plain.jsonl
  stop_judge
  rm -r cache
  start_judge --faults 429:1,500,cut,short,not-json,schema,huge,503,408,429
  probe concurrency=3 >out.jsonl
  cmp plain.jsonl out.jsonl
  [ "$(questions)" -eq 16 ]
  [ "$(asked)" -eq 26 ] # each fault was met once
}

@test "a broken entry is asked for again, with a warning" {
  start_judge
  probe >first.jsonl
  entry=$(find cache -name '*.json' | sort | head -n 1)
  printf 'half a li' >"$entry"
  probe >second.jsonl 2>log
  cmp first.jsonl second.jsonl
  assert_contains "$(cat log)" "warning: '$entry' is no whole answer of a judge"
  [ "$(asked)" -eq 17 ]
}

@test "the key is in no file and no message" {
  start_judge --faults echo-ok,echo-key
  export SECRET=sk-test-4242424242
  status=0
  probe key-variable=SECRET concurrency=1 >out.jsonl 2>log || status=$?
  [ "$status" -eq 69 ]
  [ "$(jq -r .key_sha256 judge.log | sort -u)" = "$(printf 'Bearer %s' "$SECRET" | sha256sum | cut -d ' ' -f 1)" ]
  run -1 grep -rF "$SECRET" .
  assert_contains "$(cat log)" "bad key: Bearer [key]"
}
