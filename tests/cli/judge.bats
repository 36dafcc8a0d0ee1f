#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Judge metrics in unirg-reward and unirg-eval: values, invalid answers, the cache, stopping, and where a key may not go.
# Servers that fail in every way are met in tests/judge/probe.bats and the unit tests.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ../judge/server

setup() {
  unirg_setup
  mkdir here && cd here || return 1
  cat >reference.csv <<'END'
study_id,report
a,"FINDINGS: Small left pleural effusion."
b,"FINDINGS: Moderate cardiomegaly. No pneumothorax."
END
  cat >rollouts.jsonl <<'END'
{"study_id":"a","text":"Findings: Small left pleural effusion."}
{"study_id":"b","text":"Findings: Large right pneumothorax."}
END
}
teardown() { stop_judge; }

judge() { printf '%s\n' --judge-backend http --judge-url "$JUDGE_URL" --judge-model m; }
# unirg-reward with both judges beside the reward.
reward() {
  mapfile -t options < <(judge)
  unirg-reward --quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --references reference.csv --weights rouge-l=1 \
    --metrics green,chexprompt-errors "${options[@]}" "$@" rollouts.jsonl
}
# $1 studies, a sample each.
many() {
  seq "$1" | awk '{ printf "{\"study_id\":\"s%d\",\"text\":\"Findings: Effusion %d.\"}\n", $1, $1 }' >rollouts.jsonl
  (echo study_id,report && seq "$1" | awk '{ print "s" $1 ",FINDINGS: Effusion." }') >reference.csv
}

@test "values of a judge stand beside the others, in both tools" {
  start_judge
  reward --judge-cache cache -o out.jsonl
  jq -es 'length == 2 and all((.components.green >= 0 and .components.green <= 1) and .components["chexprompt-errors"] >= 0)' out.jsonl
  [ "$(asked)" -eq 4 ]
  jq -e '.notes.signatures.green | startswith("green|judge:m|backend:http|prompt:green-1@")' out.jsonl.run.json
  mapfile -t options < <(judge)
  unirg-eval --quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --references reference.csv \
    --metrics green,chexprompt-errors "${options[@]}" --judge-cache cache --scores scores.jsonl --format none rollouts.jsonl
  [ "$(asked)" -eq 4 ] # the cache is one for all tools
}

@test "without a model, a URL or a checkpoint the option is named" {
  run -78 --separate-stderr unirg-reward --references reference.csv --metrics green --judge-backend http --judge-model m rollouts.jsonl
  assert_contains "$stderr" "--judge-url"
  run -78 --separate-stderr unirg-reward --references reference.csv --metrics green --judge-backend http --judge-url http://h rollouts.jsonl
  assert_contains "$stderr" "--judge-model"
  run -78 --separate-stderr unirg-reward --references reference.csv --metrics green --judge-backend local rollouts.jsonl
  assert_contains "$stderr" "--judge-checkpoint"
}

@test "metrics without a judge ask for none" {
  unirg-reward --quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --references reference.csv --weights rouge-l=1 rollouts.jsonl >out.jsonl
  [ "$(wc -l <out.jsonl)" -eq 2 ]
}

@test "an answer that cannot be read is no number, is kept, and is not asked for again" {
  start_judge --rest wrong
  reward --judge-cache cache -o out.jsonl
  [ "$(asked)" -eq 8 ] # each question twice
  jq -es 'all(.components.green == null)' out.jsonl
  grep -rq "I cannot say" cache
  reward --judge-cache cache -o again.jsonl
  [ "$(asked)" -eq 8 ]
  cmp out.jsonl again.jsonl
  reward --judge-cache cache --judge-refresh -o again.jsonl
  [ "$(asked)" -eq 16 ]
}

@test "a server that refuses is 69 and leaves no output" {
  start_judge --rest 401
  run -69 --separate-stderr reward --judge-cache cache -o out.jsonl
  assert_contains "$stderr" "$JUDGE_URL/v1/chat/completions' answers 401: this is a 401"
  [ ! -e out.jsonl ]
  assert_no_leftovers .
}

