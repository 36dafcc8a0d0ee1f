#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest: no identifier of the input in any output or log line with --salt-file, --scrub and --forbid; check.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# What all tests share and none changes: a phantom folder 'ph', a secret 'salt', and all ids of the phantom in 'ids'.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 10 --validate 2 --test 3 --heldout 2 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  printf '0123456789abcdef0123456789abcdef' >salt
  awk -F , 'NR > 1 && $1 ~ /^[A-Z]-[0-9]+-[0-9]+$/ { print $1; print $2 }' ph/reports.csv | sort -u >ids
}

setup() {
  unirg_setup
  mkdir here && cd here
  ph=$BATS_FILE_TMPDIR/ph
  salt=$BATS_FILE_TMPDIR/salt
  ids=$BATS_FILE_TMPDIR/ids
}

# hash KIND NAME: the pseudonym, by openssl.
hash() { printf '%s\0%s' "$1" "$2" | openssl dgst -sha256 -mac HMAC -macopt "key:$(cat "$salt")" | sed "s/.*= \(.\{16\}\).*/$1-\1/"; }

# Fails if a line of 'ids', or a file name of the phantom, stands in what is given.
assert_anonymous() {
  [ -s "$ids" ]
  run -1 grep -rnFf "$ids" "$@"
  run -1 grep -rnE '[A-Z]-[0-9]{6}|\.dcm' "$@"
}

# ---------------------------------------------------------------- --salt-file

