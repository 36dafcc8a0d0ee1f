#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest beyond plain film: TIFF pictures, whole slides, CT series, mammograms.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# What all tests share and none changes: a phantom folder 'ph', and its first picture as g.png and g.pgm.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 6 --validate 0 --test 0 --heldout 0 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  local first
  first=$(find ph/dicom -name '*.dcm' | LC_ALL=C sort | head -n 1)
  dcmj2pnm --quiet --write-png "$first" g.png
  dcmj2pnm --quiet --write-raw-pnm "$first" g.pgm
  "$BATS_TEST_DIRNAME/../datasets/make-miniature" hist ph hist
}

setup() {
  unirg_setup
  mkdir here && cd here
  shared=$BATS_FILE_TMPDIR
}

# ---------------------------------------------------------------- TIFF

@test "TIFF: strips and tiles, every compression and byte order give the picture that the PNG gives" {
  mkdir in
  cp "$shared/g.png" in/png.png
  ppm2tiff -c none "$shared/g.pgm" in/plain.tif
  tiffcp -c lzw:2 in/plain.tif in/lzw.tiff
  tiffcp -c zip -t -w 16 -l 32 in/plain.tif in/tiled.TIF
  tiffcp -c packbits -B in/plain.tif in/big-endian.tif
  tiffcp -8 -c lzw in/plain.tif in/bigtiff.tif
  {
    echo study_id,file,report
    (cd in && for file in *; do echo "$file,$file,FINDINGS: $file."; done)
  } >t.csv
  ingest --source images --reports t.csv -o out in
  assert_counts out 6 6 0 0 0 6
  [ "$(jq -r '.images[0].sha256' out/studies.jsonl | sort -u | wc -l)" -eq 1 ]
  [ "$(field out .images[0].decoder tiled.TIF)" = tiff ]
  [ "$(field out '[.images[0].id, .images[0].source]' lzw.tiff)" = '["lzw","lzw.tiff"]' ]
}

@test "TIFF: found by name without extension, scaled, cached, the same at any number of threads" {
  mkdir in
  for k in 1 2 3; do ppm2tiff "$shared/g.pgm" in/$k.tif; done
  printf 'study_id,file,report\na,1,FINDINGS: x.\nb,2,FINDINGS: y.\nc,3,FINDINGS: z.\n' >t.csv
  ingest --source images --reports t.csv --longest-side 32 --threads 1 -o one in
  assert_counts one 3 3 0 0 0 3
  [ "$(field one .images[0].width b)" = 32 ]
  for _ in 1 2; do ingest --source images --reports t.csv --longest-side 32 --threads 3 --cache cache -o three in; done
  [ "$(jq -c .notes.cache three/run.json)" = '{"found":3,"made":0}' ]
  diff <(unirg_digests one) <(unirg_digests three)
}

@test "TIFF: read by a tool whose launcher has SIGCHLD ignored" {
  mkdir in
  ppm2tiff "$shared/g.pgm" in/1.tif
  run -0 --separate-stderr env --ignore-signal=CHLD unirg-ingest --quiet --source images --allow-missing-report -o out in
  assert_counts out 1 1 0 0 0 1
}

@test "TIFF: damaged, hostile and unreadable ones are rejected with the reason" {
  mkdir in
  ppm2tiff -c lzw "$shared/g.pgm" in/whole.tif
  head -c 900 in/whole.tif >in/cut.tif
  # Width and height of 4,294,967,295 in a file of few bytes.
  printf 'II*\0\10\0\0\0\2\0\0\1\4\0\1\0\0\0\377\377\377\377\1\1\4\0\1\0\0\0\377\377\377\377\0\0\0\0' >in/huge.tif
  ppm2tiff -c none "$shared/g.pgm" in/deep.tif
  tiffset -s 262 5 in/deep.tif # PhotometricInterpretation: CMYK
  printf 'II*\0' >in/four.tif
  printf 'study_id,file,report\na,cut.tif,FINDINGS: x\nb,huge.tif,FINDINGS: x\nc,deep.tif,FINDINGS: x\nd,four.tif,FINDINGS: x\ne,whole.tif,FINDINGS: x\n' >t.csv
  (
    ulimit -v 4000000
    ingest --source images --reports t.csv -o out in
  )
  assert_counts out 5 1 4 0 4 1
  assert_contains "$(reason out cut.tif)" "damaged TIFF: "
  assert_contains "$(reason out huge.tif)" "TIFF"
  [ "$(reason out deep.tif)" = "TIFF has the unsupported colour space CMYK" ]
  assert_contains "$(reason out four.tif)" "damaged TIFF: "
}