@test "a server that stays broken is 69 after the retries" {
  start_judge --rest 500
  run -69 --separate-stderr reward --judge-retries 1 --judge-concurrency 1 -o out.jsonl
  assert_contains "$stderr" "given up after 2 tries"
  [ ! -e out.jsonl ]
}

@test "a slow server is a timeout" {
  start_judge --rest slow:30
  run -69 --separate-stderr reward --judge-timeout 0.5 --judge-retries 0 -o out.jsonl
  assert_contains "$stderr" "$JUDGE_URL"
}

@test "a run that is killed goes on without asking again, to the same bytes" {
  many 24
  start_judge
  reward -o whole.jsonl
  stop_judge
  start_judge --rest slow:0.1
  mapfile -t options < <(judge)
  unirg-reward --quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --references reference.csv --weights rouge-l=1 \
    --metrics green,chexprompt-errors "${options[@]}" --judge-cache cache --judge-concurrency 2 -o out.jsonl rollouts.jsonl &
  pid=$!
  wait_until asked_at_least 8
  kill -KILL $pid
  wait $pid || true
  [ ! -e out.jsonl ]
  reward --judge-cache cache -o out.jsonl
  cmp whole.jsonl out.jsonl
  [ "$(questions)" -eq 48 ]
  [ "$(asked)" -le 50 ] # 48, and the two under way when it was killed
}

@test "a stopped run is 75 within two seconds, leaves no output and keeps its answers" {
  many 8
  start_judge --faults ok,ok,ok,ok --rest slow:60
  mapfile -t options < <(judge)
  unirg-reward --quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --references reference.csv --weights rouge-l=1 \
    --metrics green "${options[@]}" --judge-cache cache --judge-concurrency 1 --threads 1 -o out.jsonl rollouts.jsonl 2>errors &
  pid=$!
  wait_until asked_at_least 5
  SECONDS=0
  kill -TERM $pid
  assert_status $pid 75
  [ "$SECONDS" -le 2 ]
  [ ! -e out.jsonl ]
  [ "$(find cache -name '*.json' | wc -l)" -eq 4 ]
}

@test "the rate is kept" {
  many 2
  start_judge
  SECONDS=0
  reward --judge-rate 60 -o out.jsonl # four requests, one a second
  [ "$SECONDS" -ge 2 ]
}

@test "the key is sent, and is in no file and no message" {
  start_judge --faults echo-ok --rest echo-key
  export MY_KEY=sk-test-4242424242
  run -69 --separate-stderr reward --judge-key-variable MY_KEY --judge-concurrency 1 --judge-cache cache -o out.jsonl
  [[ $stderr != *"$MY_KEY"* ]]
  stop_judge
  start_judge --rest echo-ok
  reward --judge-key-variable MY_KEY --judge-cache cache -o out.jsonl
  [ "$(jq -r .key_sha256 judge.log | sort -u)" = "$(printf 'Bearer %s' "$MY_KEY" | sha256sum | cut -d ' ' -f 1)" ]
  run -1 grep -rF "$MY_KEY" .
  unset MY_KEY
  run -78 --separate-stderr reward --judge-key-variable MY_KEY -o out.jsonl
  assert_contains "$stderr" "'MY_KEY' (--judge-key-variable) is not set"
}

@test "a checkpoint of one's own judges, alike each time" {
  unirg_tiny 4
  reward_local() {
    unirg-reward --quiet --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml" --references reference.csv --weights rouge-l=1 \
      --metrics green --judge-backend local --judge-checkpoint base "$@" rollouts.jsonl
  }
  reward_local --threads 1 -o one.jsonl
  reward_local --threads 2 -o two.jsonl
  cmp one.jsonl two.jsonl
  jq -es 'all(.components.green == null)' one.jsonl # noise, so no value
}