@test "ids, file names and dates of the input are in no output and no log line" {
  cp -r "$ph" in
  : >in/dicom/A/A-000001/A-000001-1.dcm
  cp in/dicom/B/B-000002/B-000002-1.dcm in/A-000099-1.dcm
  columns=$(head -n 1 in/reports.csv | tr -cd , | wc -c)
  printf 'B-000002-1,B-000002%*s\n' "$((columns - 1))" '' | tr ' ' , >>in/reports.csv # a study that stands twice
  (cd in && unirg-ingest --verbose --reports reports.csv --salt-file "$salt" -o ../out . >../log 2>&1)
  [ "$(wc -l <out/rejected.jsonl)" -ge 3 ]
  assert_anonymous out log
  for shard in out/*.tar; do tar -tf "$shard"; done >members
  assert_anonymous members
  [ "$(grep -cE '^study-[0-9a-f]{16}/image-[0-9a-f]{16}\.png$' members)" -eq "$(wc -l <members)" ]
  jq -es 'all((.study_id | test("^study-[0-9a-f]{16}$")) and (.patient_id | test("^patient-[0-9a-f]{16}$"))
    and (.source.path | test("^file-[0-9a-f]{16}$")) and (.source.sha256 | test("^[0-9a-f]{64}$"))
    and all(.images[]; (.id | test("^image-[0-9a-f]{16}$")) and (.source | test("^file-[0-9a-f]{16}$"))))' out/studies.jsonl
  jq -es 'all(.file | test("^file-[0-9a-f]{16}$")) and any(.reason == "duplicate study id '"'...'"'")' out/rejected.jsonl
  unirg-ingest --quiet verify out
}

@test "a pseudonym is what openssl makes of the salt and the name" {
  ingest --reports "$ph/reports.csv" --salt-file "$salt" -o out "$ph"
  ingest --reports "$ph/reports.csv" -o plain "$ph"
  id=$(jq -r .study_id plain/studies.jsonl | head -n 1)
  patient=$(field plain .patient_id "$id")
  image=$(field plain '.images[0].id' "$id")
  source=$(field plain '.images[0].source' "$id")
  [ "$(field out .patient_id "$(hash study "$id")")" = "$(hash patient "$patient")" ]
  [ "$(field out '.images[0].id' "$(hash study "$id")")" = "$(hash image "$id/$image")" ]
  [ "$(field out '.images[0].source' "$(hash study "$id")")" = "$(hash file "$source")" ]
  [ "$(field out .source.path "$(hash study "$id")")" = "$(hash file "$(field plain .source.path "$id")")" ]
}

@test "records are those without a salt but for names and dates: splits, priors, pictures, text" {
  ingest --reports "$ph/reports.csv" --label "$UNIRG_SOURCE/share/lexicon/chest.yaml" --salt-file "$salt" -o out "$ph"
  ingest --reports "$ph/reports.csv" --label "$UNIRG_SOURCE/share/lexicon/chest.yaml" -o plain "$ph"
  rest() { jq -c '[.site, .split, .encounter, .prior != null, .age, .sex, .race, .findings, .impression, .labels, (.images | map([.view, .sha256, .pixels_sha256]))]' "$1" | sort; }
  rest out/studies.jsonl >out.txt
  rest plain/studies.jsonl | cmp out.txt -
  [ "$(jq -c 'del(.leaks)' out/summary.json)" = "$(jq -c 'del(.leaks)' plain/summary.json)" ]
  # in the order of the hashes, in records and shards
  jq -r .study_id out/studies.jsonl | sort -c
  tar -tf out/images-00000.tar | sort -c
}

@test "dates move back by a number of days for each patient, and intervals stay" {
  cat >t.csv <<'END'
study_id,patient_id,date,age,report
a,p,2020-02-28,89,FINDINGS: x
b,p,2020-03-01,90,FINDINGS: x
c,p,2021-03-01,91,FINDINGS: x
d,q,2020-02-28,,FINDINGS: x
e,q,,,FINDINGS: x
END
  ingest --source table --reports t.csv --salt-file "$salt" -o out
  date_of() { field out .date "$(hash study "$1")"; }
  days() { echo $((($(date -ud "$2" +%s) - $(date -ud "$1" +%s)) / 86400)); }
  [ "$(days "$(date_of a)" "$(date_of b)")" -eq 2 ]
  [ "$(days "$(date_of b)" "$(date_of c)")" -eq 365 ]
  [ "$(date_of e)" = null ]
  p=$(days 2020-02-28 "$(date_of a)")
  q=$(days 2020-02-28 "$(date_of d)")
  [ "$p" -ne "$q" ]
  for shift in "$p" "$q"; do [ "$shift" -le -1 ] && [ "$shift" -ge -3652 ]; done
  digits=$(printf 'date\0p' | openssl dgst -sha256 -mac HMAC -macopt "key:$(cat "$salt")" | sed 's/.*= //')
  high=$((16#${digits:0:8})) low=$((16#${digits:8:8}))
  [ "$p" -eq $((-1 - (high % 3652 * (4294967296 % 3652) + low) % 3652)) ]
  [ "$(field out .prior "$(hash study c)")" = "$(hash study b)" ]
  [ "$(field out .prior "$(hash study b)")" = "$(hash study a)" ]
  [ "$(field out .age "$(hash study a)") $(field out .age "$(hash study c)")" = "89 90" ]
}

@test "another salt gives other names; the same one the same bytes, at any number of threads and in shards" {
  ingest --reports "$ph/reports.csv" --salt-file "$salt" --threads 1 -o one "$ph"
  ingest --reports "$ph/reports.csv" --salt-file "$salt" --threads 3 -o two "$ph"
  unirg_digests one >one.txt
  unirg_digests two | cmp one.txt -
  for k in 0 1; do ingest --reports "$ph/reports.csv" --salt-file "$salt" --shard $k/2 -o part-$k "$ph"; done
  ingest --reports "$ph/reports.csv" --salt-file "$salt" --parts part-0 --parts part-1 -o joined "$ph"
  unirg_digests joined | cmp one.txt -
  assert_anonymous part-0 part-1 joined
  printf 'another secret of many bytes' >other
  ingest --reports "$ph/reports.csv" --salt-file other -o three "$ph"
  [ -z "$(comm -12 <(jq -r '.study_id, .patient_id' one/studies.jsonl | sort -u) <(jq -r '.study_id, .patient_id' three/studies.jsonl | sort -u))" ]
  # a part of another salt is not joined, and the record tells nothing of the salt
  cp other salted && cp "$salt" salted.real
  ingest --reports "$ph/reports.csv" --salt-file salted --shard 1/2 -o part-1 "$ph"
  cp salted.real salted
  ingest --reports "$ph/reports.csv" --salt-file salted --shard 0/2 -o part-0 "$ph"
  run -65 --separate-stderr ingest --reports "$ph/reports.csv" --salt-file salted --parts part-0 --parts part-1 -o joined "$ph"
  run -1 grep -rF "$(sha256sum <"$salt" | cut -d ' ' -f 1)" one
}

@test "what a header alone tells is hashed, too" {
  mkdir in
  cp "$ph/dicom/A/A-000001/A-000001-1.dcm" in/SECRET7.dcm
  dcmodify --quiet --no-backup --modify 'PatientID=SECRET7' --modify 'PatientName=Doe^Jane' --modify StudyDate=20200229 in/SECRET7.dcm
  ingest --allow-missing-report --salt-file "$salt" -o out in
  uid=$(dcmdump --search StudyInstanceUID in/SECRET7.dcm | sed 's/.*\[\(.*\)\].*/\1/')
  run -1 grep -rE 'SECRET7|Doe|2020-02-29' out
  jq -e --arg id "study-$(printf %s "$uid" | sha256sum | cut -c 1-16)" '.study_id != $id and .date != null' out/studies.jsonl
  ingest check --forbid in out
}

