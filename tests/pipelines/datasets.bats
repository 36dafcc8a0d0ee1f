#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A miniature of every public dataset goes from its owners' folders through unirg-ingest into unirg-sft.
bats_require_minimum_version 1.5.0
load ../cli/helpers

datasets=(mimic-cxr chexpert-plus rexgradient iu-xray padchest rexrank dmid ffa-ir hist)

# Records of each dataset in 'st/NAME', and a tiny model 'base' that knows the words of them all.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$UNIRG_SOURCE/build/release/bin}:$PATH"
  unirg-phantom --quiet --train 10 --validate 1 --test 1 --heldout 1 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  mkdir st
  local dataset
  for dataset in "${datasets[@]}"; do
    "$UNIRG_SOURCE/tests/datasets/make-miniature" "$dataset" ph "$dataset"
    local options=(--source "$dataset" -o "st/$dataset")
    [ "$dataset" != mimic-cxr ] || options+=(--reports mimic-cxr-reports)
    case $dataset in padchest | dmid) options+=(--splits train=1) ;; esac # their owners give none
    [ "$dataset" != hist ] || options+=(--slide-tile-size 64 --slide-tiles 4)
    case $dataset in chexpert-plus | padchest | dmid) options+=(--hold-out validate=1) ;; esac
    unirg-ingest --quiet "${options[@]}" "$dataset"
  done
  tiny_options >tiny.yaml
  unirg-model init --quiet -c tiny.yaml --studies st/mimic-cxr/studies.jsonl -m base
}

setup() { unirg_setup; }

tiny_options() {
  cat <<'END'
vocab-size: 300
hidden-size: 16
intermediate-size: 32
layers: 2
attention-heads: 2
key-value-heads: 1
head-dim: 8
mrope-section: 2,1,1
max-positions: 1024
vision-depth: 2
vision-hidden-size: 16
vision-intermediate-size: 32
vision-heads: 2
position-embeddings: 16
deepstack: "0"
min-pixels: 1024
max-pixels: 4096
END
}

# Two steps on the studies of dataset $1, their splits as they are or changed by jq program $2.
train() {
  cp -r "$BATS_FILE_TMPDIR/st/$1" st
  jq -c "${2:-.}" "$BATS_FILE_TMPDIR/st/$1/studies.jsonl" >st/studies.jsonl
  [ "$(jq -r .split st/studies.jsonl | grep -c '^train$')" -ge 2 ]
  unirg-sft --quiet --threads 1 --studies st/studies.jsonl -m "$BATS_FILE_TMPDIR/base" -o sft --prompt short --batch-size 2 --max-steps 2 \
    --warmup-steps 0 --learning-rate 1e-2
  jq -es 'map(select(.loss)) | length == 2 and all(.loss > 0 and .tokens > 0)' sft/metrics.jsonl
  [ -e sft/best/DONE ]
}

@test "mimic-cxr, from ingest to SFT" { train mimic-cxr; }
@test "chexpert-plus, from ingest to SFT" { train chexpert-plus; }
@test "rexgradient, from ingest to SFT" { train rexgradient; }
@test "iu-xray, from ingest to SFT" { train iu-xray; }
@test "padchest, from ingest to SFT" { train padchest; }
@test "rexrank, from ingest to SFT, as if its studies were no test set" {
  train rexrank '.split = if .study_id == "50000001" then "validate" else "train" end'
}
@test "dmid, from ingest to SFT" { train dmid; }
@test "ffa-ir, from ingest to SFT" { train ffa-ir; }
@test "hist, from ingest to SFT" { train hist; }
