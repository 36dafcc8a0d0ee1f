#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest: public datasets as their owners lay them out (miniatures of tests/datasets), held-out studies, excluded ones
# and leaks.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# What all tests share and none changes: a miniature of each dataset in a folder of its name.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 10 --validate 1 --test 1 --heldout 1 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  local dataset
  for dataset in mimic-cxr mimic-cxr-dicom chexpert-plus rexgradient iu-xray padchest rexrank dmid ffa-ir hist; do
    "$BATS_TEST_DIRNAME/../datasets/make-miniature" $dataset ph $dataset
  done
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  mini=$BATS_FILE_TMPDIR
}

splits() { jq -rs 'map("\(.study_id) \(.split)") | join(",")' "$1/studies.jsonl"; }

# ---------------------------------------------------------------- the datasets

@test "mimic-cxr: its list of picture files is no input" {
  cp -r "$mini/mimic-cxr" in
  touch in/IMAGE_FILENAMES
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" --max-rejected 2 -o out in
  [ "$(jq -r .file out/rejected.jsonl | grep -c IMAGE_FILENAMES)" -eq 0 ]
}

@test "mimic-cxr: sections, splits, dates, ages, labels and views from five tables and the report files" {
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o out "$mini/mimic-cxr"
  assert_counts out 22 15 2 5 0 7
  [ "$(splits out)" = "50000001 train,50000002 train,50000003 train,50000004 train,50000005 validate,50000006 test,50000007 train" ]
  [ "$(field out '[.dataset, .patient_id, .date, .age, .sex, .race]' 50000001)" = '["mimic-cxr","10000032","2180-05-06",52,"F","WHITE"]' ]
  [ "$(field out '[.indication, .comparison, .impression]' 50000001)" = '["___ year old with cough.","None.","No acute cardiopulmonary process."]' ]
  assert_contains "$(field out .findings 50000001)" "The heart is normal in size."
  [ "$(field out '[.labels["No Finding"], .labels["Pleural Effusion"], .labels.Edema]' 50000001)" = '[1,0,null]' ]
  [ "$(field out '[.labels.Cardiomegaly, .labels.Edema]' 50000002)" = '[1,-1]' ]
  [ "$(field out .labels 50000004)" = null ]
  [ "$(field out .source.path 50000001)" = files/p10/p10000032/s50000001.txt ]
}

@test "mimic-cxr: the key image is frontal, follow-ups are linked, and ages go by the year" {
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o out "$mini/mimic-cxr"
  [ "$(field out '[.images[] | .id[0:8] + " " + .view] | join(",")' 50000003)" = "aaaa0004 PA,aaaa0003 LATERAL" ]
  [ "$(field out '[.encounter, .prior, .age]' 50000003)" = '[3,"50000002",53]' ]
  [ "$(field out '[.age, .sex]' 50000005)" = '[null,null]' ] # the patient is not in the table
}

@test "mimic-cxr: an impression alone is kept, neither section is not" {
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o out "$mini/mimic-cxr"
  [ "$(field out .impression 50000004)" = "Small residual left pneumothorax." ]
  [ -z "$(field out .study_id 50000008)" ]
  assert_contains "$(reason out files/p12/p12000015/s50000008.txt)" "empty report: neither findings nor impression"
}

@test "mimic-cxr: DICOM files give the same records as JPEG files" {
  essentials() { jq -c '[.study_id, .split, .date, .age, .findings, .impression, .prior, .labels, (.images | map([.id, .view]))]' "$1/studies.jsonl"; }
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o jpg "$mini/mimic-cxr"
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-dicom-reports" -o dcm "$mini/mimic-cxr-dicom"
  essentials jpg >expected
  essentials dcm | diff expected -
  [ "$(jq -r '.images[].decoder' dcm/studies.jsonl | sort -u)" = dcmtk ]
  [ "$(jq -r '.images[].decoder' jpg/studies.jsonl | sort -u)" = jpeg ]
}