@test "excluded studies are listed by their own ids, and leaks name hashes" {
  printf 'study_id,split,report\na,train,FINDINGS: The lungs are clear and the heart is of normal size today.\nb,test,FINDINGS: The lungs are clear and the heart is of normal size today.\nc,train,FINDINGS: x\n' >t.csv
  echo c >list
  ingest --source table --reports t.csv --exclude list --salt-file "$salt" -o out
  jq -e --arg a "$(hash study a)" --arg b "$(hash study b)" '.excluded == 1 and .leaks.text_first == [{study_id: $a, of: $b, likeness: 1}]' out/summary.json
}

@test "an error names nobody, but what the command line names" {
  printf 'study_id,patient_id,split,report\nsecret1,p,train,FINDINGS: x\nsecret2,p,test,FINDINGS: x\n' >t.csv
  run -65 --separate-stderr ingest --source table --reports t.csv --salt-file "$salt" -o out
  assert_contains "$stderr" "patient of study '...'"
  [[ $stderr != *secret* ]]
  run -66 --separate-stderr ingest --source table --reports absent.csv --salt-file "$salt" -o out
  assert_contains "$stderr" "'absent.csv'"
  run -64 --separate-stderr ingest --source table --reports t.csv --salt-file "$salt"
  assert_contains "$stderr" "missing option '--output'"
  [ ! -e out ]
}

@test "a salt that is short or missing is refused" {
  printf 'study_id,report\na,FINDINGS: x\n' >t.csv
  printf '0123456789abcde' >short
  run -65 --separate-stderr ingest --source table --reports t.csv --salt-file short -o out
  assert_contains "$stderr" "salt file 'short' has 15 bytes, 16 are needed"
  run -66 --separate-stderr ingest --source table --reports t.csv --salt-file absent -o out
  [ ! -e out ]
}

@test "every dataset's miniature is anonymous with a salt" {
  for dataset in mimic-cxr chexpert-plus rexgradient iu-xray padchest rexrank dmid ffa-ir hist; do
    echo "dataset: $dataset"
    "$BATS_TEST_DIRNAME/../datasets/make-miniature" $dataset "$ph" $dataset
    options=()
    if [ -d $dataset-reports ]; then options=(--reports "$dataset-reports"); fi
    ingest --source $dataset "${options[@]}" -o plain $dataset
    ingest --source $dataset "${options[@]}" --salt-file "$salt" -o out $dataset
    [ "$(wc -l <out/studies.jsonl)" -eq "$(wc -l <plain/studies.jsonl)" ]
    jq -r '.study_id, .patient_id, .images[].id, .images[].source, .source.path' plain/studies.jsonl | awk 'length >= 6' | sort -u >own
    jq -r .file plain/rejected.jsonl | awk 'length >= 6' | sort -u >>own
    run -1 grep -rnFf own out/studies.jsonl out/rejected.jsonl out/summary.json
  done
}

