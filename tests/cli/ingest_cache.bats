#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest --cache: a rerun decodes new files only, and the bytes are those without one; and progress with the time left.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# What all tests share and none changes: a phantom folder 'ph', ingested without a cache as 'plain'.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 8 --validate 2 --test 2 --heldout 2 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  unirg-ingest --quiet --reports ph/reports.csv -o plain ph
}

setup() {
  unirg_setup
  mkdir here && cd here
  ph=$BATS_FILE_TMPDIR/ph
  unirg_digests "$BATS_FILE_TMPDIR/plain" >plain.txt
}

# found_made FOLDER: what its run took from the cache, and put there.
found_made() { jq -r '.notes.cache | "\(.found) \(.made)"' "$1/run.json"; }

@test "the bytes are the same without a cache, with an empty one and with a full one" {
  for round in 1 2; do
    run -0 --separate-stderr unirg-ingest --reports "$ph/reports.csv" --cache cache -o out "$ph"
    unirg_digests out | cmp plain.txt -
    [ "$(found_made out)" = "$([ $round = 1 ] && echo 0 14 || echo 14 0)" ]
    assert_contains "$stderr" "$([ $round = 1 ] && echo '0 pictures from the cache, 14 decoded into it' || echo '14 pictures from the cache, 0 decoded into it')"
  done
  [ "$(find cache -type f | wc -l)" -eq 14 ]
  jq -e '.notes | has("cache") | not' "$BATS_FILE_TMPDIR/plain/run.json"
}

@test "a rerun with new files decodes those alone, whatever the names of the others" {
  cp -r "$ph" in
  mv in/dicom/C in/later
  ingest --source dicom --allow-missing-report --cache cache -o out in
  mv in/later in/dicom/Z
  mv in/dicom/A in/dicom/other
  cp "$ph/dicom/A/A-000001/A-000001-1.dcm" in/again.dcm
  dcmodify --quiet --no-backup --modify PatientID=P9 in/again.dcm
  ingest --source dicom --allow-missing-report --cache cache -o out in
  [ "$(found_made out)" = "14 1" ]
}

@test "another size is another entry, and the table's words are none" {
  ingest --reports "$ph/reports.csv" --cache cache -o out "$ph"
  ingest --reports "$ph/reports.csv" --cache cache --longest-side 32 -o small "$ph"
  [ "$(found_made small)" = "0 14" ]
  ingest --reports "$ph/reports.csv" --longest-side 32 -o without "$ph"
  diff <(unirg_digests small) <(unirg_digests without)
  sed 's/FINDINGS:/FINDINGS: Indeed./' "$ph/reports.csv" >other.csv
  ingest --reports other.csv --cache cache --dataset other --seed 4 -o other "$ph"
  [ "$(found_made other)" = "14 0" ]
}

@test "a damaged entry is noticed, made again, and does no harm" {
  ingest --reports "$ph/reports.csv" --cache cache -o out "$ph"
  mapfile -t entries < <(find cache -type f | sort)
  : >"${entries[0]}"
  printf '\377' | dd of="${entries[1]}" bs=1 seek=400 conv=notrunc status=none
  truncate -s -1 "${entries[2]}"
  find cache -type f -exec sha256sum {} + | sort -k 2 >damaged.txt
  run -0 --separate-stderr unirg-ingest --reports "$ph/reports.csv" --cache cache -o out "$ph"
  for k in 0 1 2; do assert_contains "$stderr" "warning: cache entry '${entries[k]}' is damaged; it is computed anew"; done
  unirg_digests out | cmp plain.txt -
  [ "$(found_made out)" = "11 3" ]
  ingest --reports "$ph/reports.csv" --cache cache -o out "$ph"
  [ "$(found_made out)" = "14 0" ]
}

@test "two runs at once share a cache" {
  ingest --reports "$ph/reports.csv" --cache cache --threads 2 -o one "$ph" &
  one=$!
  ingest --reports "$ph/reports.csv" --cache cache --threads 2 -o two "$ph"
  wait "$one"
  for folder in one two; do
    unirg_digests $folder | cmp plain.txt -
    [ "$(jq '.notes.cache | .found + .made' $folder/run.json)" -eq 14 ]
  done
  assert_no_leftovers cache
}

@test "shards fill it for the whole, and names in it are nobody's" {
  for k in 0 1; do ingest --reports "$ph/reports.csv" --cache cache --shard $k/2 -o part-$k "$ph"; done
  ingest --reports "$ph/reports.csv" --cache cache -o whole "$ph"
  [ "$(found_made whole)" = "14 0" ]
  ingest --reports "$ph/reports.csv" --parts part-0 --parts part-1 -o joined "$ph" # --cache may differ
  unirg_digests joined | cmp plain.txt -
  run -1 grep -raE '[A-Z]-[0-9]{6}|\.dcm' cache
  ingest check --forbid "$ph/dicom" cache
}

@test "pictures that are PNG and JPEG are kept, and what cannot be decoded is refused each time" {
  mkdir in
  dcmj2pnm --quiet --write-png "$ph/dicom/A/A-000001/A-000001-1.dcm" in/one.png
  dcmj2pnm --quiet --write-jpeg "$ph/dicom/B/B-000002/B-000002-2.dcm" in/two.jpg
  head -c 100 in/one.png >in/cut.png
  ingest --source images --allow-missing-report -o plain in
  for round in 1 2; do
    ingest --source images --allow-missing-report --cache cache -o out in
    diff <(unirg_digests plain) <(unirg_digests out)
  done
  [ "$(found_made out)" = "2 0" ]
}

@test "a cache within the input or the output is 64, one that cannot be made 73" {
  cp -r "$ph" in
  run -64 --separate-stderr ingest --reports in/reports.csv --cache in/cache -o out in
  assert_contains "$stderr" "--cache 'in/cache' and 'in' lie within each other"
  run -64 --separate-stderr ingest --reports in/reports.csv --cache out/cache -o out in
  : >file
  run -73 --separate-stderr ingest --reports in/reports.csv --cache file/cache -o out in
  [ ! -e out ] && [ ! -e in/cache ]
}

@test "a full disk of the cache is 74 and leaves no output" {
  run -74 --separate-stderr with_full_disk 2 unirg-ingest --quiet --reports "$ph/reports.csv" --cache cache -o out "$ph"
  [ ! -e out ]
  assert_no_leftovers .
}

# ---------------------------------------------------------------- progress

@test "progress tells headers and studies, their number, the rate and the time left" {
  run -0 --separate-stderr unirg-ingest --source dicom --allow-missing-report --log-every 0 --threads 1 -o out "$ph"
  assert_contains "$stderr" "header 1/14, "
  assert_contains "$stderr" "study 1/14, "
  [[ $stderr =~ study\ 7/14,\ [0-9.]+/s,\ [0-9]+\ s\ left ]]
  run -0 --separate-stderr unirg-ingest verify --log-every 0 out
  assert_contains "$stderr" "file 1/4, "
}

@test "a run that is stopped while it reads headers is 75 and leaves nothing" {
  mkdir many
  for ((k = 0; k < 40; k++)); do cp -rl "$ph/dicom" many/$k; done
  (exec unirg-ingest --source dicom --allow-missing-report --threads 1 --log-every 0 -o out many) 2>log &
  pid=$!
  wait_until grep -q 'header [1-9]' log
  kill -TERM $pid
  assert_status $pid 75
  run -1 grep -q 'study [1-9]' log
  [ ! -e out ]
  assert_no_leftovers .
}
