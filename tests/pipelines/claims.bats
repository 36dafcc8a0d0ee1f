#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Verdicts on the paper's claims from summaries written by hand, and the settings that pipelines/claims.mk lays over others.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup() {
  unirg_setup
  claims=$UNIRG_SOURCE/scripts/claims
  mkdir run
  echo '{"one": ["good"], "all": ["good", "even"], "mixed": ["good", "bad"], "even": ["even"], "bad": ["bad"], "notes": {"why": "so it is"}}' >metrics.json
  cat >run/summary.json <<'JSON'
{"paired": {"rl-sft": {"test": {"good": {"diff": 0.05, "lo": 0.01, "hi": 0.09}, "bad": {"diff": -0.05, "lo": -0.09, "hi": -0.01},
                               "even": {"diff": 0.01, "lo": -0.02, "hi": 0.04}}}},
 "groups": {"encounter": {"test": {"1": {"n": 30, "systems": {"rl": {"good": {"mean": 0.5, "lo": 0.45, "hi": 0.55}}}},
                                   "2": {"n": 12, "systems": {"rl": {"good": {"mean": 0.7, "lo": 0.6, "hi": 0.8}}}}}}}}
JSON
}

# The line of one claim with these fields.
verdict() {
  jq -n "[{figure: \"F\", claim: \"C\", paper: \"P\", file: \"summary.json\", split: \"test\"} + $1]" >claims.json
  "$claims" markdown run claims.json metrics.json | tail -n 1
}

@test "a difference holds, does not, or is open by the intervals of all its metrics" {
  pair='{pairs: ["rl-sft"], expect: "above"}'
  [ "$(verdict "$pair + {metrics: \"one\"}")" = '| F | C | P | good +0.050 [+0.010, +0.090] | holds |' ]
  [[ $(verdict "$pair + {metrics: \"all\"}") == *'| open: intervals overlap or hold 0 |' ]]
  [[ $(verdict "$pair + {metrics: \"mixed\"}") == *'bad -0.050 [-0.090, -0.010] | **does not hold** |' ]]
  [[ $(verdict '{pairs: ["rl-sft"], expect: "below", metrics: "bad"}') == *'| holds |' ]]
  [[ $(verdict '{pairs: ["rl-sft"], expect: "not below", metrics: "even"}') == *'| holds |' ]]
  [[ $(verdict '{pairs: ["rl-sft"], expect: "not below", metrics: "bad"}') == *'| **does not hold** |' ]]
  [[ $(verdict "$pair + {metrics: \"one\", note: \"why\"}") == *'| holds: so it is |' ]]
  jq '.[].metrics = "none"' claims.json >other.json
  "$claims" json run claims.json metrics.json >verdicts.json
  jq -e '.[0] | .ours == 0.05 and .lo == 0.01 and .hi == 0.09 and .verdict == "holds" and .why == "so it is"' verdicts.json
  run -65 "$claims" markdown run other.json metrics.json
  assert_contains "$output" 'no metrics for none'
}

@test "groups are told apart by intervals that do not overlap" {
  group='{groups: "encounter", system: "rl", metrics: "one"}'
  [ "$(verdict "$group + {lower: \"1\", higher: \"2\"}")" = \
    '| F | C | P | good, 1, rl (30) 0.500 [0.450, 0.550]; good, 2, rl (12) 0.700 [0.600, 0.800] | holds |' ]
  [[ $(verdict "$group + {lower: \"2\", higher: \"1\"}") == *'| **does not hold** |' ]]
}

@test "what cannot be tested says why, and what is missing is an error" {
  jq -n '[{figure: "F", claim: "C", paper: "P", untestable: "needs weights"}]' >claims.json
  [ "$("$claims" markdown run claims.json metrics.json | tail -n 1)" = '| F | C | P |  | not testable here: needs weights |' ]
  jq -n '[{figure: "F", claim: "C", paper: "P", file: "none.json", split: "test", pairs: ["a-b"], metrics: "one", expect: "above"}]' >claims.json
  run -66 "$claims" markdown run claims.json metrics.json
  assert_contains "$output" 'none.json'
  jq -n '[{figure: "F", claim: "C", paper: "P", file: "summary.json", split: "test", pairs: ["a-b"], metrics: "one", expect: "above"}]' >claims.json
  run -65 "$claims" markdown run claims.json metrics.json
  assert_contains "$output" 'no a-b test good in summary.json'
}

@test "settings that are laid over others win whatever their times, and those that stay keep theirs" {
  mkdir from over
  echo 'a: 1' >from/a.yaml
  echo 'b: 1' >from/b.yaml
  echo 'b: 2' >over/b.yaml
  touch -d '2020-01-01' over/b.yaml
  "$UNIRG_SOURCE/scripts/overlay" conf from over
  [ "$(cat conf/a.yaml conf/b.yaml)" = $'a: 1\nb: 2' ]
  touch -d '2021-01-01' conf/a.yaml conf/b.yaml
  echo 'a: 3' >from/a.yaml
  "$UNIRG_SOURCE/scripts/overlay" conf from over
  [ "$(cat conf/a.yaml)" = 'a: 3' ]
  [ "$(stat -c %Y conf/b.yaml)" = "$(date -d 2021-01-01 +%s)" ]
}

@test "the plan of all claims has every system, the baselines and the other rewards" {
  cd "$UNIRG_SOURCE"
  run -0 make -n -f pipelines/claims.mk RUN="$BATS_TEST_TMPDIR/plan" NAMES=seed-1 ITERATIONS=1 BIN="$UNIRG_BIN"
  for part in reports/sft_rl_alone.jsonl 'baseline copy-prior' 'baseline nearest' findings/sft_rl.jsonl 'only prior=follow-up' pipelines/ablation.mk scripts/claims; do
    assert_contains "$output" "$part"
  done
  [ ! -e "$BATS_TEST_TMPDIR/plan" ]
}

@test "the plan at the paper's scale has its two steps, its rewards, and every metric that a claim is about" {
  mkdir base from
  touch base/config.json from/studies.jsonl
  folder=$PWD
  cd "$UNIRG_SOURCE"
  run -0 make -n -f pipelines/claims-paper.mk RUN="$folder/plan" BASE="$folder/base" STUDIES_FROM="$folder/from" TRAIN=512 BIN="$UNIRG_BIN"
  for part in conf/reward2.yaml 'STEP2_FROM=' REWARDS=pipelines/conf/ablation-paper RL_ONLY_FROM=base conf/claims-paper/metrics.json; do
    assert_contains "$output" "$part"
  done
  run make -nk -f pipelines/ablation.mk RUN="$folder/plan/ablation" FROM="$folder/plan" REWARDS=pipelines/conf/ablation-paper NAMES=unirg
  for variant in composite bleu2 sembscore radgraph errors rl_only; do assert_contains "$output" "VARIANT=$variant "; done
  for scale in claims claims-paper; do
    jq -e --slurpfile metrics "pipelines/conf/$scale/metrics.json" 'all(.[].metrics // "one"; $metrics[0][.])' pipelines/claims.json
  done
  run -2 make -n -f pipelines/claims-paper.mk RUN="$folder/plan"
  assert_contains "$output" 'needs BASE=CHECKPOINT'
}