# ---------------------------------------------------------------- --scrub

@test "--scrub takes names, numbers and dates out of all sections and says how many" {
  cat >t.jsonl <<'END'
{"study_id": "a", "indication": "94 year old, MRN 1234567.", "comparison": "3/7/2019.", "findings": "Clear. Seen by Dr. Jane Doe.", "impression": "Call 617-555-0123 or j.doe@example.org. Nodule 1.5 x 2 cm."}
END
  ingest --source table --reports t.jsonl --scrub -o out
  [ "$(field out '[.indication, .comparison, .findings, .impression]' a)" = \
    '["___ year old, MRN ___.","___.","Clear. Seen by Dr. ___.","Call ___ or ___. Nodule 1.5 x 2 cm."]' ]
  jq -e '.scrubbed | .age == 1 and ."record-number" == 1 and .phone == 1 and .email == 1 and ."title-and-name" == 1 and ."day-and-month" == 0' out/summary.json
  ingest --source table --reports t.jsonl -o plain
  jq -e 'has("scrubbed") | not' plain/summary.json
}

@test "--scrub-rules are other rules, and bad ones are 78" {
  printf 'study_id,findings\na,Clear. Seen by Smith.\n' >t.csv
  printf 'schema: unirg.scrub/1\nversion: mine\nrules:\n  - {name: smith, pattern: "by (?<id>Smith)"}\n' >rules.yaml
  ingest --source table --reports t.csv --scrub --scrub-rules rules.yaml -o out
  [ "$(field out .findings a)" = "Clear. Seen by ___." ]
  [ "$(jq -r '.inputs["rules.yaml"]' out/run.json)" = "$(sha256sum <rules.yaml | cut -d ' ' -f 1)" ]
  sed -i 's/by (/by ((/' rules.yaml
  run -78 --separate-stderr ingest --source table --reports t.csv --scrub --scrub-rules rules.yaml -o bad
  assert_contains "$stderr" "rules.yaml:4: bad pattern: "
  run -64 --separate-stderr ingest --source table --reports t.csv --scrub-rules rules.yaml -o bad
  assert_contains "$stderr" "--scrub-rules needs --scrub"
  [ ! -e bad ]
}

@test "text that a source keeps besides is scrubbed, too" {
  "$BATS_TEST_DIRNAME/../datasets/make-miniature" ffa-ir "$ph" ffa-ir
  printf 'schema: unirg.scrub/1\nversion: mine\nrules:\n  - {name: all, pattern: "(?s).+"}\n' >rules.yaml
  ingest --source ffa-ir --scrub --scrub-rules rules.yaml -o out ffa-ir
  jq -es 'length > 0 and all(.report_zh == "___" and .findings == "___")' out/studies.jsonl
}

# ---------------------------------------------------------------- --forbid and check

@test "check names file and line of each identifier, and never the identifier" {
  ingest --reports "$ph/reports.csv" -o out "$ph"
  id=$(jq -r .study_id out/studies.jsonl | sed -n 3p)
  printf '# one\n%s\n' "$id" >one
  run -65 --separate-stderr unirg-ingest check --forbid one out
  assert_contains "$output" "out/studies.jsonl:3: line 2 of 'one'"
  assert_contains "$output" "out/images-00000.tar:3: line 2 of 'one'"
  assert_contains "$stderr" "places hold a known identifier: out/images-00000.tar:3 (line 2 of 'one')"
  [[ $output$stderr != *"$id"* ]]
  echo 'Nobody^At^All' >none
  run -0 --separate-stderr unirg-ingest check --forbid none out
  [ -z "$output" ]
  assert_contains "$stderr" "none of 1 identifiers"
}