# ---------------------------------------------------------------- whole slides

# Study $3 of folder $1 has $2 tiles, row by row, each where its record says.
assert_tiles() {
  [ "$(field "$1" '.images | length' "$3")" -eq "$2" ]
  [ "$(field "$1" '.images | map(.tile | [.y, .x]) | . == (sort | unique)' "$3")" = true ]
  # shellcheck disable=SC2016  # $stem is jq's
  [ "$(field "$1" '.images | all(.id == "\($stem)-x\(.tile.x)-y\(.tile.y)" and .decoder == "openslide")' "$3" --arg stem "$3")" = true ]
}
field() { jq -cr --arg id "$3" "${@:4}" "select(.study_id == \$id) | $2" "$1/studies.jsonl"; }

@test "slides: tiles with tissue, evenly spaced, row by row, in colour" {
  ingest --source hist --slide-tile-size 64 --slide-tiles 8 -o out "$shared/hist"
  assert_counts out 5 4 0 1 0 4
  id=TCGA-AA-0001-01Z-00-DX1
  assert_tiles out 8 $id
  [ "$(field out '.images | map([.width, .height, .tile.width, .tile.mpp, .tile.level]) | unique' $id)" = '[[64,64,64,0.5,0]]' ]
  [ "$(field out '.images | all(.tile.tissue >= 0.5)' $id)" = true ]
  [ "$(jq .tiles out/summary.json)" -eq 24 ]
  # The ellipse has its middle at 256, 192 and half axes of 200 and 150: the corners of the grid are glass.
  candidates=$(field out '.images[0].tile.candidates' $id)
  [ "$candidates" -ge 20 ] && [ "$candidates" -le 32 ]
  [ "$(field out '.images | any(.tile.x == 0 and .tile.y == 0)' $id)" = false ]
  read -r shard offset bytes < <(field out '.images[3] | "\(.shard) \(.offset) \(.bytes)"' $id)
  tail -c +$((offset + 1)) "out/$shard" | head -c "$bytes" >tile.png
  [ "$(field out '.images[3].sha256' $id)" = "$(sha256sum <tile.png | cut -d ' ' -f 1)" ]
  [ "$(od -An -tu1 -j 25 -N 1 tile.png | tr -d ' ')" -eq 2 ] # PNG colour type: RGB
}

@test "slides: the options choose number, size, resolution and least tissue, and are part of the cache's key" {
  ingest --source hist --slide-tile-size 64 --slide-tiles 3 --cache cache -o base "$shared/hist"
  [ "$(jq -c .notes.cache base/run.json)" = '{"found":0,"made":4}' ]
  id=TCGA-AA-0002-01Z-00-DX1
  for change in '--slide-tiles 4' '--slide-tile-size 32' '--slide-mpp 1' '--slide-tissue 1'; do
    options=(--slide-tile-size 64 --slide-tiles 3)
    read -ra more <<<"$change"
    for k in 0 2; do [ "${options[k]}" != "${more[0]}" ] || options[k + 1]=${more[1]}; done
    [[ " ${options[*]} " == *" ${more[0]} "* ]] || options+=("${more[@]}")
    ingest --source hist "${options[@]}" --cache cache -o other "$shared/hist"
    ingest --source hist "${options[@]}" -o plain "$shared/hist"
    diff <(unirg_digests other) <(unirg_digests plain)
    [ "$(jq -c .notes.cache other/run.json)" = '{"found":1,"made":3}' ] # the PNG is as it was
    ! cmp -s base/studies.jsonl other/studies.jsonl
  done
  ingest --source hist --slide-tile-size 64 --slide-tiles 3 --longest-side 32 --cache cache -o again "$shared/hist"
  [ "$(jq -c .notes.cache again/run.json)" = '{"found":3,"made":1}' ] # the longest side is the PNG's
  ingest --source hist --slide-mpp 1 --slide-tile-size 64 --slide-tiles 3 -o coarse "$shared/hist"
  [ "$(field coarse '.images | map([.width, .tile.width, .tile.mpp]) | unique' $id)" = '[[64,128,1]]' ]
  ingest --source hist --slide-mpp 0 --slide-tile-size 64 --slide-tiles 3 -o asis "$shared/hist"
  [ "$(field asis '.images | map(.tile.width) | unique' $id)" = '[64]' ]
  run -64 --separate-stderr unirg-ingest --source hist --slide-tiles 0 -o x "$shared/hist"
}

