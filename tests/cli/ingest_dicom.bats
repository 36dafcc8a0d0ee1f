#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest --source dicom: Structured Reports, DICOMDIR, archives, warnings, damaged files.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers

# Three studies of a phantom as files without a table: in/a/1.dcm, in/b/2.dcm, in/c/3.dcm.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 3 --validate 0 --test 0 --heldout 0 --side 64 --transfer-syntaxes explicit-le=1 --output ph
  mkdir -p in/a in/b in/c
  k=0
  find ph/dicom -name '*.dcm' | sort | head -n 3 | while read -r file; do
    k=$((k + 1))
    cp "$file" "in/$(tr 123 abc <<<$k)/$k.dcm"
  done
}

setup() {
  unirg_setup
  mkdir here && cd here
  cp -r "$BATS_FILE_TMPDIR/in" .
}

ingest() { unirg-ingest --quiet --source dicom "$@"; }

counts() { jq -r '[.files, .used, .rejected, .ignored, .studies] | join(" ")' "$1/summary.json"; }
reason() { jq -r --arg file "$2" 'select(.file == $file) | .reason' "$1/rejected.jsonl"; }
tag() { dcmdump --search "$2" "$1" | sed 's/.*\[\(.*\)\].*/\1/'; }

# A Basic Text SR of the study of file $1 as file $2, of time $3, with the findings $4.
structured_report() {
  cat >sr.dump <<END
(0008,0005) CS [ISO_IR 100]
(0008,0016) UI [1.2.840.10008.5.1.4.1.1.88.11]
(0008,0018) UI [1.2.826.0.1.$RANDOM$RANDOM]
(0008,0023) DA [20240101]
(0008,0033) TM [$3]
(0008,0060) CS [SR]
(0010,0020) LO [$(tag "$1" PatientID)]
(0020,000d) UI [$(tag "$1" StudyInstanceUID)]
(0020,000e) UI [1.2.826.0.1.2]
(0040,a040) CS [CONTAINER]
(0040,a730) SQ
(fffe,e000) na
(0040,a010) CS [CONTAINS]
(0040,a040) CS [CONTAINER]
(0040,a043) SQ
(fffe,e000) na
(0008,0100) SH [121070]
(0008,0102) SH [DCM]
(0008,0104) LO [Findings]
(fffe,e00d) na
(fffe,e0dd) na
(0040,a730) SQ
(fffe,e000) na
(0040,a010) CS [CONTAINS]
(0040,a040) CS [TEXT]
(0040,a160) UT [$4]
(fffe,e00d) na
(fffe,e0dd) na
(fffe,e00d) na
(fffe,e0dd) na
END
  dump2dcm --quiet sr.dump "$2"
}

@test "a Structured Report among the files is the report of its study" {
  structured_report in/a/1.dcm in/a/old.dcm 080000 'Old text.'
  structured_report in/a/1.dcm in/a/new.dcm 090000 "Gro$(printf '\337')es Herz."
  unirg-ingest --quiet --source dicom --threads 2 -o st in
  [ "$(counts st)" = "5 2 3 0 1" ]
  [ "$(jq -c '[.findings, .source.path, .images[0].source]' st/studies.jsonl)" = '["Großes Herz.","a/new.dcm","a/1.dcm"]' ]
  [ "$(jq -r .modality st/studies.jsonl)" = "$(tag in/a/1.dcm Modality)" ]
  [ "$(reason st a/old.dcm)" = "another structured report of its study is newer" ]
  assert_contains "$(reason st b/2.dcm)" "missing report: no row"
  ingest --allow-missing-report --threads 1 -o all in
  [ "$(counts all)" = "5 4 1 0 3" ]
}