@test "mimic-cxr: tables and reports may lie in the one folder, unpacked, without patients and labels" {
  cp -r "$mini/mimic-cxr" in
  cp -r "$mini/mimic-cxr-reports/files" in/
  gunzip in/*-metadata.csv.gz
  rm in/*-chexpert.csv.gz
  ingest --source mimic-cxr -o out in
  assert_counts out 19 15 2 2 0 7
  [ "$(field out '[.age, .sex, .labels]' 50000001)" = '[null,null,null]' ]
}

@test "mimic-cxr: a picture or a report that is missing is named, and so is one that nothing names" {
  cp -r "$mini/mimic-cxr" in
  cp -r "$mini/mimic-cxr-reports" reports
  rm in/files/p10/p10000032/s50000001/*.jpg in/files/p10/p10000032/s50000003/aaaa0003*.jpg reports/files/p12/p12000014/s50000007.txt
  cp reports/files/p10/p10000032/s50000001.txt reports/files/p10/p10000032/s59999999.txt
  touch in/files/p10/stray.jpg
  ingest --source mimic-cxr --reports reports -o out in
  assert_contains "$(reason out files/p10/p10000032/s50000001.txt)" "missing image: no file 'files/p10/p10000032/s50000001/aaaa0001"
  assert_contains "$(reason out files/p10/p10000032/s50000003.txt)" "; the study keeps its others"
  [ "$(field out '.images | length' 50000003)" = 1 ]
  assert_contains "$(reason out mimic-cxr-2.0.0-metadata.csv.gz)" "missing report: no file 'files/p12/p12000014/s50000007.txt'"
  assert_contains "$(reason out files/p10/p10000032/s59999999.txt)" "no row of the table names this report"
  assert_contains "$(reason out files/p10/stray.jpg)" "no row of the table names this file"
  jq -e '.used + .rejected + .ignored == .files' out/summary.json
}

@test "chexpert-plus: the owners' sections, the whole report only where they have none" {
  ingest --source chexpert-plus -o out "$mini/chexpert-plus"
  assert_counts out 7 6 0 1 0 5
  [ "$(splits out)" = "patient00001-study1 train,patient00001-study2 train,patient00002-study1 train,patient00003-study1 train,patient64541-study1 test" ]
  [ "$(field out '[.indication, .findings, .impression]' patient00002-study1)" = '["Cough",null,"Right lower lobe pneumonia."]' ]
  [ "$(field out '.impression' patient00003-study1)" = "Small residual left pneumothorax." ]
  assert_contains "$(field out .findings patient00003-study1)" "Left chest tube in place"
  [ "$(field out '[.patient_id, .age, .sex, .race, .comparison]' patient00001-study1)" = '["patient00001",61,"F","White",null]' ]
}

@test "chexpert-plus: two pictures of one study, and priors by the order of reports" {
  ingest --source chexpert-plus -o out "$mini/chexpert-plus"
  [ "$(field out '[.images[].view] | join(",")' patient00001-study1)" = "PA,LATERAL" ]
  [ "$(field out '[.encounter, .prior, .date, .order]' patient00001-study2)" = '[2,"patient00001-study1",null,2]' ]
  [ "$(jq -r '.images[0].source' out/studies.jsonl | head -n 1)" = PNG/train/patient00001/study1/view1_frontal.png ]
}

@test "chexpert-plus: pictures where PNG.zip and DICOM.zip unpack with a folder of their own" {
  cp -r "$mini/chexpert-plus" in
  mkdir in/inner && mv in/PNG in/inner/ && mv in/inner in/PNG
  ingest --source chexpert-plus -o out in
  ingest --source chexpert-plus -o plain "$mini/chexpert-plus"
  [ "$(jq -c '[.study_id, .images[].sha256]' out/studies.jsonl)" = "$(jq -c '[.study_id, .images[].sha256]' plain/studies.jsonl)" ]
}

@test "rexgradient: three files of entries with lists of pictures, Python's NaN and None" {
  ingest --source rexgradient -o out "$mini/rexgradient"
  assert_counts out 10 7 0 3 0 6
  [ "$(splits out)" = "GRDNA_ACC1 train,GRDNA_ACC3 train,GRDNB_ACC4 train,GRDNC_ACC5 train,GRDND_ACC6 validate,GRDNE_ACC7 test" ]
  [ "$(field out '[.images[].view] | join(",")' GRDNA_ACC1)" = "PA,LATERAL" ]
  [ "$(field out '[.date, .age, .sex, .indication, .comparison]' GRDNA_ACC1)" = '["2015-01-01",61,"F","Cough.",null]' ]
  [ "$(field out '[.date, .impression, .prior]' GRDNA_ACC3)" = '["2015-03-01",null,"GRDNA_ACC1"]' ]
  [ "$(field out '[.age, .sex]' GRDNB_ACC4)" = '[0,"M"]' ]
  [ "$(field out '[.age, .sex]' GRDNC_ACC5)" = '[null,null]' ]
}

@test "rexgradient: one file alone is read, and a file may be named" {
  cp -r "$mini/rexgradient" in
  rm in/metadata/train* in/metadata/valid*
  ingest --source rexgradient -o out in
  [ "$(splits out)" = "GRDNE_ACC7 test" ]
  ingest --source rexgradient --reports "$mini/rexgradient/metadata/test_metadata_view_position.json" -o named "$mini/rexgradient/deid_png"
  [ "$(splits named)" = "" ] # its pictures lie beside metadata/, not below deid_png/
  assert_contains "$(jq -r .reason named/rejected.jsonl)" "missing image"
}

@test "iu-xray: R2Gen's splits, reports as findings, the first picture as the key image" {
  ingest --source iu-xray -o out "$mini/iu-xray"
  assert_counts out 13 12 0 1 0 6
  [ "$(jq -rs 'map(.split) | group_by(.) | map("\(.[0]) \(length)") | join(",")' out/studies.jsonl)" = "test 1,train 4,validate 1" ]
  [ "$(field out '[.images[].id] | join(",")' CXR2_IM-0002)" = "0,1" ]
  [ "$(field out '[.impression, (.findings | length > 0)]' CXR2_IM-0002)" = '[null,true]' ]
}

@test "padchest: Spanish text kept, labels mapped, ages by year of birth, pictures in numbered folders" {
  ingest --source padchest --splits all=1 -o out "$mini/padchest"
  assert_counts out 7 5 1 1 1 4
  [ "$(field out '[.findings, .impression, .language]' S2)" = '["sin hallazgos patologicos . silueta numero S2 normal .",null,"es"]' ]
  [ "$(field out '[.date, .age, .sex, .modality]' S2)" = '["2010-01-03",60,"F","CR"]' ]
  [ "$(field out '[.labels.Cardiomegaly, .labels["Pleural Effusion"], .labels["No Finding"], .labels.Edema]' S2)" = '[1,1,null,null]' ]
  [ "$(field out '[.labels.Atelectasis, .labels["Support Devices"]]' S3)" = '[1,1]' ]
  [ "$(field out '.labels["No Finding"]' S1)" = 1 ]
  [ "$(field out .labels S5)" = null ]
  assert_contains "$(field out .padchest_labels S2)" unchanged
  [ "$(field out '[.images[].view] | join(",")' S1)" = "PA,LATERAL" ]
  [ "$(field out '.images[0].view' S2)" = AP ]
  [ "$(field out .prior S2)" = S1 ]
  assert_contains "$(reason out 1/2168401113669_05-1.png)" "empty report"
}

@test "padchest: pictures in one folder are found by their names" {
  mkdir in in/images
  cp "$mini"/padchest/*.csv in/
  cp "$mini"/padchest/[01]/*.png in/images/
  ingest --source padchest -o out in
  assert_counts out 7 5 1 1 1 4
}

@test "rexrank: context, sections and the named key image, all for testing" {
  ingest --source rexrank -o out "$mini/rexrank"
  assert_counts out 7 6 0 1 0 3
  [ "$(jq -r .split out/studies.jsonl | sort -u)" = test ]
  [ "$(field out '[.images[].id] | join(",")' 50000001)" = "frontal1,lateral1" ]
  [ "$(field out '[.sex, .age, .age_range, .indication, .comparison]' 50000001)" = '["M",null,"50-60","Chest pain.","Radiograph of last week."]' ]
  [ "$(field out '[.sex, .age, .indication, .comparison]' 50000003)" = '["F",61,"Cough.",null]' ]
  [ "$(field out '.impression' 50000002)" = null ]
  cp "$mini/rexrank/rexrank.json" ReXRank_MIMICCXR_test.json
  mkdir in && cp -r "$mini/rexrank/files" in/
  ingest --source rexrank --reports ReXRank_MIMICCXR_test.json -o named in
  [ "$(jq -c '[.study_id, .findings, .split, .images[].sha256]' named/studies.jsonl)" = "$(jq -c '[.study_id, .findings, .split, .images[].sha256]' out/studies.jsonl)" ]
}

@test "rexrank: studies of one patient, their race, and an indication that is nan" {
  cp -r "$mini/rexrank" in
  jq 'with_entries(.value.subject_id = "10046166" | .value.race = "White" | del(.value.patient_id))
      | .["50000001"].context = "Age:61.Gender:M.Indication:nanComparison: None."' "$mini/rexrank/rexrank.json" >in/rexrank.json
  ingest --source rexrank -o out in
  [ "$(jq -r .patient_id out/studies.jsonl | sort -u)" = 10046166 ]
  [ "$(jq -r .race out/studies.jsonl | sort -u)" = White ]
  [ "$(field out '[.age, .indication, .comparison]' 50000001)" = '[61,null,null]' ]
}

@test "dmid: reports in a folder of their folder's name are read once" {
  cp -r "$mini/dmid" in
  mkdir in/inner && mv in/Reports in/inner/ && mv in/inner in/Reports
  ingest --source dmid --splits all=1 -o out in
  assert_counts out 12 8 0 4 0 4
}

@test "dmid: mammograms and their report files, whatever the case of the names" {
  ingest --source dmid --splits all=1 -o out "$mini/dmid"
  assert_counts out 12 8 0 4 0 4
  assert_contains "$(field out .findings Img002)" "BIRADS 2."
  [ "$(field out '[.modality, .images[0].id, .images[0].source]' Img002)" = '["MG","IMG002","DICOM Images/IMG002.dcm"]' ]
  cp -r "$mini/dmid" in
  rm 'in/DICOM Images/IMG003.dcm' in/Reports/Img004.txt
  ingest --source dmid --splits all=1 -o less in
  assert_contains "$(reason less Reports/Img003.txt)" "missing image: no file 'DICOM Images/Img003'"
  assert_contains "$(reason less 'DICOM Images/IMG004.dcm')" "missing report"
}

@test "ffa-ir: many pictures a case, named in a list or by their folder, both languages" {
  ingest --source ffa-ir -o out "$mini/ffa-ir"
  assert_counts out 13 12 0 1 0 4
  [ "$(splits out)" = "case1 train,case2 train,case3 validate,case4 test" ]
  for n in 1 2; do [ "$(field out '[.images[].id] | join(",")' case$n)" = "0,1,2" ]; done
  assert_contains "$(field out .findings case1)" "leakage at the macula of eye 1"
  assert_contains "$(field out .report_zh case1)" "黄斑区"
}

@test "hist: tiles of a slide and its report; a slide that no decoder knows is rejected with its reason" {
  ingest --source hist --slide-tile-size 64 -o out "$mini/hist"
  assert_counts out 5 4 0 1 0 4
  [ "$(splits out)" = "TCGA-AA-0001-01Z-00-DX1 train,TCGA-AA-0002-01Z-00-DX1 train,TCGA-AA-0003-01Z-00-DX1 validate,TCGA-AA-0004-01Z-00-DX1 test" ]
  [ "$(field out '[.findings, .modality]' TCGA-AA-0001-01Z-00-DX1)" = '["Invasive ductal carcinoma of grade 1. Margins are free.","SM"]' ]
  [ "$(field out '.images | length' TCGA-AA-0001-01Z-00-DX1)" -eq 16 ]
  [ "$(field out '.images | length' TCGA-AA-0004-01Z-00-DX1)" -eq 1 ]
  cp -r "$mini/hist" in
  echo 'no slide' >in/slides/TCGA-AA-0001-01Z-00-DX1.svs
  rm in/slides/TCGA-AA-0001-01Z-00-DX1.tif
  ingest --source hist --slide-tile-size 64 -o svs in
  [ "$(reason svs slides/TCGA-AA-0001-01Z-00-DX1.svs)" = 'neither DICOM, PNG, JPEG, TIFF nor a slide that OpenSlide reads' ]
  [ "$(wc -l <svs/studies.jsonl)" -eq 3 ]
}

@test "each dataset gives the same bytes at one and two threads" {
  for dataset in chexpert-plus rexgradient iu-xray padchest rexrank dmid ffa-ir hist; do
    echo "dataset: $dataset"
    ingest --source $dataset --threads 1 --slide-tile-size 64 -o one "$mini/$dataset"
    ingest --source $dataset --threads 2 --slide-tile-size 64 -o two "$mini/$dataset"
    unirg_digests one >one.txt
    unirg_digests two | diff one.txt -
  done
}

@test "the shards of a dataset hold the studies of the whole" {
  essentials() { jq -c '[.study_id, .split, .prior, .findings, .images[].sha256]' "$@" | sort; }
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o whole "$mini/mimic-cxr"
  for k in 0 1; do ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" --shard $k/2 -o part-$k "$mini/mimic-cxr"; done
  essentials whole/studies.jsonl >whole.txt
  essentials part-*/studies.jsonl | diff whole.txt -
}