@test "check reads identifiers from headers, and a salted output has none" {
  mkdir in && cp -r "$ph/dicom" in/
  file=$(find in -name '*.dcm' | sort | head -n 1)
  dcmodify --quiet --no-backup --modify 'PatientName=Doe^Jane' "$file"
  ingest --reports "$ph/reports.csv" -o out in
  sed -i '1s/"findings":"/"findings":"Jane Doe, seen today. /' out/studies.jsonl
  run -65 --separate-stderr unirg-ingest check --forbid in out/studies.jsonl
  assert_contains "$output" "out/studies.jsonl:1: PatientName of file 1 below 'in'"
  ingest --reports "$ph/reports.csv" --salt-file "$salt" --forbid in --forbid "$ids" -o safe in
  ingest check --forbid in --forbid "$ids" safe
  [ "$(wc -l <safe/studies.jsonl)" -eq "$(wc -l <out/studies.jsonl)" ]
}

@test "names are found whatever their script and case, from groups of a name and from sequences, too" {
  mkdir in && cp -r "$ph/dicom" in/
  file=$(find in -name '*.dcm' | sort | head -n 1)
  dcmodify --quiet --no-backup --insert 'SpecificCharacterSet=ISO_IR 192' --insert 'PatientName=MÜLLER^JÖRG=山田^太郎' \
    --insert '(0010,1002)[0].(0010,0020)=OLD-445566' --insert '(0040,a073)[0].(0040,a075)=Brown^Anna' "$file"
  for text in "Jörg Müller" "患者山田太郎は" old445566x "OLD 445566" "brown, anna" Jones; do
    jq -n --arg text "$text" '{findings: $text}' >one.json
    ingest check --forbid in one.json >places 2>&1 && echo "$text"
  done >unseen
  [ "$(cat unseen)" = $'old445566x\nJones' ]
}

@test "a run whose output would hold an identifier is 65 and writes nothing" {
  printf 'study_id,report\nM-4711000,FINDINGS: x\n' >t.csv
  echo M-4711000 >names
  run -65 --separate-stderr ingest --source table --reports t.csv --forbid names -o out
  assert_contains "$stderr" "studies.jsonl:1 (line 1 of 'names')"
  assert_contains "$stderr" "nothing was written"
  [ ! -e out ]
  assert_no_leftovers .
  ingest --source table --reports t.csv --salt-file "$salt" --forbid names -o out
  printf 'study_id,report\na,FINDINGS: Patient M-4711000 is well.\n' >t.csv
  run -65 --separate-stderr ingest --source table --reports t.csv --salt-file "$salt" --forbid names -o text
  [ ! -e text ]
}

@test "check looks at text, at names of files, and not at numbers of JSON" {
  echo 4711000 >names
  printf '{"schema":"x","bytes":4711000}\n' >a.jsonl
  unirg-ingest --quiet check --forbid names a.jsonl
  mkdir p4711000
  echo text >p4711000/b.md
  printf 'one\nstudy 4711000\n' >c.log
  run -65 --separate-stderr unirg-ingest check --forbid names . c.log
  [ "$output" = "./c.log:2: line 1 of 'names'
./names:1: line 1 of 'names'
./p4711000/b.md:0: line 1 of 'names'
c.log:2: line 1 of 'names'" ]
}

@test "check: what is too short is told, and what is missing is 64 or 66" {
  printf '12\nM-4711000\n' >names
  echo 12 >a.md
  run -0 --separate-stderr unirg-ingest check --forbid names a.md
  assert_contains "$stderr" "1 identifiers of less than four letters and digits are not looked for"
  run -64 --separate-stderr unirg-ingest check a.md
  assert_contains "$stderr" "missing option '--forbid'"
  run -64 --separate-stderr unirg-ingest check --forbid names
  run -66 --separate-stderr unirg-ingest check --forbid names absent
  run -66 --separate-stderr unirg-ingest check --forbid absent a.md
  mkdir none
  run -65 --separate-stderr unirg-ingest check --forbid none a.md
  assert_contains "$stderr" "'none' holds no identifier"
}