@test "a table's report comes before a Structured Report, which fills a row without one" {
  structured_report in/a/1.dcm in/a/sr.dcm 080000 'From the SR.'
  structured_report in/b/2.dcm in/b/sr.dcm 080000 'From the SR.'
  printf 'study_id,study_uid,report\nx,%s,FINDINGS: From the table.\ny,%s,\n' \
    "$(tag in/a/1.dcm StudyInstanceUID)" "$(tag in/b/2.dcm StudyInstanceUID)" >t.csv
  ingest --reports t.csv -o st in
  [ "$(jq -r '[.study_id, .findings] | join(" ")' st/studies.jsonl)" = $'x From the table.\ny From the SR.' ]
  [ "$(reason st a/sr.dcm)" = "the table gives the report of its study" ]
  [ "$(counts st)" = "5 3 2 0 2" ]
}

@test "a folder whose files have no report makes no study and says so" {
  run -0 --separate-stderr unirg-ingest --source dicom -o st in
  assert_contains "$stderr" "no file made a study (hint: see rejected.jsonl; is --reports or --allow-missing-report missing?)"
  [ "$(counts st)" = "3 0 3 0 0" ]
}

@test "a DICOMDIR is the list of its files" {
  mkdir cd
  cp in/a/1.dcm cd/IM1
  cp in/b/2.dcm cd/IM2
  cp in/c/3.dcm cd/OTHER
  (cd cd && dcmmkdir --quiet --invent +D DICOMDIR IM1 IM2)
  ingest --allow-missing-report -o st cd/DICOMDIR
  [ "$(counts st)" = "2 2 0 0 2" ]
  rm cd/IM2
  (cd cd && ingest --allow-missing-report -o ../st DICOMDIR)
  [ "$(counts st)" = "2 1 1 0 1" ]
  assert_contains "$(reason st IM2)" "no such file"
  echo nonsense >cd/DICOMDIR
  run -65 --separate-stderr ingest --allow-missing-report -o bad cd/DICOMDIR
  assert_contains "$stderr" "cd/DICOMDIR"
  run -64 --separate-stderr ingest --allow-missing-report -o cd/out cd/DICOMDIR
  assert_contains "$stderr" "lie within each other"
}

@test "a zip and a tar give the bytes of their folder" {
  ingest --allow-missing-report -o folder in
  (cd in && zip -qr ../x.zip . && tar -cf ../x.tar . && tar -czf ../x.tgz .)
  unirg_digests folder >expected.txt
  for archive in x.zip x.tar x.tgz; do
    ingest --allow-missing-report -o st "$archive"
    unirg_digests st | cmp expected.txt -
    assert_no_leftovers .
  done
}

@test "an archive's limits end the run and name the option" {
  (cd in && zip -qr ../x.zip .)
  head -c 1000000 /dev/zero >zeros
  tar -czf bomb.tgz zeros
  run -65 --separate-stderr ingest --allow-missing-report --archive-entries 2 -o st x.zip
  assert_contains "$stderr" "more than 2 entries (hint: --archive-entries)"
  run -65 --separate-stderr ingest --allow-missing-report --archive-bytes 500000 -o st bomb.tgz
  assert_contains "$stderr" "more than 500000 bytes unpacked (hint: --archive-bytes)"
  run -65 --separate-stderr ingest --allow-missing-report --archive-entry-bytes 999999 -o st bomb.tgz
  assert_contains "$stderr" "has more than 999999 bytes (hint: --archive-entry-bytes)"
  head -c 2000 x.zip >cut.zip
  run -65 --separate-stderr ingest --allow-missing-report -o st cut.zip
  [ ! -e st ]
  assert_no_leftovers .
}

@test "an entry that leads out of the archive is rejected and written nowhere" {
  tar -cPf x.tar --transform 's,^in/b/2,../../escaped,' in/a/1.dcm in/b/2.dcm
  ln -s /etc in/link
  tar -rf x.tar in/link
  ingest --allow-missing-report -o st x.tar
  [ "$(counts st)" = "3 1 2 0 1" ]
  [ "$(reason st ../../escaped.dcm)" = "its name leads out of the archive" ]
  [ "$(reason st in/link)" = "a link or device in an archive is not followed" ]
  [ -z "$(find .. -name 'escaped*')" ]
}

