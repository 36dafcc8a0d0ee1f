#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Graphs that take too long to run in a test, as plans: at the paper's size the plan is what the paper says, every stage's
# file has options the stage knows, and each variant of the ablation differs from the demo where it should.
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
  plan 600 >plan.txt # 3 rounds of 256 queries, and 3 more
  [ "$(grep -c unirg-rollout plan.txt)" = 6 ]
  [ "$(grep unirg-reward plan.txt | grep -c 'reward.yaml .* --models nets')" = 3 ]
  [ "$(grep unirg-reward plan.txt | grep -c 'reward2.yaml .* --models nets')" = 3 ]
  [ "$(grep unirg-update plan.txt | grep -c 'update.yaml')" = 3 ]
  [ "$(grep unirg-update plan.txt | grep -c "update2.yaml .*--reference $PWD/run/unirg/rl/003/policy")" = 3 ]
  run ! grep -q 'rm -rf .*rl/003/policy' plan.txt # the reference stays
}

@test "the whole collection is 2,202 rounds an epoch" {
  plan 563494 >plan.txt
  [ "$(grep -c unirg-rollout plan.txt)" = 4404 ]
}

@test "with RESAMPLE=1 each round draws again for what teaches nothing, and updates from all of it" {
  make --no-print-directory -n -C "$UNIRG_SOURCE" -f pipelines/demo.mk RUN="$PWD/run" BIN="$UNIRG_BIN" NAMES=seed-1 ITERATIONS=2 RESAMPLE=1 >plan.txt
  for k in 001 002; do
    rl="$PWD/run/seed-1/rl/$k"
    grep -q "unirg-rollout .*--round $((10#$k - 1)) .*--instead-of $rl/rewards.jsonl -o $rl/more-rollouts.jsonl" plan.txt
    grep -q "unirg-reward .*-o $rl/more-rewards.jsonl .*$rl/more-rollouts.jsonl" plan.txt
    grep -q -- "--rewards $rl/filled-rewards.jsonl .*--drop-equal-groups .*$rl/filled-rollouts.jsonl" plan.txt
  done
}

@test "with VALIDATE=N every N-th round and the last are validated, and the best is RL's" {
  make --no-print-directory -n -C "$UNIRG_SOURCE" -f pipelines/demo.mk RUN="$PWD/run" BIN="$UNIRG_BIN" NAMES=seed-1 ITERATIONS=5 VALIDATE=2 PATIENCE=3 \
    "$PWD/run/seed-1/reports/sft_rl.jsonl" >plan.txt
  [ "$(grep -c unirg-update plan.txt)" -eq 5 ]
  grep -q "scripts/best-round $PWD/run/seed-1/rl/best composite validate 3 002 004 005 -- " plan.txt
  grep -q "unirg-generate .*-m $PWD/run/seed-1/rl/best -o $PWD/run/seed-1/reports/sft_rl.jsonl" plan.txt
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
  settings unirg-sft prompt sft -- --studies s -m m -o o >sft.txt
  grep -qx 'epochs: 3' sft.txt
  grep -qx 'batch-size: 256' sft.txt
  grep -qx 'learning-rate: 5e-05' sft.txt
  settings unirg-sft prompt more -- --studies s -m m -o o >/dev/null
  settings unirg-rollout prompt rollout -- --studies s -m m -o o >rollout.txt
  grep -qx 'samples: 16' rollout.txt
  grep -qx 'prompts: 256' rollout.txt
  grep -qx 'max-pixels: 262144' rollout.txt
  settings unirg-update prompt update -- --studies s -m m --rewards r -o o x >update.txt
  grep -qx 'kl: 0.0' update.txt
  grep -qx 'learning-rate: 5e-06' update.txt
  settings unirg-update prompt update2 -- --studies s -m m --rewards r -o o x >update2.txt
  grep -qx 'kl: 0.03' update2.txt
  settings unirg-reward reward -- --references s | grep -qx 'composition: unirg-step1'
  settings unirg-reward reward2 -- --references s | grep -qx 'composition: unirg-step2'
  settings unirg-generate prompt generate -- --studies s -m m -o o | grep -qx 'temperature: 0.0'
  settings unirg-eval eval -- --references s --name n >/dev/null
  settings unirg-eval compare -- compare x >/dev/null
}

@test "a variant of the ablation is the demo's RL stage with a reward of its own" {
  for folder in studies base seen sft; do
    mkdir -p "demo/seed-1/$folder" && touch "demo/seed-1/$folder/DONE"
  done
  mkdir -p demo/seed-1/scores && touch demo/seed-1/scores/{base,sft}.jsonl
  make --no-print-directory -n -C "$UNIRG_SOURCE" -f pipelines/ablation.mk RUN="$PWD/run" FROM="$PWD/demo" BIN="$UNIRG_BIN" \
    NAMES=seed-1 ITERATIONS=3 >plan.txt
  for variant in composite bleu2 label_f1 entity_f1 errors rl_only; do
    [ "$(grep unirg-reward plan.txt | grep -c "ablation/$variant.yaml .*run/$variant/")" = 3 ]
    start=sft/best
    [ "$variant" != rl_only ] || start=seen/best
    [ "$(grep -A2 unirg-update plan.txt | grep -c -- "-m $PWD/run/$variant/seed-1/$start")" = 1 ]
    grep -q -- "--name $variant " plan.txt
    "$UNIRG_BIN/unirg-reward" -c "$UNIRG_SOURCE/pipelines/conf/ablation/$variant.yaml" --references x --dump-config >/dev/null
  done
  run ! grep -q 'unirg-sft\|unirg-ingest\|unirg-model' plan.txt
}
