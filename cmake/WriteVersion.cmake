# Run at build time: writes version.cc, touching it only when its content changes.
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[#include "base/version.h"

namespace unirg {
const BuildInfo& build_info() {
  static const BuildInfo info{"@VERSION@", "@commit@", "@COMPILER@", "@BUILD_TYPE@", "@TORCH_VERSION@", "@DCMTK_VERSION@", "@GDCM_VERSION@"};
  return info;
}
}  // namespace unirg
]])
