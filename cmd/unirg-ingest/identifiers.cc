// SPDX-License-Identifier: Apache-2.0
#include "data/identifiers.h"

#include <fmt/format.h>

#include "actions.h"
#include "image/dicom.h"
#include "io/atomic_file.h"

namespace unirg {
namespace {

namespace fs = std::filesystem;

data::Identifiers read_forbidden(const IngestToolOptions& o, Logger& log) {
  const image::DicomCodecs codecs;
  data::Identifiers identifiers;
  for (const fs::path& source : o.ingest.forbid)
    identifiers.add_source(source, static_cast<int>(o.common.threads));
  if (identifiers.too_short() > 0)
    log.warning("{} identifiers of less than four letters and digits are not looked for",
                identifiers.too_short());
  return identifiers;
}

}  // namespace

Exit check_identifiers(const IngestToolOptions& o, cli::Context& context) {
  if (o.arguments.empty()) throw Error(Exit::usage, "check takes files and folders");
  if (o.ingest.forbid.empty()) throw Error(Exit::usage, "missing option '--forbid'");
  const data::Identifiers identifiers = read_forbidden(o, context.log);
  std::vector<data::IdentifierPlace> places;
  for (const std::string& path : o.arguments) {
    if (context.stop.requested()) return Exit::interrupted;
    auto found = data::find_identifiers(path, identifiers);
    places.insert(places.end(), found.begin(), found.end());
  }
  io::AtomicFile out("-");
  for (const data::IdentifierPlace& place : places)
    out.write(fmt::format("{}:{}: {}\n", place.file, place.line, place.origin));
  out.commit();
  data::refuse_identifiers(places, "see standard output for all");
  context.log.info("none of {} identifiers", identifiers.size());
  return Exit::ok;
}

}  // namespace unirg
