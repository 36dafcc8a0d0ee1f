// The plan --dry-run prints: memory of a rank by part, arithmetic, what ranks send each other, time
// and money. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "io/jsonl.h"
#include "model/cost.h"
#include "policy/machine.h"
#include "policy/process_cost.h"
#include "policy/report_writer.h"

namespace unirg::policy {

struct Plan {
  using Parts = std::vector<std::pair<std::string, int64_t>>;
  Parts facts;                    ///< counts of the work: studies, epochs, ...
  Parts memory;                   ///< bytes of a rank at the peak, where its tensors lie, by part
  Parts host;                     ///< where that is a GPU, bytes of the process beside it
  StageCost run;                  ///< the whole run
  int64_t steps = 0;              ///< of the optimiser; 0: none is taken
  double step_bytes = 0;          ///< that a rank sends in one
  Process process;                ///< what `stages` are of
  std::vector<StageCost> stages;  ///< of the whole process; empty: not costed

  [[nodiscard]] int64_t peak() const;
};
/// {facts..., "memory", "host", "flops", ...}, see unirg-update(1); what the machine does not tell
/// is null.
io::Json plan_json(const Plan& plan, const Machine& machine);
/// Lines of facts and Markdown tables.
std::string plan_tables(const Plan& plan, const Machine& machine);
/// To standard output. \param format "table" or "json"
void print_plan(const Plan& plan, const Machine& machine, const std::string& format);

/// What a GPU's driver and libraries take of its memory before a tensor is there.
constexpr int64_t kContextBytes = 600'000'000;

/// Lengths of studies as the model meets them, over a sample of at most 256, evenly spaced.
struct Lengths {
  model::PassShape mean;      ///< of one study, one reply
  model::PassShape longest;   ///< each length's maximum
  int64_t picture_bytes = 0;  ///< mean of one study's sized pictures, 8 bits a value
};
/// \throws Error(Exit::data) as ReportWriter::encode does
Lengths sample_lengths(const ReportWriter& writer, const std::vector<const data::Study*>& studies,
                       const data::StudySet& set);

/// What the mean study is, for a plan's facts: tokens of prompt and reply, patches of its images.
Plan::Parts study_facts(const model::PassShape& mean);

/// A pass over one study and its own reply.
model::PassShape shape_of(const EncodedStudy& study);

/// Bytes this process holds now, after a pass of a tiny model has brought in what the libraries
/// need to run: code, tables, allocator; and what larger ones will bring in. \param trains a
/// backward pass too
int64_t resident_bytes_at_work(bool trains);

/// Says so where a folder (of an adapter: its base's) has no weights: a plan takes their sizes from
/// config.json, and the run itself would fail.
void warn_of_missing_weights(Logger& log, const std::filesystem::path& folder);

/// Bytes of the weights as loaded. \param dtype of --dtype; "auto": as stored, where nothing is
/// stored as config.json says
int64_t weight_bytes(const std::filesystem::path& folder, const std::string& dtype);

}  // namespace unirg::policy
