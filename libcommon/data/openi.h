// One report of the Open-i / Indiana University collection (NLM's eCitation XML). pugixml stays in
// the source. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "data/ingest_sources.h"

namespace unirg::data {

struct OpeniReport {
  Draft draft;
  std::vector<std::string> missing;  ///< ids of pictures that are not there
};

/// Sections from AbstractText[@Label], the uId as study id ("CXR1"), MeSH "major" terms under
/// extra.mesh, pictures from parentImage ids that exist as NAME.png or else NAME.jpg in `images`
/// (may be empty: no pictures). Each report is its own patient: the collection does not link
/// studies. Reasons: not XML, no uId, no section.
Result<OpeniReport> read_openi(const std::filesystem::path& root, const std::filesystem::path& file,
                               const std::filesystem::path& images);

}  // namespace unirg::data
