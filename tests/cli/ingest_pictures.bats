#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-ingest beyond plain film: TIFF pictures.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load ingest_helpers

# What all tests share and none changes: a phantom folder 'ph', and its first picture as g.png and g.pgm.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  PATH="${UNIRG_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}:$PATH"
  unirg-phantom --quiet --train 3 --validate 0 --test 0 --heldout 0 --side 64 --bits 12=1 --transfer-syntaxes explicit-le=1 --output ph
  local first
  first=$(find ph/dicom -name '*.dcm' | LC_ALL=C sort | head -n 1)
  dcmj2pnm --quiet --write-png "$first" g.png
  dcmj2pnm --quiet --write-raw-pnm "$first" g.pgm
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
  for round in 1 2; do ingest --source images --reports t.csv --longest-side 32 --threads 3 --cache cache -o three in; done
  [ "$(jq -c .notes.cache three/run.json)" = '{"found":3,"made":0}' ]
  diff <(unirg_digests one) <(unirg_digests three)
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
