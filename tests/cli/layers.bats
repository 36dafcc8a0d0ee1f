#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/check-layers: the tree passes, and each kind of offence is found.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR"
  check="$UNIRG_SOURCE/scripts/check-layers"
  mkdir -p tree/libcommon/{base,io,model} tree/cmd/unirg-x
  printf 'base:\nio: base\nmodel*: io base\n' >tree/libcommon/LAYERS
  printf '#include "base/error.h"\n#include <boost/version.hpp>\n' >tree/libcommon/io/file.cc
  printf '#include "io/file.h"\n#include <ATen/core/Tensor.h>\n' >tree/libcommon/model/layers.h
  printf '#include "options.h"\n#include "model/layers.h"\n' >tree/cmd/unirg-x/main.cc
}

# The check must fail with exactly this offence.
offends() {
  run -1 "$check" tree
  [ "${#lines[@]}" -eq 1 ]
  assert_contains "${lines[0]}" "$1"
}

@test "the source tree keeps to libcommon/LAYERS" {
  run -0 "$check"
}

@test "a tree that keeps to its LAYERS passes" {
  run -0 "$check" tree
  assert_contains "$output" "6 includes of 3 files"
}

@test "an include that LAYERS does not allow is found" {
  printf '\n#include "io/file.h"\n' >tree/libcommon/base/error.cc
  offends "libcommon/base/error.cc:2: module 'base' may not include 'io/file.h'"
}

@test "a LibTorch header outside the marked modules is found" {
  printf '#include <c10/core/Device.h>\n' >tree/libcommon/io/device.cc
  offends "libcommon/io/device.cc:1: LibTorch header <c10/core/Device.h> in module 'io'"
}

@test "a LibTorch header in cmd is found" {
  printf '#include <ATen/core/Tensor.h>\n' >tree/cmd/unirg-x/main.cc
  offends "cmd/unirg-x/main.cc:1: LibTorch header <ATen/core/Tensor.h> in cmd/"
}

@test "torch/torch.h is found even where LibTorch is allowed" {
  printf '#include <torch/torch.h>\n' >tree/libcommon/model/layers.cc
  offends "libcommon/model/layers.cc:1: <torch/torch.h> is not used here"
}

@test "a third-party header in a header of ours is found" {
  printf '#include <dcmtk/dcmdata/dctk.h>\n' >tree/libcommon/io/dicom.h
  offends "libcommon/io/dicom.h:1: third-party header <dcmtk/dcmdata/dctk.h>"
}

@test "a module that LAYERS does not name is found" {
  mkdir tree/libcommon/extra
  printf 'int x;\n' >tree/libcommon/extra/x.cc
  offends "module 'extra' is not listed in libcommon/LAYERS"
}

@test "an include without its module is found" {
  printf '#include "file.h"\n' >tree/libcommon/io/other.cc
  offends 'write "io/file.h": the include root is libcommon/'
}

@test "a tree without sources is an error, not a pass" {
  mkdir -p none/libcommon none/cmd
  touch none/libcommon/LAYERS
  run -66 "$check" none
}
