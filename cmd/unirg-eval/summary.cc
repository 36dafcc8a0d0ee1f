// SPDX-License-Identifier: Apache-2.0
#include "summary.h"

#include "io/atomic_file.h"

namespace unirg {

void write_summary(const std::filesystem::path& file, const std::string& json,
                   io::RunRecord& record) {
  if (file.empty()) return;
  io::AtomicFile out(file);
  out.write(json);
  out.seal();
  record.add_output(file, out.sha256());
  record.write_beside(file);
  out.commit();
}

}  // namespace unirg
