#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/best-round, with rounds that are made by a stand-in for make: which is chosen, when it ends, what it leaves.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup() {
  unirg_setup
  # Round k's composite is the k-th word of 'values'; what was made is in 'made'.
  cat >fake-make <<'END'
#!/usr/bin/env bash
set -eu
round=$(basename "$(dirname "$(dirname "$1")")")
mkdir -p "rl/$round/policy/training_state" "$(dirname "$1")"
echo "weights $round" >"rl/$round/policy/model.safetensors"
touch "rl/$round/policy/DONE" "rl/$round/policy/config.json"
value=$(cut -d ' ' -f "$((10#$round))" values)
jq -n --argjson v "$value" '{systems: {x: {validate: {composite: {mean: $v}}}}}' >"$1"
echo "$round" >>made
END
  chmod +x fake-make
}

best_round() { "$UNIRG_SOURCE/scripts/best-round" rl/best composite validate "$1" 001 002 003 004 -- ./fake-make; }

@test "the best round's policy is linked, and every value kept" {
  echo 0.2 0.5 0.3 0.4 >values
  best_round 0
  [ "$(paste -sd ' ' made)" = "001 002 003 004" ]
  [ "$(cat rl/best/model.safetensors)" = "weights 002" ]
  [ "$(readlink -f rl/best/model.safetensors)" = "$(readlink -f rl/002/policy/model.safetensors)" ]
  [ -e rl/best/DONE ] && [ ! -L rl/best/DONE ]
  [ "$(jq -c . rl/validation.jsonl | paste -sd ' ')" = '{"round":"001","composite":0.2} {"round":"002","composite":0.5,"best":true} {"round":"003","composite":0.3} {"round":"004","composite":0.4}' ]
}

@test "of equals the first is the best" {
  echo 0.2 0.5 0.5 0.5 >values
  best_round 0
  [ "$(cat rl/best/model.safetensors)" = "weights 002" ]
}

@test "it ends when none has been better for so many validations" {
  echo 0.2 0.5 0.3 0.9 >values
  run -0 best_round 1
  [[ $output == *"stops after round 003: no better composite since round 002"* ]]
  [ "$(paste -sd ' ' made)" = "001 002 003" ]
  [ "$(cat rl/best/model.safetensors)" = "weights 002" ]
  rm -r rl made
  best_round 2
  [ "$(cat rl/best/model.safetensors)" = "weights 004" ]
}

@test "weights of the others are removed but for the last, or kept" {
  echo 0.2 0.5 0.3 0.4 >values
  KEEP=1 best_round 0
  [ "$(find rl -path '*policy/model.safetensors' | wc -l)" -eq 4 ]
  best_round 0
  [ "$(find rl -path '*policy/model.safetensors' | sort | paste -sd ' ')" = "rl/002/policy/model.safetensors rl/004/policy/model.safetensors" ]
}

@test "a metric or a split that is not there is 78, and nothing is chosen" {
  echo 0.2 0.5 0.3 0.4 >values
  run -78 "$UNIRG_SOURCE/scripts/best-round" rl/best nope validate 0 001 -- ./fake-make
  [[ $output == *"has no nope of split 'validate'"* ]]
  [ ! -e rl/best ]
}