@test "slides: the same bytes at any number of threads, with a cache, in shards joined, and salted" {
  options=(--source hist --slide-tile-size 64 --slide-tiles 5)
  ingest "${options[@]}" --threads 1 -o one "$shared/hist"
  ingest "${options[@]}" --threads 3 -o three "$shared/hist"
  diff <(unirg_digests one) <(unirg_digests three)
  for k in 0 1; do ingest "${options[@]}" --shard $k/2 -o part-$k "$shared/hist"; done
  ingest "${options[@]}" --parts part-0 --parts part-1 -o joined "$shared/hist"
  diff <(unirg_digests one) <(unirg_digests joined)
  head -c 32 /dev/urandom >salt
  ingest "${options[@]}" --salt-file salt -o salted "$shared/hist"
  run -1 grep -r TCGA salted --include '*.jsonl' --include '*.tar'
  [ "$(jq '.images | length' salted/studies.jsonl | sort -n | paste -sd ' ')" = '1 5 5 5' ]
  unirg-ingest --quiet verify one
}

@test "slides: a folder of them with a table; what cannot be cut into tiles is rejected with the reason" {
  mkdir in
  cp "$shared/hist/slides/TCGA-AA-0001-01Z-00-DX1.tif" in/a.tif
  cp in/a.tif in/coarse.tif
  tiffset -s 282 25400.0 in/coarse.tif && tiffset -s 283 25400.0 in/coarse.tif # one micron a pixel
  head -c 3000 in/a.tif >in/cut.tif
  cp in/a.tif in/unsized.tif
  tiffset -s 296 1 in/unsized.tif # no unit
  printf 'study_id,file,report\na,a.tif,FINDINGS: a.\nb,coarse.tif,FINDINGS: b.\nc,cut.tif,FINDINGS: c.\nd,unsized.tif,FINDINGS: d.\n' >t.csv
  ingest --source images --reports t.csv --slide-tile-size 64 --slide-tiles 2 -o out in
  assert_counts out 4 1 3 0 3 1
  [ "$(reason out coarse.tif)" = 'slide has 1 microns per pixel, too coarse for 0.5' ]
  assert_contains "$(reason out unsized.tif)" 'slide does not say how large its pixels are (hint: --slide-mpp 0'
  assert_contains "$(reason out cut.tif)" 'damaged'
  ingest --source images --reports t.csv --slide-tile-size 512 -o none in
  [ "$(reason none a.tif)" = 'slide is smaller than a tile' ]
}

@test "slides: the data card tells of tiles" {
  ingest --source hist --slide-tile-size 64 --slide-tiles 5 -o out "$shared/hist"
  unirg-ingest --quiet stats --format json out >card.json
  [ "$(jq -c .tiles card.json)" = '{"images":15,"slides":3,"microns_per_pixel":{"0.5":15}}' ]
  assert_contains "$(unirg-ingest --quiet stats out)" "15 images are tiles of 3 slides."
  printf 'study_id,report\na,FINDINGS: x.\n' >t.csv
  ingest --source table --reports t.csv -o text
  [ "$(unirg-ingest --quiet stats --format json text | jq -c .tiles)" = null ]
}

# ---------------------------------------------------------------- CT

# A slice at height $2 as file $1, of series $3, Image Type $4: 16 x 16, stored values of air, soft tissue and bone, Study
# Instance UID 1.2.826.0.1.77. With $5 "bare" without rescale.
ct_slice() {
  local values='' k
  for ((k = 0; k < 256; ++k)); do values+="$(printf '%04x' $((24 + (k * 13 + $2 * 7) % 2000)))\\"; done
  {
    cat <<END
(0008,0016) UI [1.2.840.10008.5.1.4.1.1.2]
(0008,0018) UI [1.2.826.0.1.77.$((RANDOM * 32768 + RANDOM))]
(0008,0008) CS [${4:-ORIGINAL\\PRIMARY\\AXIAL}]
(0008,0060) CS [CT]
(0010,0020) LO [P77]
(0020,000d) UI [1.2.826.0.1.77]
(0020,000e) UI [${3:-1.2.826.0.1.77.1}]
(0020,0032) DS [-250\\-250\\$2]
(0020,0037) DS [1\\0\\0\\0\\1\\0]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US 16
(0028,0011) US 16
(0028,0100) US 16
(0028,0101) US 12
(0028,0102) US 11
(0028,0103) US 0
(0028,1050) DS [40]
(0028,1051) DS [400]
END
    [ "${5:-}" = bare ] || printf '(0028,1052) DS [-1024]\n(0028,1053) DS [1]\n'
    echo "(7fe0,0010) OW ${values%\\}"
  } >slice.dump
  dump2dcm --quiet slice.dump "$1"
}

