#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The graph at the paper's size: its plan is what the paper says, and every stage's file has options the stage knows.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup() {
  unirg_setup
  conf=$UNIRG_SOURCE/pipelines/conf/paper
  mkdir model studies
  touch model/config.json studies/studies.jsonl
}

# plan TRAIN: the commands of the graph for so many training studies.
plan() {
  make --no-print-directory -n -C "$UNIRG_SOURCE" -f pipelines/paper.mk RUN="$PWD/run" BIN="$UNIRG_BIN" BASE="$PWD/model" \
    STUDIES_FROM="$PWD/studies" SCORING="--models nets" TRAIN="$1"
}

@test "an epoch of each reward: the second starts where the first ended and is held near it" {
  plan 600 >plan # 3 rounds of 256 queries, and 3 more
  [ "$(grep -c unirg-rollout plan)" = 6 ]
  [ "$(grep unirg-reward plan | grep -c 'reward.yaml .* --models nets')" = 3 ]
  [ "$(grep unirg-reward plan | grep -c 'reward2.yaml .* --models nets')" = 3 ]
  [ "$(grep unirg-update plan | grep -c 'update.yaml')" = 3 ]
  [ "$(grep unirg-update plan | grep -c "update2.yaml .*--reference $PWD/run/unirg/rl/003/policy")" = 3 ]
  run ! grep -q 'rm -rf .*rl/003/policy' plan # the reference stays
}

@test "the whole collection is 2,202 rounds an epoch" {
  plan 563494 >plan
  [ "$(grep -c unirg-rollout plan)" = 4404 ]
}

@test "without a checkpoint or studies it says what it needs" {
  run make -n -C "$UNIRG_SOURCE" -f pipelines/paper.mk RUN="$PWD/run"
  [ "$status" = 2 ]
  [[ $output == *"paper.mk needs BASE=CHECKPOINT and STUDIES_FROM=FOLDER"* ]]
}

# settings TOOL FILE... -- ARGUMENTS...: what the tool takes out of those files of the paper's.
settings() {
  local tool=$1 files=()
  shift
  while [[ $1 != -- ]]; do
    files+=(-c "$conf/$1.yaml")
    shift
  done
  "$UNIRG_BIN/$tool" "${files[@]}" --dump-config "${@:2}"
}

@test "the tools take the paper's numbers" {
  settings unirg-sft prompt sft -- --studies s -m m -o o >sft
  grep -qx 'epochs: 3' sft
  grep -qx 'batch-size: 256' sft
  grep -qx 'learning-rate: 5e-05' sft
  settings unirg-sft prompt more -- --studies s -m m -o o >/dev/null
  settings unirg-rollout prompt rollout -- --studies s -m m -o o >rollout
  grep -qx 'samples: 16' rollout
  grep -qx 'prompts: 256' rollout
  grep -qx 'max-pixels: 262144' rollout
  settings unirg-update prompt update -- --studies s -m m --rewards r -o o x >update
  grep -qx 'kl: 0.0' update
  grep -qx 'learning-rate: 5e-06' update
  settings unirg-update prompt update2 -- --studies s -m m --rewards r -o o x >update2
  grep -qx 'kl: 0.03' update2
  settings unirg-reward reward -- --references s | grep -qx 'composition: unirg-step1'
  settings unirg-reward reward2 -- --references s | grep -qx 'composition: unirg-step2'
  settings unirg-generate prompt generate -- --studies s -m m -o o | grep -qx 'temperature: 0.0'
  settings unirg-eval eval -- --references s --name n >/dev/null
  settings unirg-eval compare -- compare x >/dev/null
}
