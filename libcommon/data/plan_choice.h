// Which studies of a plan a run takes, and in which order. Depends on ingest_sources.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "data/exclusion.h"
#include "data/ingest_sources.h"
#include "data/pseudonyms.h"

namespace unirg::data {

/// With a salt, the studies in the order of their pseudonyms, so that neither records nor shards
/// stand in the order of the sources' names.
void order_by_pseudonym(const Pseudonyms& names, IngestPlan& plan);

/// Shard i/n takes whole patients, so that priors and encounters are those of one run, and every
/// n-th of the rest.
void keep_own_part(const Shard& shard, IngestPlan& plan);

/// Listed studies stay where they are tested and nowhere else: their files are ignored.
/// \returns how many are left out
int64_t leave_out_listed(const Exclusion& exclusion, IngestPlan& plan);

}  // namespace unirg::data