# A series of 12 slices, 5 mm apart, whose names say nothing of their order, a second one of 2, and a localizer.
make_ct() {
  mkdir in
  local k
  for ((k = 0; k < 12; ++k)); do ct_slice "in/s$((k * 7 % 12)).dcm" $((k * 5)); done
  ct_slice in/t1.dcm 20 1.2.826.0.1.77.2
  ct_slice in/t0.dcm 10 1.2.826.0.1.77.2
  ct_slice in/scout.dcm 0 1.2.826.0.1.77.3 'ORIGINAL\PRIMARY\LOCALIZER'
  printf 'study_id,study_uid,report\nct,1.2.826.0.1.77,FINDINGS: Lungs are clear.\n' >t.csv
}

@test "CT: key slices by position, not by name; localizers are left out and told of" {
  make_ct
  run -0 --separate-stderr unirg-ingest --reports t.csv --ct-slices 4 -o out in
  assert_contains "$stderr" "ignored: 8 CT slices by --ct-rule, 1 localizers, 0 files by --max-images"
  assert_counts out 15 6 0 9 0 1
  [ "$(jq -c '[.ct_localizers, .ct_left_out]' out/summary.json)" = '[1,8]' ]
  # Middles of four parts of 0 .. 55: 6.9, 20.6, 34.4, 48.1.
  [ "$(field out '[.images[] | "\(.slice.stack):\(.slice.position)/\(.slice.of)"] | join(" ")' ct)" = '1:5/12 1:20/12 1:35/12 1:50/12 2:10/2 2:20/2' ]
  [ "$(field out '[.images[].id] | join(" ")' ct)" = 's7 s4 s1 s10 t0 t1' ]
  [ "$(field out .modality ct)" = CT ]
  ingest --reports t.csv --ct-rule all -o all in
  [ "$(field all '[.images[] | select(.slice.stack == 1) | .slice.position] | . == sort and length == 12' ct)" = true ]
  assert_counts all 15 14 0 1 0 1
}

@test "CT: a montage of key slices; the longest side is that of the whole" {
  make_ct
  ingest --reports t.csv --ct-rule montage --ct-slices 9 -o out in
  [ "$(field out '[.images[] | [.id, .width, .height]]' ct)" = '[["s7-montage",48,48],["t0-montage",32,16]]' ]
  [ "$(field out '.images[0].montage | [.rows, .columns, .of, (.positions | length)]' ct)" = '[3,3,12,9]' ]
  assert_counts out 15 11 0 4 0 1
  ingest --reports t.csv --ct-rule montage --ct-slices 9 --longest-side 24 -o small in
  [ "$(field small '[.images[0] | .width, .height]' ct)" = '[24,24]' ]
  truncate -s -100 in/s4.dcm
  ingest --reports t.csv --ct-rule montage --ct-slices 12 -o cut in
  assert_counts cut 15 2 12 1 0 1
  [ "$(reason cut s7.dcm)" = 'another slice of its montage cannot be used' ]
}

@test "CT: windows in Hounsfield units change pixels and the cache's key; without units they are refused" {
  make_ct
  for window in file lung mediastinum bone; do
    ingest --reports t.csv --ct-window $window --ct-slices 2 --cache cache -o $window in
    ingest --reports t.csv --ct-window $window --ct-slices 2 -o plain in
    diff <(unirg_digests $window) <(unirg_digests plain)
    [ "$(jq -c .notes.cache $window/run.json)" = '{"found":0,"made":4}' ]
  done
  [ "$(cat file/studies.jsonl lung/studies.jsonl mediastinum/studies.jsonl bone/studies.jsonl | jq -r '.images[0].sha256' | sort -u | wc -l)" -eq 4 ]
  [ "$(field lung '[.images[].window] | unique' ct)" = '["lung"]' ]
  [ "$(unirg-ingest --quiet stats --format json lung | jq -c .ct)" = '{"slices":4,"montages":0,"windows":{"lung":4}}' ]
  for name in in/*; do ct_slice "$name" "$(dcmdump --search ImagePositionPatient "$name" | sed 's/.*\\\([0-9]*\)\].*/\1/')" 1.2.826.0.1.77.1 '' bare; done
  ingest --reports t.csv --ct-window lung --ct-rule all -o bare in
  assert_contains "$(reason bare s1.dcm)" "CT without Hounsfield units"
  run -64 --separate-stderr unirg-ingest --reports t.csv --ct-window brain -o x in
  run -64 --separate-stderr unirg-ingest --reports t.csv --ct-rule some -o x in
}