@test "burned-in text and overlays are recorded and warned of" {
  dcmodify --quiet --no-backup --modify BurnedInAnnotation=YES in/a/1.dcm
  dcmodify --quiet --no-backup --insert '(6000,0010)=64' --insert '(6000,0011)=64' in/b/2.dcm
  run -0 --separate-stderr unirg-ingest --source dicom --allow-missing-report -o st in
  assert_contains "$stderr" "1 images say that text stands in their pixels"
  assert_contains "$stderr" "1 images have overlays, which are not drawn"
  [ "$(jq -c '[.images[0] | .source, .burned_in_annotation, .overlays]' st/studies.jsonl | sort)" = \
    "$(printf '["a/1.dcm","YES",null]\n["b/2.dcm",null,1]\n["c/3.dcm",null,null]')" ]
  jq -e '.burned_in_annotation == 1 and .overlay == 1' st/summary.json
}

@test "the grey-scale steps of the header are those of the picture" {
  pixels() { ingest --allow-missing-report -o st in && tar -xOf st/images-00000.tar >picture.png && sha256sum <picture.png; }
  rm -r in/b in/c
  plain=$(pixels)
  dcmodify --quiet --no-backup --insert VOILUTFunction=SIGMOID in/a/1.dcm
  sigmoid=$(pixels)
  dcmodify --quiet --no-backup --insert VOILUTFunction=LINEAR_EXACT in/a/1.dcm
  exact=$(pixels)
  dcmodify --quiet --no-backup --modify PresentationLUTShape=INVERSE --insert VOILUTFunction=LINEAR in/a/1.dcm
  inverse=$(pixels)
  [ "$plain" != "$sigmoid" ] && [ "$sigmoid" != "$exact" ] && [ "$plain" != "$inverse" ]
}

@test "every coding that DCMTK writes gives the same picture" {
  rm -r in/b in/c
  mv in/a/1.dcm one.dcm
  dcmconv --quiet +ti one.dcm in/a/1.dcm && ingest --allow-missing-report -o st in
  expected=$(jq -r '.images[0] | .sha256, .pixels_sha256' st/studies.jsonl)
  for coding in 'dcmconv +te' 'dcmconv +tb' 'dcmconv +td' 'dcmcrle' 'dcmcjpeg +e1' 'dcmcjpls'; do
    echo "coding: $coding"
    # shellcheck disable=SC2086  # a command and its option
    $coding --quiet one.dcm in/a/1.dcm
    ingest --allow-missing-report -o st in
    [ "$(jq -r '.images[0] | .sha256, .pixels_sha256' st/studies.jsonl)" = "$expected" ]
  done
}

@test "a file is cut anywhere: it is used or rejected, and the others are not touched" {
  size=$(stat -c %s in/a/1.dcm)
  for part in 1 2 3 5 7 9; do head -c $((size * part / 10)) in/a/1.dcm >in/cut$part.dcm; done
  : >in/empty.dcm
  ingest --allow-missing-report -o st in
  jq -e '.files == 10 and .used + .rejected == 10 and .used >= 3' st/summary.json
  [ "$(jq -r 'select(.reason == "") | .file' st/rejected.jsonl)" = "" ]
  [ "$(reason st empty.dcm)" = "file is empty" ]
}

# The check that runs on the damaged files of ../shared, on ones made here.
@test "tests/dicom/check-malformed tells a bad run from a good one" {
  mkdir damaged
  head -c 900 in/a/1.dcm >damaged/cut.dcm
  echo text >damaged/text.dcm
  run -0 "$UNIRG_SOURCE/tests/dicom/check-malformed" "$UNIRG_BIN" damaged
  assert_contains "$output" "2 files: 0 used, 2 rejected with a reason, 0 failures"
  run -77 "$UNIRG_SOURCE/tests/dicom/check-malformed" "$UNIRG_BIN" absent
  assert_contains "$output" "skipped: there is no folder 'absent'"
  mkdir bin
  printf '#!/bin/sh\nexit 139\n' >bin/unirg-ingest
  chmod +x bin/unirg-ingest
  run -1 "$UNIRG_SOURCE/tests/dicom/check-malformed" bin damaged
  assert_contains "$output" "failed: cut.dcm: status 139"
}
