# SPDX-License-Identifier: Apache-2.0
# What the Bats files of unirg-sft share beyond helpers.bash: a tiny base, and runs of it.
# shellcheck disable=SC2034,SC2154  # the files that load this use and set them

setup_file() {
  cd "$BATS_FILE_TMPDIR"
  unirg_tiny 12
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  st=$BATS_FILE_TMPDIR/st
  base=$BATS_FILE_TMPDIR/base
  # Three steps an epoch.
  options=(--threads 1 --studies "$st/studies.jsonl" -m "$base" --prompt short --batch-size 4 --warmup-steps 0
    --learning-rate 1e-2 --lexicon "$UNIRG_SOURCE/share/lexicon/chest.yaml")
}

loud_sft() { unirg-sft "${options[@]}" "$@"; }
sft() { loud_sft --quiet "$@"; }

# Field $2 (a jq expression) of the lines of run $1 that have it, in one line.
metric() { jq -c "select($2 != null) | $2" "$1/metrics.jsonl" | paste -sd ' '; }

# Fails unless runs $1 and $2 are the same, but for what tells of time and place.
assert_same_run() {
  unirg_digests "$1" >expected.txt
  unirg_digests "$2" | diff expected.txt -
}
