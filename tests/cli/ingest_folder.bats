#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest verify and stats: what can be asked of a folder that unirg-ingest has written.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# What all tests share and none changes: a phantom folder 'ph', ingested as 'st' with several shards.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 8 --validate 2 --test 2 --heldout 2 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  unirg-ingest --quiet --reports ph/reports.csv --shard-bytes 20000 -o st ph
}

setup() {
  unirg_setup
  mkdir here && cd here
  ph=$BATS_FILE_TMPDIR/ph
  cp -r "$BATS_FILE_TMPDIR/st" st
}

# change FILE OFFSET: another byte there.
change() { printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# ---------------------------------------------------------------- verify

@test "verify: a folder as it was written, moved or not, is as recorded" {
  shards=$(find st -name '*.tar' | wc -l)
  [ "$shards" -ge 3 ]
  run -0 --separate-stderr unirg-ingest verify st
  [ "$output" = "st: $((shards + 3)) files and 14 pictures are as recorded" ]
  mv st elsewhere
  before=$(unirg_digests .)
  for threads in 1 3; do
    run -0 --separate-stderr unirg-ingest --quiet verify --threads $threads elsewhere/
    [ -z "$stderr" ]
  done
  [ "$(unirg_digests .)" = "$before" ]
}

@test "verify: every file that the run wrote has its digest in the run record" {
  [ "$(jq -r '.outputs | keys[]' st/run.json | sort)" = \
    "$(cd st && find . -type f ! -name run.json ! -name DONE -printf 'st/%f\n' | sort)" ]
  while read -r file digest; do
    [ "$(sha256sum <"$file" | cut -d ' ' -f 1)" = "$digest" ]
  done < <(jq -r '.outputs | to_entries[] | "\(.key) \(.value)"' st/run.json)
}

@test "verify: what differs or is missing is named, each on a line, and that is 65" {
  offset=$(jq -r 'select(.images[0].shard == "images-00001.tar") | .images[0].offset' st/studies.jsonl | head -n 1)
  change st/images-00001.tar $((offset + 20))
  echo >>st/rejected.jsonl
  rm st/images-00000.tar st/summary.json
  run -65 --separate-stderr unirg-ingest verify st
  line=$(grep -n "\"offset\":$offset," st/studies.jsonl | grep 'images-00001.tar' | cut -d : -f 1)
  id=$(sed -n "${line}p" st/studies.jsonl | jq -r '.images[0].id')
  [ "$output" = "images-00000.tar: missing
images-00001.tar: its bytes are not those the run record tells of
images-00001.tar: image '$id' of studies.jsonl:$line: its bytes are not those it tells of
rejected.jsonl: its bytes are not those the run record tells of
summary.json: missing" ]
  assert_contains "$stderr" "error: 'st' is not what its run wrote: 5 problems (hint: "
}

@test "verify: a record that was changed is found by its file's digest and by its picture" {
  sed -i '2s/"sha256":"./"sha256":"x/' st/studies.jsonl
  run -65 --separate-stderr unirg-ingest verify st
  assert_contains "$output" "of studies.jsonl:2: its bytes are not those it tells of"
  assert_contains "$output" "studies.jsonl: its bytes are not those the run record tells of"
  truncate -s -10 st/studies.jsonl
  run -65 --separate-stderr unirg-ingest verify st
  assert_contains "$output" "studies.jsonl: line 14: "
}

@test "verify: a folder without its mark or its run record, and what is none" {
  rm st/DONE
  run -65 --separate-stderr unirg-ingest verify st
  [ "$output" = "DONE: missing: the folder is not complete" ]
  rm st/run.json
  run -65 --separate-stderr unirg-ingest verify st
  assert_contains "$output" "run.json: missing"
  run -66 --separate-stderr unirg-ingest verify absent
  assert_contains "$stderr" "no folder 'absent'"
  run -64 --separate-stderr unirg-ingest verify
  assert_contains "$stderr" "verify takes one folder"
  run -64 --separate-stderr unirg-ingest verify st st
}

@test "verify: of a folder of an older version pictures alone are checked, and it says so" {
  jq '.outputs |= with_entries(select(.key == "st/studies.jsonl"))' st/run.json >run.json
  mv run.json st/run.json
  change st/images-00001.tar 1 # in a header of the tar file
  run -0 --separate-stderr unirg-ingest verify st
  assert_contains "$stderr" "shards have no digest in the run record"
  change st/images-00001.tar 600
  run -65 --separate-stderr unirg-ingest verify st
}

@test "verify: shards, and what joins them, are as recorded" {
  for k in 0 1; do ingest --reports "$ph/reports.csv" --shard $k/2 -o part-$k "$ph"; done
  ingest --reports "$ph/reports.csv" --parts part-0 --parts part-1 -o joined "$ph"
  for folder in part-0 part-1 joined; do ingest verify $folder; done
}

@test "a second folder, and a run without --output, are 64" {
  run -64 --separate-stderr unirg-ingest --reports "$ph/reports.csv" "$ph"
  assert_contains "$stderr" "missing option '--output'"
  run -64 --separate-stderr unirg-ingest --reports "$ph/reports.csv" -o out "$ph" st
  assert_contains "$stderr" "too many arguments"
  [ ! -e out ]
}

# ---------------------------------------------------------------- stats

# The five reports of the man page, at one site, and one of another.
five_reports() {
  cat >t.csv <<'END'
study_id,patient_id,site,split,age,sex,Edema,findings,impression
a,p1,north,train,61,F,1,No effusion. The heart is normal.,
b,p1,north,train,62,F,,The heart is normal.,
c,p2,north,train,70,M,0,No effusion.,Lungs are clear.
d,p3,north,test,,,-1,No effusion. No effusion. Rib 7 fracture.,
e,p4,north,test,45,F,,,LUNGS ARE CLEAR
f,q,south,test,45,,,Normal.,
END
  ingest --source table --reports t.csv -o five
}

@test "stats: the boilerplate measure is that of the man page, worked by hand" {
  five_reports
  unirg-ingest --quiet stats --format json five >card.json
  jq -e '.boilerplate.sites.north | .reports == 5 and .patients == 4 and .sentences == 9 and .words == 25 and .needed_patients == 2
    and .templates == 2 and .template_share == 14 / 25 and .own_share == 14 / 25 and .template_report_share == 0.4
    and .near_duplicate_share == 0
    and .most == [{sentence: "no effusion", patients: 3}, {sentence: "lungs are clear", patients: 2}]' card.json
  jq -e '.boilerplate.sites.south | .words == 1 and .templates == 0 and .template_share == 0' card.json
  unirg-ingest --quiet stats --format json --template-share 0.6 five >card.json
  jq -e '.boilerplate.sites.north | .needed_patients == 3 and .templates == 1 and .template_share == 8 / 25' card.json
}

@test "stats: the counts of a table, by hand" {
  five_reports
  unirg-ingest --quiet stats --format json five >card.json
  jq -e '.schema == "unirg.data-card/1" and .studies == 6 and .patients == 5 and .images == 0
    and .splits.train == {studies: 3, patients: 2, images: 0} and .sites.north.splits == {test: 2, train: 3}
    and .sex == {F: 3, M: 1, "not known": 2} and .studies_per_patient == {"1": 4, "2": 1}
    and .age == {count: 5, min: 45, q1: 45, median: 61, q3: 62, max: 70, mean: 56.6}
    and .labels.studies == 6 and .labels.conditions.Edema == {positive: 1, negative: 1, uncertain: 1, not_mentioned: 3}
    and .words.report == {count: 6, min: 1, q1: 3, median: 4, q3: 6, max: 7, mean: (26 / 6)}
    and .rejected == {count: 0, reasons: {}}' card.json
}

@test "stats: of a folder with pictures and rejected files" {
  cp -r "$ph" in
  : >in/dicom/A/A-000001/A-000001-1.dcm
  echo stray >in/stray.dcm
  ingest --reports in/reports.csv -o out in
  unirg-ingest --quiet stats --format json out >card.json
  jq -es '.[0] as $card | .[1:] | ($card.images == ([.[].images[]] | length)) and ($card.studies == length)
    and ($card.patients == (map(.patient_id) | unique | length))
    and ($card.views == ([.[].images[].view] | group_by(.) | map({key: .[0], value: length}) | from_entries))
    and ($card.sites | map_values(.studies)) == (group_by(.site) | map({key: .[0].site, value: length}) | from_entries)
    and $card.with_prior == (map(select(.prior)) | length)' card.json out/studies.jsonl
  [ "$(jq .rejected.count card.json)" -eq "$(wc -l <out/rejected.jsonl)" ]
  [ "$(jq '[.rejected.reasons[]] | add' card.json)" -eq "$(wc -l <out/rejected.jsonl)" ]
}

@test "stats: Markdown on standard output, both forms in files with their run records" {
  five_reports
  run -0 --separate-stderr unirg-ingest stats five
  assert_contains "$output" "# Data card"
  assert_contains "$output" "6 studies of 5 patients with 0 images"
  assert_contains "$output" "| north | 5 | 25 | 2 | 2 | 56.0% | 56.0% | 40.0% | 0.0% |"
  assert_contains "$output" "| no effusion | 3 |"
  run -0 --separate-stderr unirg-ingest --quiet stats --format none --table card.md --summary card.json five
  [ -z "$output" ]
  unirg-ingest --quiet stats five | cmp card.md -
  unirg-ingest --quiet stats --format json five | cmp card.json -
  [ "$(jq -r '.outputs["card.json"]' card.json.run.json)" = "$(sha256sum <card.json | cut -d ' ' -f 1)" ]
  [ "$(jq -r '.inputs["five/studies.jsonl"]' card.md.run.json)" = "$(sha256sum <five/studies.jsonl | cut -d ' ' -f 1)" ]
}

@test "stats: study records alone, from a file or a pipe, have no rejected files" {
  five_reports
  unirg-ingest --quiet stats --format json five/studies.jsonl >card.json
  jq -e '.studies == 6 and .rejected == null' card.json
  unirg-ingest --quiet stats --format json - <five/studies.jsonl | cmp card.json -
  assert_contains "$(unirg-ingest --quiet stats five/studies.jsonl)" "Not known: these records came without a rejected.jsonl."
}

@test "stats: a bad record is 65 with its line, and no input 66" {
  five_reports
  sed -i '2s/"study_id":"b"/"study_id":7/' five/studies.jsonl
  run -65 --separate-stderr unirg-ingest stats --summary card.json five
  assert_contains "$stderr" "five/studies.jsonl:2: field 'study_id'"
  [ ! -e card.json ]
  run -66 --separate-stderr unirg-ingest stats absent
  run -64 --separate-stderr unirg-ingest stats
  assert_contains "$stderr" "stats takes one folder or file"
  run -64 --separate-stderr unirg-ingest stats --template-share 0 five
  run -74 --separate-stderr bash -c 'unirg-ingest stats st >/dev/full'
}

@test "stats: a paragraph of a study is no sentence over its end, and near-duplicates are counted at their site" {
  long='The heart is of normal size and the lungs are clear without effusion or pneumothorax today.'
  printf 'study_id,site,findings,impression\na,x,%s,\nb,x,%s,\nc,y,%s,\nd,y,No effusion,Normal\n' "$long" "$long" "$long" >t.csv
  ingest --source table --reports t.csv -o out
  unirg-ingest --quiet stats --format json out >card.json
  jq -e '.boilerplate.sites | .x.near_duplicate_share == 0.5 and .y.near_duplicate_share == 0 and .y.sentences == 3
    and .x.own_share == 1' card.json
}
