#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest in a job array: what a shard holds, and that --parts joins all of them to the bytes of one run, or says why not.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers

# What all tests share and none changes: a phantom folder 'ph'.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 8 --validate 2 --test 2 --heldout 2 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  ph=$BATS_FILE_TMPDIR/ph
}

ingest() { unirg-ingest --quiet "$@"; }

@test "the shards of a job array hold the studies of the whole, linked as there" {
  ingest --reports "$ph/reports.csv" -o whole "$ph"
  for k in 0 1 2; do ingest --reports "$ph/reports.csv" --shard $k/3 -o part-$k "$ph"; done
  essentials() { jq -c '[.study_id, .split, .encounter, .prior, .findings, .images[].sha256]' "$@" | sort; }
  essentials whole/studies.jsonl >whole.txt
  essentials part-*/studies.jsonl | diff whole.txt -
}

# same_folder A B: all files of ingested folders but the run records.
same_folder() { diff <(unirg_digests "$1") <(unirg_digests "$2"); }

# messy: an archive 'in' in which a file is broken, one is stray, one study has no report, one names its own modality.
messy() {
  cp -r "$ph" in
  : >in/dicom/A/A-000001/A-000001-1.dcm
  echo stray >in/stray.dcm
  # a study without a report, whose picture decodes and is rejected all the same
  awk -F , -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "findings" || $i == "impression" || $i == "report") empty[i] } NR == 4 { for (i in empty) $i = "" } 1' "$ph/reports.csv" >in.csv
}

@test "shards joined by --parts are the bytes of one run, whatever is rejected" {
  messy
  ingest --reports in.csv --shard-bytes 8000 --seed 3 -o whole in
  [ "$(jq -r .reason whole/rejected.jsonl | sort -u | wc -l)" -ge 2 ]
  for n in 1 2 3 20; do
    parts=()
    for ((k = 0; k < n; k++)); do
      ingest --reports in.csv --shard-bytes 8000 --seed 3 --shard $k/$n -o part-$k in
      parts=(--parts "part-$k" "${parts[@]}")
    done
    ingest --reports in.csv --shard-bytes 8000 --seed 3 "${parts[@]}" -o joined in
    same_folder whole joined
    rm -r part-*
  done
}

@test "the run that joins parts may hold studies out, over all of them" {
  for k in 0 1; do ingest --reports "$ph/reports.csv" --shard $k/2 -o part-$k "$ph"; done
  ingest --reports "$ph/reports.csv" --hold-out tuning=4 -o whole "$ph"
  ingest --reports "$ph/reports.csv" --hold-out tuning=4 --parts part-0 --parts part-1 -o joined "$ph"
  same_folder whole joined
  [ "$(jq -r 'select(.split == "tuning") | .study_id' joined/studies.jsonl | wc -l)" -eq 4 ]
}

@test "what is joined is not decoded again" {
  cp -r "$ph" in
  for k in 0 1; do ingest --reports "$ph/reports.csv" --shard $k/2 -o part-$k in; done
  ingest --reports "$ph/reports.csv" -o whole in
  find in -name '*.dcm' -exec sh -c 'head -c 4000 "$1" >short && cat short >"$1"' _ {} \;
  ingest --reports "$ph/reports.csv" --parts part-0 --parts part-1 -o joined in
  cmp whole/studies.jsonl joined/studies.jsonl
}

@test "parts that do not belong together are errors that name them" {
  for k in 0 1 2; do ingest --reports "$ph/reports.csv" --shard $k/3 -o part-$k "$ph"; done
  join() { ingest --reports "$ph/reports.csv" -o joined "$@" "$ph"; }
  run -66 --separate-stderr join --parts part-0 --parts part-1 --parts part-9
  assert_contains "$stderr" "part 'part-9' has no DONE"
  run -65 --separate-stderr join --parts part-0 --parts part-1
  assert_contains "$stderr" "part 'part-0' is shard 0/3, and there are 2 parts"
  cp -r part-1 copy
  run -65 --separate-stderr join --parts part-0 --parts part-1 --parts copy
  assert_contains "$stderr" "parts 'part-1' and 'copy' are both shard 1/3"
  ingest --reports "$ph/reports.csv" --longest-side 32 --shard 2/3 -o other "$ph"
  run -65 --separate-stderr join --parts part-0 --parts part-1 --parts other
  assert_contains "$stderr" "part 'other' is of another configuration than this run"
  sed '$d' "$ph/reports.csv" >fewer.csv
  run -65 --separate-stderr ingest --reports fewer.csv -o joined --parts part-0 --parts part-1 --parts part-2 "$ph"
  assert_contains "$stderr" "part 'part-0' is of another"
  echo '{}' >part-2/run.json
  run -65 --separate-stderr join --parts part-0 --parts part-1 --parts part-2
  assert_contains "$stderr" "'part-2/run.json' is no run record"
  run -64 --separate-stderr join --shard 0/2 --parts part-0
  [ ! -e joined ]
}

@test "a part whose pictures were changed is 65" {
  for k in 0 1; do ingest --reports "$ph/reports.csv" --shard $k/2 -o part-$k "$ph"; done
  printf '\377' | dd of=part-0/images-00000.tar bs=1 seek=700 conv=notrunc status=none
  run -65 --separate-stderr ingest --reports "$ph/reports.csv" --parts part-0 --parts part-1 -o joined "$ph"
  assert_contains "$stderr" "are not those its record tells of"
  [ ! -e joined ]
}

@test "the counts of a job array's shards add up" {
  cp -r "$ph" in
  : >in/dicom/A/A-000001/A-000001-1.dcm
  echo stray >in/stray.dcm
  for k in 0 1 2; do
    ingest --reports in/reports.csv --shard $k/3 -o part-$k in
    jq -e '.used + .rejected + .ignored == .files' part-$k/summary.json
  done
  [ "$(cat part-*/rejected.jsonl | sort -u | wc -l)" -eq "$(cat part-*/rejected.jsonl | wc -l)" ]
}
