// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "actions.h"
#include "data/data_card.h"
#include "io/atomic_file.h"

namespace unirg {
namespace {

namespace fs = std::filesystem;

/// False if the run was told to stop.
bool read_studies(const fs::path& file, data::DataCard& card, double log_every,
                  cli::Context& context) {
  io::JsonlReader reader(file);
  cli::Progress progress(context.log, "study", 0, log_every);
  while (auto line = reader.next()) {
    const Result<data::Study> study = line->has_value()
                                          ? data::study_from_json((*line)->object)
                                          : Result<data::Study>(tl::unexpected(line->error()));
    if (!study)
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), study.error().reason));
    card.add(*study);
    progress.advance();
    if (context.stop.requested()) return false;
  }
  return true;
}

void read_rejected(const fs::path& file, data::DataCard& card) {
  io::JsonlReader reader(file);
  card.add_rejected("");  // the file is there, and may be empty
  while (auto line = reader.next()) {
    const Result<std::string> reason = line->has_value()
                                           ? io::Fields((*line)->object).string("reason")
                                           : Result<std::string>(tl::unexpected(line->error()));
    if (!reason)
      throw Error(Exit::data, fmt::format("{}: {}", reader.place().text(), reason.error().reason));
    card.add_rejected(*reason);
  }
}

void write_file(const fs::path& path, const std::string& text, io::RunRecord& record) {
  if (path.empty()) return;
  io::AtomicFile out(path);
  out.write(text);
  out.seal();
  record.add_output(path, out.sha256());
  record.write_beside(path);
  out.commit();
}

}  // namespace

Exit print_stats(const IngestToolOptions& o, cli::Context& context) {
  if (o.arguments.size() != 1) throw Error(Exit::usage, "stats takes one folder or file");
  const fs::path input = o.arguments.front();
  const bool is_folder = fs::is_directory(input);
  const fs::path studies = is_folder ? input / "studies.jsonl" : input;
  data::DataCard card(
      {.template_share = o.template_share, .near_duplicate = o.ingest.near_duplicate});
  if (!read_studies(studies, card, o.common.log_every, context)) return Exit::interrupted;
  context.record.add_input(studies);
  if (is_folder && fs::exists(input / "rejected.jsonl")) {
    read_rejected(input / "rejected.jsonl", card);
    context.record.add_input(input / "rejected.jsonl");
  }
  const io::Json json = card.json();
  const std::string markdown = data::card_markdown(json);
  write_file(o.table, markdown, context.record);
  write_file(o.summary, json.dump(2) + "\n", context.record);
  if (o.format == "none") return Exit::ok;
  io::AtomicFile out("-");
  out.write(o.format == "json" ? json.dump(2) + "\n" : markdown);
  out.commit();
  return Exit::ok;
}

}  // namespace unirg
