// What this build is; filled in by the generated version.cc (cmake/WriteVersion.cmake).
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace unirg {

struct BuildInfo {
  const char* version;
  const char* commit;
  const char* compiler;
  const char* build_type;
  const char* libtorch;
  const char* dcmtk;
  const char* gdcm;
};

const BuildInfo& build_info();

}  // namespace unirg
