#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest: every source, what becomes of good and bad input, the accounting, and how it stops.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# A grey PNG of 4x4 pixels of one value.
constant_png='iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAACMmsGiAAAADklEQVR42mNgBwIGVAIABHQAcaE2spQAAAAASUVORK5CYII='

# What all tests share and none changes: a phantom folder 'ph', and pictures 'png' (one.png, two.png, three.jpg).
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 8 --validate 2 --test 2 --heldout 2 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  mkdir png
  dcmj2pnm --quiet --write-png ph/dicom/A/A-000001/A-000001-1.dcm png/one.png
  dcmj2pnm --quiet --write-png ph/dicom/B/B-000002/B-000002-1.dcm png/two.png
  dcmj2pnm --quiet --write-jpeg ph/dicom/B/B-000002/B-000002-2.dcm png/three.jpg
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  ph=$BATS_FILE_TMPDIR/ph
  png=$BATS_FILE_TMPDIR/png
}

open_i() { # uId, findings, parentImage
  printf '<?xml version="1.0"?>\n<eCitation><uId id="%s"/><MeSH><major>normal</major></MeSH><Abstract>' "$1"
  printf '<AbstractText Label="COMPARISON">None.</AbstractText><AbstractText Label="FINDINGS">%s</AbstractText>' "$2"
  printf '<AbstractText Label="IMPRESSION"/></Abstract><parentImage id="%s"/></eCitation>\n' "${3:-none}"
}

# 64 pictures of a megapixel (hard links) in 'many' and their table 'many.csv': a run of a second or more.
many_pictures() {
  unirg-phantom --quiet --train 4 --validate 0 --test 0 --heldout 0 --side 1024 --transfer-syntaxes explicit-le=1 --output large
  mkdir -p many/0
  find large/dicom -name '*.dcm' | sort | while read -r file; do
    dcmj2pnm --quiet --write-png "$file" "many/0/$(basename "$file" .dcm).png"
  done
  for k in 1 2 3 4; do
    cp -rl many "more-$k"
    mv "more-$k" many/
  done
  (echo study_id,file,report && cd many && find . -type f -printf '%P\n' | sort | awk '{ print "s" NR "," $0 ",FINDINGS: Clear." }') >many.csv
}

# ---------------------------------------------------------------- a DICOM folder

@test "a phantom folder becomes studies, and files are used, rejected or ignored" {
  run -0 --separate-stderr unirg-ingest --source dicom --reports "$ph/reports.csv" -o st "$ph"
  [ -z "$output" ]
  assert_contains "$stderr" "14 studies; 18 files = 14 used + 0 rejected + 4 ignored; 0 table rows rejected"
  assert_counts st 18 14 0 4 0 14
  assert_no_leftovers .
  [ "$(find st -type f -printf '%f\n' | sort | paste -sd ' ')" = "DONE images-00000.tar rejected.jsonl run.json studies.jsonl summary.json" ]
  [ "$(jq -r .study_id st/studies.jsonl | sort -u | wc -l)" -eq 14 ]
  jq -e '.schema == "unirg.run/1" and .tool == "unirg-ingest" and .notes.counts.used == 14' st/run.json
  [ "$(jq -r '.outputs["st/studies.jsonl"]' st/run.json)" = "$(sha256sum <st/studies.jsonl | cut -d ' ' -f 1)" ]
}

@test "records say where in the shards each picture lies, and it is the PNG they describe" {
  ingest --reports "$ph/reports.csv" -o st "$ph"
  jq -r '.study_id as $s | .images[] | [.shard, .offset, .bytes, .width, .height, .sha256, $s + "/" + .id + ".png"] | @tsv' st/studies.jsonl >images
  [ "$(wc -l <images)" -eq 14 ]
  while read -r shard offset bytes width height sha256 name; do
    tail -c "+$((offset + 1))" "st/$shard" | head -c "$bytes" >picture.png
    [ "$(sha256sum <picture.png | cut -d ' ' -f 1)" = "$sha256" ]
    tar -xOf "st/$shard" "$name" | cmp picture.png -
    [ "$(od -An -tx1 -N8 picture.png)" = " 89 50 4e 47 0d 0a 1a 0a" ]
    [ "$(od -An -tu1 -j16 -N8 picture.png | tr -s ' ')" = " 0 0 0 $width 0 0 0 $height" ]
    [ "$(od -An -tu1 -j24 -N2 picture.png | tr -s ' ')" = " 8 0" ] # 8 bits, grey
  done <images
}

