#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-phantom: what it writes, that it writes the same again, and how it fails.
bats_require_minimum_version 1.5.0

setup() {
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/main/bin}:$PATH"
  cd "$BATS_TEST_TMPDIR" || exit
}

small() { unirg-phantom --quiet --train 20 --validate 4 --test 6 --heldout 6 --side 64 "$@"; }

# Every file with its digest, without the one that may differ.
digests() { (cd "$1" && find . -type f ! -name run.json -print0 | sort -z | xargs -0 sha256sum); }

@test "the folder holds one DICOM file a study, reports, truth, provenance and DONE" {
  small --output out
  [ -e out/DONE ]
  [ "$(find out/dicom -name '*.dcm' | wc -l)" -eq 36 ]
  [ "$(wc -l <out/truth.jsonl)" -eq 36 ]
  [ "$(grep -c '^IMPRESSION: ' out/reports.csv)" -eq 36 ]
  [ "$(grep -c 'dicom/D/D-[0-9]*/D-[0-9]*-[12].dcm' out/reports.csv)" -eq 6 ]
  grep -q '"seed": 0' out/run.json
}

@test "dcmtk reads every file" {
  small --output out
  find out/dicom -name '*.dcm' -print0 | while IFS= read -r -d '' file; do
    dcmftest "$file" >/dev/null
    run -0 --separate-stderr dcmdump --quiet "$file"
    [ -z "$stderr" ]
    # Each of the two knows the codecs that the other does not.
    dcmj2pnm --quiet --write-png "$file" picture.png || dcml2pnm --quiet --write-png "$file" picture.png
  done
}

@test "the same seed gives the same bytes, at any number of threads" {
  small --seed 5 --threads 1 --output one
  small --seed 5 --threads 1 --output again
  small --seed 5 --threads 2 --output two
  digests one >one.txt
  digests again | cmp one.txt -
  digests two | cmp one.txt -
}

@test "another seed gives other pictures and reports" {
  small --seed 5 --output one
  small --seed 6 --output two
  run -1 cmp one/reports.csv two/reports.csv
  run -1 cmp one/dicom/A/A-000001/A-000001-1.dcm two/dicom/A/A-000001/A-000001-1.dcm
}

@test "a study does not depend on the size of its set" {
  small --output small
  small --train 60 --output large
  cmp small/dicom/A/A-000001/A-000001-1.dcm large/dicom/A/A-000001/A-000001-1.dcm
  cmp small/dicom/D/D-000001/D-000001-1.dcm large/dicom/D/D-000001/D-000001-1.dcm
}

@test "a complete folder is replaced" {
  small --seed 1 --output out
  touch out/stray
  small --seed 2 --output out
  [ ! -e out/stray ]
  [ -e out/DONE ]
}

@test "an output that cannot be created is exit 73" {
  touch file
  run -73 --separate-stderr small --output file/out
  [[ "$stderr" == "unirg-phantom: error: cannot create 'file"* ]]
}

@test "the configuration file gives any option and an unknown name in it is exit 78" {
  printf 'train: 3\nvalidate: 0\ntest: 0\nheldout: 0\nside: 32\nbits:\n  16: 1\n' >phantom.yaml
  unirg-phantom --quiet --config phantom.yaml --output out
  [ "$(find out -name '*.dcm' | wc -l)" -eq 3 ]
  dcmdump +P BitsStored "$(find out -name '*.dcm' | sort | head -n 1)" | grep -q 'US 16'
  run -78 --separate-stderr small --transfer-syntaxes mpeg=1 --output out
  [[ "$stderr" == *"unknown name 'mpeg' in 'transfer-syntaxes'"* ]]
}

@test "help goes to standard output and names every group" {
  run -0 --separate-stderr unirg-phantom --help
  [[ "$output" == "usage: unirg-phantom "* ]]
  [[ "$output" == *"Ambiguity:"* ]]
  [ -z "$stderr" ]
}

@test "no output folder is a usage error" {
  run -64 --separate-stderr unirg-phantom --train 1
  [[ "$stderr" == *"--help"* ]]
}

@test "a stopped run is exit 75 and leaves nothing behind" {
  mkdir work
  # timeout signals the process and then its group: two that come together are one.
  run -75 timeout --preserve-status --signal TERM 0.5 \
    unirg-phantom --quiet --train 20000 --output work/out
  [ -z "$(ls -A work)" ]
}