@test "an own layout reads what no other does" {
  mkdir in && cp "$mini/ffa-ir/FFAIR/case1/0.png" in/p.png
  printf 'Key,Text\n7,All clear.\n' >in/mine.csv
  printf 'tables: [{files: [mine.csv]}]\nfields: {study_id: "mine-{Key}", findings: Text}\npictures: {files: ["{Key}.png", p]}\n' >mine.yaml
  printf 'Key,Text,p\n7,All clear.,p.png\n' >in/mine.csv
  ingest --source layout --layout mine.yaml -o out in
  [ "$(field out '[.dataset, .findings, (.images | length)]' mine-7)" = '["mine","All clear.",1]' ]
}

# ---------------------------------------------------------------- what is refused

@test "a table that is not there is 66 and named with where it was looked for" {
  mkdir in
  run -66 --separate-stderr ingest --source mimic-cxr -o out in
  assert_contains "$stderr" "no table 'mimic-cxr-2.0.0-split.csv' or 'mimic-cxr-2.0.0-split.csv.gz' below 'in' (hint: its layout is in '"
  for dataset in chexpert-plus rexgradient iu-xray padchest dmid ffa-ir hist rexrank; do
    echo "dataset: $dataset"
    run -66 --separate-stderr ingest --source $dataset -o out in
    assert_contains "$stderr" "no table '"
  done
  run -66 --separate-stderr ingest --source mimic-cxr -o out absent
  assert_contains "$stderr" "no folder 'absent'"
  [ ! -e out ]
  assert_no_leftovers .
}

