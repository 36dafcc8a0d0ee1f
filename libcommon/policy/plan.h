// The plan --dry-run prints: memory by part, and FLOPs. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/cost.h"
#include "policy/report_writer.h"

namespace unirg::policy {

struct Plan {
  std::vector<std::pair<std::string, int64_t>> memory;  ///< bytes at the peak, by part
  double flops = 0;                                     ///< of the whole run

  [[nodiscard]] int64_t peak() const;
};
/// Lines "memory-PART: BYTES", "memory-peak: BYTES", "flops: N" to standard output.
void print_plan(const Plan& plan);

/// Lengths of studies as the model meets them, over a sample of at most 256, evenly spaced.
struct Lengths {
  model::PassShape mean;      ///< of one study, one reply
  model::PassShape longest;   ///< each length's maximum
  int64_t picture_bytes = 0;  ///< mean of one study's sized pictures, 8 bits a value
};
/// \throws Error(Exit::data) as ReportWriter::encode does
Lengths sample_lengths(const ReportWriter& writer, const std::vector<const data::Study*>& studies,
                       const data::StudySet& set);

/// A pass over one study and its own reply.
model::PassShape shape_of(const EncodedStudy& study);

/// Bytes this process holds now, after a pass of a tiny model has brought in what the libraries
/// need to run: code, tables, allocator. \param trains a backward pass too
int64_t resident_bytes_at_work(bool trains);

/// Bytes of the weights as loaded. \param dtype of --dtype; "auto": as stored
int64_t weight_bytes(const std::filesystem::path& folder, const std::string& dtype);

}  // namespace unirg::policy