@test "the same bytes at one and two threads, and again" {
  ingest --reports "$ph/reports.csv" --threads 1 -o one "$ph"
  ingest --reports "$ph/reports.csv" --threads 2 -o two "$ph"
  ingest --reports "$ph/reports.csv" --threads 2 -o two "$ph" # replaces
  unirg_digests one >one.txt
  unirg_digests two | cmp one.txt -
}

@test "a report is split into its sections" {
  ingest --reports "$ph/reports.csv" -o st "$ph"
  [ "$(jq -c 'select(.findings == null or .impression == null or .technique == null)' st/studies.jsonl | wc -l)" -eq 0 ]
  [ "$(grep -cE '"(INDICATION|TECHNIQUE|COMPARISON|FINDINGS|IMPRESSION):' st/studies.jsonl)" -eq 0 ]
  cat >t.jsonl <<'END'
{"study_id": "all", "report": "EXAMINATION: Chest.\nHISTORY: Cough.\nFINDINGS:\n Lungs   are\nclear. CONCLUSION: Normal."}
{"study_id": "no heading", "report": "Chest.\n\nLungs are clear."}
{"study_id": "own column wins", "report": "FINDINGS: Text. IMPRESSION: Text.", "impression": "Own."}
END
  ingest --source table --reports t.jsonl -o t
  [ "$(field t '[.indication, .findings, .impression]' all)" = '["Cough.","Lungs are clear.","Normal."]' ]
  [ "$(field t '[.findings, .impression]' 'no heading')" = '["Lungs are clear.",null]' ]
  [ "$(field t '[.findings, .impression]' 'own column wins')" = '["Text.","Own."]' ]
}

@test "a follow-up is linked to the study before it" {
  ingest --reports "$ph/reports.csv" -o st "$ph"
  jq -es '(map({key: .study_id, value: .}) | from_entries) as $by |
    (map(select(.encounter == 2)) | length > 0 and all($by[.prior] as $p | $p.encounter == 1 and $p.patient_id == .patient_id and $p.date <= .date)) and
    (map(select(.encounter == 1)) | all(.prior == null))' st/studies.jsonl
  printf 'study_id,patient_id,date,report\nc,p,,FINDINGS: x\nb,p,2020-02-01,FINDINGS: x\na,p,20200301,FINDINGS: x\nz,q,2019-01-01,FINDINGS: x\n' >t.csv
  ingest --source table --reports t.csv -o t
  [ "$(jq -r '[.study_id, .encounter, .prior // "-"] | join(" ")' t/studies.jsonl | paste -sd ,)" = "c 3 -,b 1 -,a 2 b,z 1 -" ]
}

@test "files are found by study UID or accession number, whatever their names" {
  mkdir in
  cp "$ph/dicom/A/A-000001/A-000001-1.dcm" in/IM0001
  cp "$ph/dicom/B/B-000002/B-000002-1.dcm" in/IM0002
  dcmodify --no-backup --insert 'AccessionNumber=ACC7' in/IM0002
  uid=$(dcmdump --search StudyInstanceUID in/IM0001 | sed 's/.*\[\(.*\)\].*/\1/')
  printf 'study_id,study_uid,accession,report\nx,%s,,FINDINGS: a\ny,,ACC7,FINDINGS: b\n' "$uid" >t.csv
  ingest --reports t.csv -o out in
  assert_counts out 2 2 0 0 0 2
  [ "$(field out '.images[0].id' x)" = IM0001 ]
  [ "$(field out '.images[0].id' y)" = IM0002 ]
}

@test "without a row, a DICOM study is rejected, or kept under a digest of its identifiers" {
  mkdir in
  cp "$ph/dicom/A/A-000001/A-000001-1.dcm" in/x
  dcmodify --no-backup --modify 'PatientID=SECRET7' --modify 'PatientName=Doe^Jane' in/x
  printf 'study_id,file,report\n' >t.csv
  ingest --reports t.csv -o out in
  assert_counts out 1 0 1 0 0 0
  assert_contains "$(reason out x)" "missing report"
  ingest --allow-missing-report -o kept in
  assert_counts kept 1 1 0 0 0 1
  jq -e '(.study_id | test("^study-[0-9a-f]{16}$")) and (.patient_id | test("^patient-[0-9a-f]{16}$")) and .findings == null and .modality != null' kept/studies.jsonl
  run -1 grep -rE 'SECRET7|Doe|Jane' out kept
}

@test "damaged files are rejected with a reason and the others are used" {
  cp -r "$ph" in
  truncate -s 600 in/dicom/A/A-000001/A-000001-1.dcm
  echo 'no DICOM' >in/dicom/B/B-000002/B-000002-1.dcm
  : >in/dicom/B/B-000002/B-000002-2.dcm
  head -c 8192 /dev/zero >zeros
  dcmodify --no-backup --modify-from-file '(7fe0,0010)=zeros' in/dicom/C/C-000003/C-000003-1.dcm
  ingest --reports in/reports.csv -o out in
  assert_counts out 18 10 4 4 4 10
  assert_contains "$(reason out dicom/A/A-000001/A-000001-1.dcm)" "cannot read DICOM"
  assert_contains "$(reason out dicom/B/B-000002/B-000002-1.dcm)" "cannot read DICOM"
  assert_contains "$(reason out dicom/B/B-000002/B-000002-2.dcm)" "empty"
  assert_contains "$(reason out dicom/C/C-000003/C-000003-1.dcm)" "one value"
  assert_contains "$(reason out reports.csv 2)" "no image"
}

@test "files that are no input are ignored, by name" {
  cp -r "$png" in
  touch in/README in/license.txt in/.hidden in/notes.md in/DONE in/table.csv
  mkdir in/empty
  printf 'study_id,file,report\na,one.png,FINDINGS: x\nb,two.png,FINDINGS: x\nc,three,FINDINGS: x\n' >t.csv
  ingest --source images --reports t.csv -o out in
  assert_counts out 9 3 0 6 0 3
}

# ---------------------------------------------------------------- rows

@test "rows that give no study are rejected with their line, and their files too" {
  mkdir in
  for k in a b c d e f; do cp "$png/one.png" in/$k.png; done
  cat >t.csv <<'END'
study_id,file,report,Edema
a,a.png,FINDINGS: good,1
b,b.png,,0
a,c.png,FINDINGS: another,
,d.png,FINDINGS: no id,
e,e.png,FINDINGS: bad label,2
f,absent.png,FINDINGS: no picture,
END
  ingest --source images --reports t.csv -o out in
  assert_counts out 6 1 5 0 5 1
  assert_contains "$(reason out t.csv 3)" "empty report"
  assert_contains "$(reason out b.png)" "empty report"
  assert_contains "$(reason out t.csv 4)" "duplicate study id 'a'"
  assert_contains "$(reason out t.csv 5)" "'study_id'"
  assert_contains "$(reason out t.csv 6)" "column 'Edema'"
  assert_contains "$(reason out t.csv 7)" "missing image"
  assert_contains "$(reason out f.png)" "missing report"
}

@test "rejected records have the file and the line in the fields for them" {
  printf 'study_id,report\na,\n' >t.csv
  ingest --source table --reports t.csv -o out
  [ "$(jq -c '[.file, .line]' out/rejected.jsonl)" = '["t.csv",2]' ]
  mkdir in && echo x >in/x.png
  ingest --source images --allow-missing-report -o pictures in
  [ "$(jq -c '[.file, .line]' pictures/rejected.jsonl | head -n 1)" = '["x.png",0]' ]
}

@test "more rejected than --max-rejected is 65 and names the list" {
  printf 'study_id,report\na,\nb,\nc,FINDINGS: x\n' >t.csv
  ingest --source table --reports t.csv --max-rejected 2 -o out
  run -65 --separate-stderr ingest --source table --reports t.csv --max-rejected 1 -o out
  assert_contains "$stderr" "2 files and rows rejected"
  assert_contains "$stderr" "'out/rejected.jsonl'"
}

@test "labels, age, sex and date are read in their forms" {
  printf 'study_id,age,sex,date,Edema,Fracture,report\na,061Y,male,2020-02-03,-1,,FINDINGS: x\nb,7M,F,20200204,1,0,FINDINGS: x\nc,,,,,,FINDINGS: x\n' >t.csv
  ingest --source table --reports t.csv -o out
  [ "$(field out '[.age, .sex, .date, .labels.Edema, .labels.Fracture, .labels.Pneumonia, (.labels | length)]' a)" = '[61,"M","2020-02-03",-1,null,null,14]' ]
  [ "$(field out '[.age, .sex, .date, .labels.Edema, .labels.Fracture]' b)" = '[0,"F","2020-02-04",1,0]' ]
  [ "$(field out '[.age, .sex, .date]' c)" = '[null,null,null]' ]
}

@test "a date that is none is left out, and sorts nothing" {
  printf 'study_id,patient_id,date,report\na,p,2020-13-45,FINDINGS: x\nb,p,1/2/2020,FINDINGS: x\nc,p,2021-02-29,FINDINGS: x\n' >t.csv
  ingest --source table --reports t.csv -o out
  [ "$(jq -c '[.date, .prior]' out/studies.jsonl | sort -u)" = '[null,null]' ]
}

@test "--label asks the rule labeler where the table has no labels" {
  printf 'study_id,report\na,FINDINGS: Small left pleural effusion. No pneumothorax.\n' >t.csv
  ingest --source table --reports t.csv -o none
  [ "$(field none .labels a)" = null ]
  ingest --source table --reports t.csv --label "$UNIRG_SOURCE/share/lexicon/chest.yaml" -o out
  [ "$(field out '[.labels["Pleural Effusion"], .labels.Pneumothorax, .labels.Edema]' a)" = '[1,0,null]' ]
}

# ---------------------------------------------------------------- splits

patients() { # $1 patients with two studies each
  echo study_id,patient_id,site,report
  seq "$1" | awk '{ for (k = 1; k <= 2; ++k) print $1 "-" k ",p" $1 "," ($1 % 10 == 0 ? "far" : "near") ",FINDINGS: x" }'
}

@test "a patient's studies are in one split, shares are kept, and more patients move nobody" {
  patients 200 >few.csv
  patients 400 >more.csv
  ingest --source table --reports few.csv --splits train=0.5,test=0.5 -o few
  ingest --source table --reports more.csv --splits train=0.5,test=0.5 -o more
  ingest --source table --reports few.csv --splits train=0.5,test=0.5 --seed 1 -o other
  jq -es 'group_by(.patient_id) | length == 200 and all(map(.split) | unique | length == 1)' few/studies.jsonl
  jq -es '(map(select(.split == "train")) | length) as $n | $n > 150 and $n < 250' few/studies.jsonl
  jq -r '[.study_id, .split] | @tsv' few/studies.jsonl >few.txt
  jq -r '[.study_id, .split] | @tsv' more/studies.jsonl | head -n 400 | cmp few.txt -
  jq -r '[.study_id, .split] | @tsv' other/studies.jsonl >other.txt
  run -1 cmp -s few.txt other.txt
}

@test "a held-out site goes to its own split and to no other" {
  patients 50 >t.csv
  ingest --source table --reports t.csv --heldout-site far -o out
  jq -es '(map(select(.site == "far")) | length) == 10 and all((.site == "far") == (.split == "heldout_site"))' out/studies.jsonl
}

@test "the table's own splits are kept; a patient in two of them is 65" {
  printf 'study_id,patient_id,split,report\na,p,mine,FINDINGS: x\nb,q,,FINDINGS: x\nc,p,,FINDINGS: x\n' >t.csv
  ingest --source table --reports t.csv --splits rest=1 -o out
  [ "$(jq -r .split out/studies.jsonl | paste -sd ' ')" = "mine rest mine" ]
  printf 'study_id,patient_id,split,report\na,p,train,FINDINGS: x\nb,p,test,FINDINGS: x\n' >t.csv
  run -65 --separate-stderr ingest --source table --reports t.csv -o wrong
  assert_contains "$stderr" "stands in splits 'train' and 'test'"
  [ ! -e wrong ]
  assert_no_leftovers .
}

@test "shares that are negative or all zero are refused" {
  patients 2 >t.csv
  for shares in a=0 a=-1 a=1,b=-1; do
    echo "shares: $shares"
    run -64 --separate-stderr ingest --source table --reports t.csv --splits "$shares" -o out
  done
  [ ! -e out ]
}

# ---------------------------------------------------------------- the other sources

@test "images: PNG and JPEG, several of one study" {
  printf 'study_id,file,report\ns,one.png,FINDINGS: x\nt,two,FINDINGS: y\ns,three.jpg,FINDINGS: x\n' >t.csv
  ingest --source images --reports t.csv -o out "$png"
  assert_counts out 3 3 0 0 0 2
  [ "$(field out '[.images[] | .id + " " + .decoder] | sort | join(",")' s)" = "one png,three jpeg" ]
}

@test "images: the table's view chooses the key image" {
  printf 'study_id,file,view,report\ns,one.png,LATERAL,FINDINGS: x\ns,three.jpg,PA,FINDINGS: x\n' >t.csv
  ingest --source images --reports t.csv -o out "$png"
  [ "$(field out '[.images[] | .id + " " + .view] | join(",")' s)" = "three PA,one LATERAL" ]
}

@test "dicom: the key image is a frontal view" {
  mkdir in
  cp "$ph/dicom/A/A-000001/A-000001-1.dcm" in/a.dcm
  cp "$ph/dicom/A/A-000001/A-000001-1.dcm" in/b.dcm
  dcmodify --no-backup --insert 'ViewPosition=LATERAL' in/a.dcm
  dcmodify --no-backup --insert 'ViewPosition=PA' in/b.dcm
  printf 'study_id,file,report\ns,a.dcm,FINDINGS: x\ns,b.dcm,FINDINGS: x\n' >t.csv
  ingest --reports t.csv -o out in
  [ "$(field out '[.images[] | .id + " " + .view] | join(",")' s)" = "b PA,a LATERAL" ]
}

@test "a row that gives a name alone gets no file of it when several have it" {
  mkdir -p in/a in/b
  cp "$png/one.png" in/a/x.png
  cp "$png/two.png" in/b/x.png
  printf 'study_id,file,report\ns,x.png,FINDINGS: x\n' >t.csv
  ingest --source images --reports t.csv -o out in
  assert_counts out 2 0 2 0 1 0
  printf 'study_id,file,report\ns,a/x.png,FINDINGS: x\n' >t.csv
  ingest --source images --reports t.csv -o exact in
  assert_counts exact 2 1 1 0 0 1
}

@test "a file that two studies claim belongs to the first, and the second row is rejected" {
  printf 'study_id,file,report\ns,one.png,FINDINGS: x\nt,one.png,FINDINGS: y\n' >t.csv
  ingest --source images --reports t.csv -o out "$png"
  assert_contains "$(reason out t.csv 3)" "stands in the row of another study"
  [ "$(jq -r .study_id out/studies.jsonl)" = s ]
}

@test "a row that is not UTF-8 is rejected, and the others are used" {
  printf 'study_id,report\na,FINDINGS: 38 \xb0C\nb,FINDINGS: clear\n' >t.csv
  ingest --source table --reports t.csv -o out
  assert_counts out 0 0 0 0 1 1
  assert_contains "$(reason out t.csv 2)" "not UTF-8"
}

@test "openi: reports and pictures in one folder are refused" {
  mkdir in
  run -64 --separate-stderr ingest --source openi --images in -o out in
  assert_contains "$stderr" "lie within each other"
}

@test "images: constant, cut and foreign files are rejected" {
  mkdir in
  base64 -d <<<"$constant_png" >in/constant.png
  head -c 100 "$png/one.png" >in/cut.png
  head -c 700 "$png/three.jpg" >in/cut.jpg
  echo text >in/text.png
  printf 'study_id,file,report\na,constant.png,FINDINGS: x\nb,cut.png,FINDINGS: x\nc,cut.jpg,FINDINGS: x\nd,text.png,FINDINGS: x\n' >t.csv
  ingest --source images --reports t.csv -o out in
  assert_counts out 4 0 4 0 4 0
  assert_contains "$(reason out constant.png)" "one value"
  assert_contains "$(reason out cut.png)" "damaged PNG"
  assert_contains "$(reason out cut.jpg)" "JPEG"
  assert_contains "$(reason out text.png)" "neither PNG, JPEG nor TIFF"
}

@test "images: pictures without a row that have one name give two study ids" {
  mkdir -p in/a in/b
  cp "$png/one.png" in/a/x.png
  cp "$png/two.png" in/b/x.png
  ingest --source images --allow-missing-report -o out in
  assert_counts out 2 2 0 0 0 2
  [ "$(jq -r .study_id out/studies.jsonl | sort -u | wc -l)" -eq 2 ]
}

@test "openi: sections, MeSH terms and pictures" {
  mkdir xml
  open_i CXR1 "Lungs are &amp; stay clear." one >xml/1.xml
  open_i CXR2 "Heart is large." absent >xml/2.xml
  ingest --source openi --images "$png" --dataset openi -o out xml
  assert_counts out 5 3 2 0 1 2 # pictures that no report names are rejected
  assert_contains "$(reason out 2.xml 1)" "missing image: no picture 'absent'"
  [ "$(field out '[.dataset, .findings, .impression, .comparison, .mesh, (.images | map(.id))]' CXR1)" = '["openi","Lungs are & stay clear.",null,"None.",["normal"],["one"]]' ]
  [ "$(field out '.images | length' CXR2)" = 0 ]
}

@test "openi: the folder of pictures may be relative" {
  mkdir xml
  open_i CXR1 "Lungs are clear." one >xml/1.xml
  cp -r "$png" pictures
  ingest --source openi --images pictures -o out xml
  [ "$(field out '.images[0].id' CXR1)" = one ]
}

@test "openi: what is no report, or an empty one, is rejected" {
  mkdir xml
  open_i CXR1 "" >xml/1.xml
  echo 'not XML' >xml/2.xml
  echo '<eCitation/>' >xml/3.xml
  open_i CXR4 "Clear." >xml/4.xml
  ingest --source openi -o out xml
  assert_counts out 4 1 3 0 0 1
  assert_contains "$(reason out 1.xml)" "empty report"
  assert_contains "$(reason out 2.xml)" "not XML"
  assert_contains "$(reason out 3.xml)" "not an Open-i report"
}

@test "openi: an id that stands twice is rejected the second time" {
  mkdir xml
  open_i CXR1 "Clear." >xml/1.xml
  open_i CXR1 "Clear." >xml/2.xml
  ingest --source openi -o out xml
  assert_counts out 2 1 1 0 0 1
  assert_contains "$(reason out 2.xml)" "duplicate study id 'CXR1'"
}

@test "openi: a damaged picture does not end the run" {
  mkdir xml pictures
  open_i CXR1 "Clear." one >xml/1.xml
  head -c 100 "$png/one.png" >pictures/one.png
  ingest --source openi --images "$PWD/pictures" -o out xml
  [ "$(field out '.images | length' CXR1)" = 0 ]
  grep -q 'damaged PNG' out/rejected.jsonl
  jq -e '.used + .rejected + .ignored == .files' out/summary.json
}

@test "table: reports alone, from CSV, TSV and JSON Lines alike" {
  printf '\xef\xbb\xbfstudy_id,findings,impression\r\na,"Two\r\nlines, ""quoted"".",I.\r\n' >t.csv
  printf 'study_id\tfindings\timpression\na\t"Two\nlines, ""quoted""."\tI.\n' >t.tsv
  printf '{"study_id":"a","findings":"Two\\nlines, \\"quoted\\".","impression":"I.","more":[1]}\n' >t.jsonl
  for kind in csv tsv jsonl; do
    echo "kind: $kind"
    ingest --source table --reports t.$kind -o $kind
    assert_counts $kind 0 0 0 0 0 1
    [ "$(field $kind '[(.findings | gsub("\\s+"; " ")), .impression, (.images | length)]' a)" = '["Two lines, \"quoted\".","I.",0]' ]
  done
}

@test "table: pictures are taken where there are any" {
  printf 'study_id,file,report\na,one.png,FINDINGS: x\nb,absent.png,FINDINGS: x\n' >t.csv
  ingest --source table --reports t.csv -o out "$png"
  assert_counts out 3 1 2 0 0 2
  [ "$(jq -c '.images | length' out/studies.jsonl | paste -sd ' ')" = "1 0" ]
}

# ---------------------------------------------------------------- columns

@test "--columns renames columns and gives constants" {
  printf 'Exam,Text,Where\nx,FINDINGS: a,north\n' >t.csv
  printf 'study_id: Exam\nreport: Text\nsite: Where\ndataset: {value: mine}\nmodality:\n  value: CR\n' >columns.yaml
  ingest --source table --reports t.csv --columns columns.yaml -o out
  [ "$(field out '[.findings, .site, .dataset, .modality]' x)" = '["a","north","mine","CR"]' ]
}

@test "a column map with an unknown key, a wrong type or a column that is not there is 78" {
  printf 'study_id,report\na,FINDINGS: x\n' >t.csv
  check() { # text, message
    printf '%b' "$1" >columns.yaml
    run -78 --separate-stderr ingest --source table --reports t.csv --columns columns.yaml -o out
    assert_contains "$stderr" "$2"
    [ "$(ls -A)" = "$(printf 'columns.yaml\nt.csv')" ]
  }
  check '# ids\nstdy_id: study_id\n' "columns.yaml:2: unknown key 'stdy_id' (hint: did you mean 'study_id'?)"
  check 'study_id: [study_id]\n' "columns.yaml:1: key 'study_id': expected a column name or {value: text}"
  check 'site: {valu: x}\n' "columns.yaml:1: key 'site'"
  check '- study_id\n' "columns.yaml: expected a map"
  check 'report: reprt\n' "'t.csv' has no column 'reprt' (hint: did you mean 'report'?)"
  check 'study_id: {a\n' "columns.yaml:"
  run -66 --separate-stderr ingest --source table --reports t.csv --columns absent.yaml -o out
}

@test "a table that cannot be parsed is 65 with file and line" {
  check() { # file, text, message
    printf '%b' "$2" >"$1"
    run -65 --separate-stderr ingest --source table --reports "$1" -o out
    assert_contains "$stderr" "$3"
    [ ! -e out ]
  }
  check open.csv 'study_id,report\na,x\nb,"open\n' "'open.csv':3: a quoted cell is not closed"
  check short.csv 'study_id,report\na\n' "'short.csv':2: 1 cells, the header has 2"
  check twice.csv 'study_id,study_id\na,b\n' "'twice.csv':1: a column name stands twice"
  check empty.csv '' "'empty.csv':1: no header row"
  check lines.jsonl '{"study_id":"a"}\n{"study_id"\n' "'lines.jsonl':2: not valid JSON"
  check sheet.xls 'study_id\n' "'sheet.xls': unknown kind of table (hint: .csv, .tsv or .jsonl)"
  assert_no_leftovers .
}

# ---------------------------------------------------------------- the command line and the disk

@test "arguments that a source needs are asked for" {
  run -64 --separate-stderr ingest --source dicom --reports t.csv -o out
  assert_contains "$stderr" "missing argument DIR"
  run -64 --separate-stderr ingest --source images -o out "$png"
  assert_contains "$stderr" "missing option '--reports' (hint: or --allow-missing-report)"
  run -64 --separate-stderr ingest --source table -o out
  assert_contains "$stderr" "missing option '--reports'"
  run -64 --separate-stderr ingest --source pacs -o out "$png"
  assert_contains "$stderr" "expected one of dicom, images, openi, table"
}

@test "a folder or table that does not exist is 66" {
  printf 'study_id,report\n' >t.csv
  for source in dicom images openi; do
    echo "source: $source"
    run -66 --separate-stderr ingest --source $source --reports t.csv -o out absent
    assert_contains "$stderr" "'absent'"
  done
  run -66 --separate-stderr ingest --source table --reports absent.csv -o out
  assert_contains "$stderr" "'absent.csv'"
  run -66 --separate-stderr ingest --source images --reports t.csv -o out t.csv # a file is no folder
  [ "$(ls -A)" = t.csv ]
}

@test "an output that cannot be created is 73" {
  printf 'study_id,report\na,FINDINGS: x\n' >t.csv
  run -73 --separate-stderr ingest --source table --reports t.csv -o t.csv/out
  assert_contains "$stderr" "cannot create 't.csv/out'"
  run -73 --separate-stderr ingest --source table --reports t.csv -o absent/out
  [ "$(ls -A)" = t.csv ]
}

@test "an output that would replace a file, or the input, is refused" {
  printf 'study_id,file,report\na,one.png,FINDINGS: x\n' >t.csv
  cp t.csv before.csv
  cp -r "$png" in
  status=0
  ingest --source images --reports t.csv -o t.csv in || status=$?
  [ "$status" -ne 0 ]
  cmp t.csv before.csv
  status=0
  ingest --source images --reports t.csv -o in in || status=$?
  [ "$status" -ne 0 ]
  cmp in/one.png "$png/one.png"
}

@test "an output folder below the input is refused" {
  cp -r "$png" in
  printf 'study_id,file,report\na,one.png,FINDINGS: x\nb,two,FINDINGS: x\nc,three,FINDINGS: x\n' >t.csv
  run -64 --separate-stderr ingest --source images --reports t.csv -o in/out in
  assert_contains "$stderr" "lie within each other"
  [ ! -e in/out ]
}

@test "a full disk is 74 and leaves nothing" {
  # A limit on the size of files stands in for the disk.
  limited() { (trap '' XFSZ && ulimit -f 8 && ingest --reports "$ph/reports.csv" -o out "$ph"); }
  run -74 --separate-stderr limited
  assert_contains "$stderr" "cannot write"
  [ -z "$(ls -A)" ]
}

@test "a stopped run is 75, a killed one leaves nothing to trust, and the next gives the same bytes" {
  many_pictures
  mkdir work
  run_many() { exec unirg-ingest --source images --reports many.csv --threads 2 --log-every 0 -o work/out many; }
  for signal in TERM KILL; do
    (run_many) 2>log &
    pid=$!
    # The first progress lines say that the run is under way and far from its end.
    for ((k = 0; k < 500; ++k)); do
      if grep -q 'study [1-9]' log; then break; fi
      sleep 0.01
    done
    kill -"$signal" "$pid"
    status=0
    wait "$pid" || status=$?
    echo "signal $signal: status $status"
    [ ! -e work/out ]
    [ -z "$(find work -name DONE)" ]
    if [ "$signal" = TERM ]; then
      [ "$status" -eq 75 ]
      [ -z "$(ls -A work)" ]
    else
      [ "$status" -eq 137 ]
    fi
  done
  (run_many) 2>log
  ingest --source images --reports many.csv --threads 1 -o undisturbed many
  assert_counts work/out 64 64 0 0 0 64
  unirg_digests undisturbed >expected.txt
  unirg_digests work/out | cmp expected.txt -
}

# ---------------------------------------------------------------- size

@test "--longest-side scales down and never up" {
  ingest --reports "$ph/reports.csv" --longest-side 32 -o small "$ph"
  [ "$(jq -r '.images[] | [.width, .height] | max' small/studies.jsonl | sort -u)" = 32 ]
  ingest --reports "$ph/reports.csv" --longest-side 1000 -o same "$ph"
  [ "$(jq -r '.images[] | [.width, .height] | max' same/studies.jsonl | sort -u)" = 64 ]
}

@test "--shard-bytes starts a new tar when one has grown" {
  ingest --reports "$ph/reports.csv" --shard-bytes 8000 -o out "$ph"
  [ "$(find out -name 'images-*.tar' | wc -l)" -gt 2 ]
  [ "$(cat out/images-*.tar | tar -tif - | wc -l)" -eq 14 ]
  [ "$(jq -r '.images[].shard' out/studies.jsonl | sort -u)" = "$(cd out && ls images-*.tar)" ]
}