@test "a column that is not there is 65 with the file, the column, what it is for and the nearest one" {
  cp -r "$mini/chexpert-plus" in
  sed -i '1s/section_findings/section_finding/' in/df_chexpert_plus_240401.csv
  run -65 --separate-stderr ingest --source chexpert-plus -o out in
  assert_contains "$stderr" "'df_chexpert_plus_240401.csv' has no column 'section_findings', which 'findings' is read from (hint: it has 'section_finding')"
  cp -r "$mini/mimic-cxr" mimic
  gunzip -c mimic/mimic-cxr-2.0.0-split.csv.gz | sed '1s/,split/,fold/' >mimic/mimic-cxr-2.0.0-split.csv
  run -65 --separate-stderr ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o out mimic
  assert_contains "$stderr" "'mimic-cxr-2.0.0-split.csv' has no column 'split'"
  cp -r "$mini/rexgradient" rex
  sed -i 's/"Findings"/"Text"/g' rex/metadata/train*.json
  run -65 --separate-stderr ingest --source rexgradient -o out rex
  assert_contains "$stderr" "has no column 'Findings'"
  [ ! -e out ]
}

@test "a table that is damaged is 65, and its message quotes nothing of it" {
  cp -r "$mini/iu-xray" in
  truncate -s 300 in/annotation.json
  run -65 --separate-stderr ingest --source iu-xray -o out in
  assert_contains "$stderr" "'annotation.json': not JSON, or cut short, at byte "
  [[ $stderr != *heart* ]]
  cp -r "$mini/mimic-cxr" mimic
  truncate -s 100 mimic/mimic-cxr-2.0.0-metadata.csv.gz
  run -65 --separate-stderr ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o out mimic
  assert_contains "$stderr" "ends early: not a whole gzip file"
  cp "$mini/padchest"/*.csv pad.csv
  mkdir pad && head -c 700 pad.csv >pad/PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv
  run -65 --separate-stderr ingest --source padchest -o out pad
  assert_contains "$stderr" "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv':"
}

@test "identifiers of patients do not reach the log" {
  run -0 --separate-stderr unirg-ingest --verbose --source mimic-cxr --reports "$mini/mimic-cxr-reports" -o out "$mini/mimic-cxr"
  [[ $stderr != *10000032* && $stderr != *50000001* ]]
}

@test "options of datasets that make no sense are 64" {
  check() { # ARGUMENT... MESSAGE
    run -64 --separate-stderr ingest -o out "${@:1:$#-1}" "$mini/iu-xray"
    assert_contains "$stderr" "${*: -1}"
  }
  check --source layout "--source layout needs --layout FILE"
  check --source images --reports t.csv --layout x.yaml "--layout needs a dataset as --source"
  check --source mimic-cx "mimic-cxr"
  check --source iu-xray --hold-out validate=0.5 "bad --hold-out validate=0.5"
  check --source iu-xray --hold-out train=2 "bad --hold-out train=2"
  check --source iu-xray --hold-out validate=2 --shard 0/2 "not together with --shard"
  check --source iu-xray --fail-on-leak texts "expected id, image or text"
  check --source iu-xray --reports "$mini/iu-xray/images" "lie within each other"
}

@test "a layout with a mistake is 78 with its line and the nearest key" {
  check() { # LAYOUT MESSAGE
    printf '%s\n' "$1" >l.yaml
    run -78 --separate-stderr ingest --source layout --layout l.yaml -o out "$mini/iu-xray"
    assert_contains "$stderr" "$2"
  }
  check $'tables: []\nfeilds: {}' "l.yaml:2: unknown key 'feilds' (hint: did you mean 'fields'?)"
  check $'fields:\n  study_idd: x' "l.yaml:2: unknown key 'study_idd' (hint: did you mean 'study_id'?)"
  check $'tables: [{files: [a.csv]}]\nfields: {findings: "{x"}' "l.yaml:2: unbalanced braces"
  check $'tables: [{files: [a.csv], form: rows}]' "expected cells, entries, splits or texts"
  check $'labels:\n  conditions: {a: Oedema}' "'Oedema' is none of the 14 conditions"
  check $'fields: {study_id: a}' "'tables' is missing"
  check 'tables: [' "not valid YAML"
}

# ---------------------------------------------------------------- held-out and excluded studies, leaks

patients() { # $1 patients with one or two studies each, all for training
  echo study_id,patient_id,split,report
  seq "$1" | awk '{ for (k = 1; k <= 1 + $1 % 2; ++k) print $1 "-" k ",p" $1 ",train,FINDINGS: Report number " $1 k " of many." }'
}

@test "--hold-out moves exactly as many studies of whole patients, the same ones again, others by seed" {
  patients 60 >t.csv
  ingest --source table --reports t.csv --hold-out validate=17 -o out
  [ "$(jq -r .split out/studies.jsonl | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd ,)" = "73 train,17 validate" ]
  jq -es 'group_by(.patient_id) | all(map(.split) | unique | length == 1)' out/studies.jsonl
  ingest --source table --reports t.csv --hold-out validate=17 -o again
  ingest --source table --reports t.csv --hold-out validate=17 --seed 1 -o other
  splits out >out.txt
  splits again | cmp out.txt -
  splits other >other.txt
  run -1 cmp -s out.txt other.txt
  ingest --source table --reports t.csv --hold-out validate=10,probe=5 -o two
  [ "$(jq -r .split two/studies.jsonl | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd ,)" = "5 probe,75 train,10 validate" ]
}

@test "--hold-out takes nothing from other splits, and says when train has too few" {
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" --hold-out validate=1 -o out "$mini/mimic-cxr"
  [ "$(jq -r .split out/studies.jsonl | sort | uniq -c | awk '{ print $1, $2 }' | paste -sd ,)" = "1 test,4 train,2 validate" ]
  run -65 --separate-stderr ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" --hold-out validate=6 -o more "$mini/mimic-cxr"
  assert_contains "$stderr" "cannot hold out 6 studies as 'validate': whole patients of 'train' give 5"
  [ ! -e more ]
}

@test "--exclude leaves listed studies out of training, in each form of list, and keeps them in the test split" {
  printf '# ReXrank\n50000002\n50000006\n' >ids.txt
  printf 'study_id,other\n50000002,x\n50000006,x\n' >ids.csv
  printf '{"study_id":"50000002"}\n{"study_id":"50000006"}\n' >ids.jsonl
  printf '{"50000002":{"report":"x"},"50000006":{"report":"y"}}' >ids.json
  gzip -c ids.json >packed.json.gz
  for list in ids.txt ids.csv ids.jsonl ids.json packed.json.gz; do
    echo "list: $list"
    ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" --exclude $list -o out "$mini/mimic-cxr"
    assert_counts out 22 13 2 7 0 6
    [ -z "$(field out .study_id 50000002)" ]
    [ "$(field out .split 50000006)" = test ]
    [ "$(jq -c '[.excluded, .leaks.trained, .leaks.tested]' out/summary.json)" = '[1,5,2]' ]
  done
  [ "$(tar -tf out/images-00000.tar | grep -c 50000002)" -eq 0 ]
}

@test "--exclude knows a study by the path of its picture where its id is written otherwise" {
  printf '{"p10/p10000032/s50000002": {"report": "x", "key_image_path": "p10/p10000032/s50000002/aaaa0002-11111111-11111111-11111111-11111111.jpg"}}' >ids.json
  ingest --source mimic-cxr --reports "$mini/mimic-cxr-reports" --exclude ids.json -o out "$mini/mimic-cxr"
  [ "$(jq .excluded out/summary.json)" = 1 ]
  [ -z "$(field out .study_id 50000002)" ]
  [ "$(wc -l <out/studies.jsonl)" -eq 6 ]
}

@test "a list without a study id is 65, one that is not there 66" {
  printf 'id\nx\n' >ids.csv
  run -65 --separate-stderr ingest --source iu-xray --exclude ids.csv -o out "$mini/iu-xray"
  assert_contains "$stderr" "'ids.csv' names no study"
  run -66 --separate-stderr ingest --source iu-xray --exclude absent.json -o out "$mini/iu-xray"
  [ ! -e out ]
}

@test "leaks of pictures and of near-duplicate reports are counted and named" {
  mkdir in
  for n in 1 2 3; do cp "$mini/ffa-ir/FFAIR/case$n/0.png" in/$n.png; done
  cp in/1.png in/4.png
  words='the cardiac silhouette is mildly enlarged and there is a small left pleural effusion with adjacent atelectasis while the right lung stays clear of any focal opacity today'
  printf 'study_id,file,split,findings\na,1.png,test,%s\nb,2.png,train,%s again\nc,3.png,train,Quite another text with nothing in common at all.\nd,4.png,train,Not the same words but the very same picture.\n' "$words" "${words^}" >t.csv
  ingest --source images --reports t.csv --check-leaks -o out in
  jq -e '.leaks == {"trained": 3, "tested": 1, "image": 1, "text": 1, "near_duplicate": 0.8,
    "image_first": [{"study_id": "d", "of": "a", "likeness": 1}], "text_first": [{"study_id": "b", "of": "a", "likeness": .leaks.text_first[0].likeness}]}' out/summary.json
  jq -e '.leaks.text_first[0].likeness > 0.9 and .leaks.text_first[0].likeness < 1' out/summary.json
  ingest --source images --reports t.csv --check-leaks --near-duplicate 1 -o exact in
  jq -e '.leaks.text == 0 and .leaks.image == 1' exact/summary.json
  ingest --source images --reports t.csv -o none in
  jq -e 'has("leaks") | not' none/summary.json
}

@test "leaks against records of another run and against a list's reports" {
  ingest --source rexrank -o tested "$mini/rexrank"
  mkdir in && cp "$mini/rexrank/files/p10/p10000031/s50000001/frontal1.jpg" in/x.jpg
  printf 'study_id,file,split,findings,impression\nx,x.jpg,train,%s,%s\n' "$(jq -r '."50000002".section_findings' "$mini/rexrank/rexrank.json")" '' >t.csv
  ingest --source images --reports t.csv --exclude tested/studies.jsonl -o out in
  [ "$(jq -c '[.leaks.tested, .leaks.image, .leaks.text, .leaks.text_first[0].of]' out/summary.json)" = '[3,1,1,"50000002"]' ]
  ingest --source images --reports t.csv --exclude "$mini/rexrank/rexrank.json" -o list in
  [ "$(jq -c '[.leaks.tested, .leaks.image, .leaks.text]' list/summary.json)" = '[3,0,1]' ]
}

@test "--fail-on-leak is 65 for the kinds it names, and the output is there" {
  mkdir in && cp "$mini/ffa-ir/FFAIR/case1/0.png" in/1.png && cp in/1.png in/2.png
  printf 'study_id,file,split,findings\na,1.png,test,One report of some words.\nb,2.png,train,Another one that differs in all.\n' >t.csv
  ingest --source images --reports t.csv --fail-on-leak text,id -o out in
  run -65 --separate-stderr ingest --source images --reports t.csv --fail-on-leak text,image -o out in
  assert_contains "$stderr" "1 studies share a picture with tested ones (hint: see 'leaks' in 'out/summary.json')"
  [ -e out/DONE ]
  echo b >ids.txt
  run -65 --separate-stderr ingest --source images --reports t.csv --exclude ids.txt --fail-on-leak id -o out in
  assert_contains "$stderr" "1 studies share their id with tested ones"
}