@test "CT: the same bytes at any number of threads, in shards joined, and salted" {
  make_ct
  cp in/t0.dcm other.dcm
  for rule in key-slices montage; do
    options=(--reports t.csv --ct-rule "$rule" --ct-slices 3)
    rm -rf part-* joined salted
    ingest "${options[@]}" --threads 1 -o one in
    ingest "${options[@]}" --threads 3 -o three in
    diff <(unirg_digests one) <(unirg_digests three)
    for k in 0 1; do ingest "${options[@]}" --shard $k/2 -o part-$k in; done
    ingest "${options[@]}" --parts part-0 --parts part-1 -o joined in
    diff <(unirg_digests one) <(unirg_digests joined)
    head -c 32 /dev/urandom >salt
    ingest "${options[@]}" --salt-file salt --forbid in -o salted in
    [ "$(jq '.images | length' salted/studies.jsonl)" = "$(jq '.images | length' one/studies.jsonl)" ]
    unirg-ingest --quiet verify one
  done
}

# ---------------------------------------------------------------- mammograms, eyes

@test "mammograms: views in the order they are hung, sides, BI-RADS and density of the report" {
  mkdir in
  k=0
  mapfile -t files < <(find "$shared/ph/dicom" -name '*.dcm' | LC_ALL=C sort)
  for view in 'L MLO' 'R CC' 'L CC' 'R MLO'; do
    cp "${files[k]}" in/$k.dcm
    dcmodify --quiet --no-backup --modify Modality=MG --insert "ViewPosition=${view#* }" --insert "ImageLaterality=${view% *}" in/$k.dcm
    k=$((k + 1))
  done
  printf 'study_id,file,report\n' >t.csv
  for k in 0 1 2 3; do echo "m,$k.dcm,FINDINGS: ACR density C. Mass on the right. IMPRESSION: BI-RADS category IVa." >>t.csv; done
  ingest --reports t.csv -o out in
  [ "$(field out '[.images[] | "\(.laterality) \(.view)"] | join(", ")' m)" = 'R CC, L CC, R MLO, L MLO' ]
  [ "$(field out '[.modality, .birads, .breast_density]' m)" = '["MG","4A","C"]' ]
  [ "$(unirg-ingest --quiet stats --format json out | jq -c '[.breast, .laterality]')" = '[{"birads":{"4A":1},"density":{"C":1}},{"L":2,"R":2}]' ]
  ingest --reports t.csv --max-images 3 -o three in
  [ "$(field three '[.images[] | "\(.laterality) \(.view)"] | join(", ")' m)" = 'R CC, L CC, R MLO' ]
  assert_counts three 4 3 0 1 0 1
  [ "$(jq .over_max_images three/summary.json)" -eq 1 ]
  cat >own.yaml <<'END'
schema: unirg.categories/1
version: own-1
categories:
  - {name: birads, meaning: mine, pick: last, values: ["5"], patterns: ['category (?<value>[0-9])'], map: {}}
END
  sed 's/IVa/5/' t.csv >five.csv
  ingest --reports five.csv --categories own.yaml -o own in
  [ "$(field own '[.birads, .breast_density]' m)" = '["5",null]' ]
}

@test "eyes: pictures of a case stay in their order, up to --max-images" {
  "$BATS_TEST_DIRNAME/../datasets/make-miniature" ffa-ir "$shared/ph" ffa
  ingest --source ffa-ir -o out ffa
  [ "$(field out '[.images[].id] | join(" ")' case1)" = '0 1 2' ]
  ingest --source ffa-ir --max-images 2 -o two ffa
  [ "$(field two '[.images[].id] | join(" ")' case1)" = '0 1' ]
  assert_counts two 13 8 0 5 0 4
}
