#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest: memory does not grow with the number of studies.
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# What all tests share and none changes: 200 studies as 'few'; 8,000 as 'many', in 40 folders of the same pictures (as links)
# under other ids and paths.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 200 --validate 0 --test 0 --heldout 0 --side 16 --bits 12=1 --transfer-syntaxes explicit-le=1 --output few
  mkdir many
  head -n 1 few/reports.csv >many/reports.csv
  local k
  for ((k = 0; k < 40; ++k)); do
    cp -rl few/dicom "many/$k"
    tail -n +2 few/reports.csv | sed -E "s#^([A-Z]-[0-9]{6}-[0-9],)([A-Z]-[0-9]{6},)#$k\\1$k\\2#; s#,dicom/#,$k/#"
  done >>many/reports.csv
}

setup() {
  unirg_setup
  mkdir here && cd here
  few=$BATS_FILE_TMPDIR/few
  many=$BATS_FILE_TMPDIR/many
}

# peak ARGUMENT...: most memory that a run of unirg-ingest takes, in KiB.
peak() {
  /usr/bin/time -q -o time -f %M unirg-ingest --quiet --threads 2 "$@"
  cat time
}

# Fails unless the peak $2 of 7,800 more studies lies less than 8 MiB above $1: 1 KiB a study. With all studies in memory it
# was 6 KiB.
assert_flat() {
  printf 'peaks: %s KiB, %s KiB\n' "$1" "$2"
  [ $(($2 - $1)) -lt 8192 ]
}

@test "40 times the studies take no more memory" {
  small=$(peak --reports "$few/reports.csv" -o small "$few")
  large=$(peak --reports "$many/reports.csv" -o large "$many")
  [ "$(wc -l <large/studies.jsonl)" -eq 8000 ]
  assert_flat "$small" "$large"
}

@test "40 times the studies of a table alone take no more memory, with pseudonyms, splits and a hold-out" {
  printf '0123456789abcdef0123456789abcdef' >salt
  small=$(peak --source table --reports "$few/reports.csv" --salt-file salt --hold-out validate=20 -o small)
  large=$(peak --source table --reports "$many/reports.csv" --salt-file salt --hold-out validate=800 -o large)
  [ "$(jq -r .split large/studies.jsonl | grep -c validate)" -eq 800 ]
  assert_flat "$small" "$large"
}
