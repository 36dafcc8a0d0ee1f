// SPDX-License-Identifier: Apache-2.0
#include "data/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/archive.h"
#include "data/exclusion.h"
#include "data/identifiers.h"
#include "data/ingest_parts.h"
#include "data/leaks.h"
#include "data/linkage.h"
#include "data/picture_cache.h"
#include "data/plan_choice.h"
#include "data/pseudonyms.h"
#include "data/study_pictures.h"
#include "io/tar.h"
#include "text/categories.h"
#include "text/labeler.h"
#include "text/scrubber.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

/// A draft as it goes from the thread that decodes it to the one that writes.
struct Undertaken {
  Draft draft;
  Decoded decoded;
};

/// A study's line of studies.jsonl, and what was scrubbed for it.
struct Line {
  std::string text;
  text::Scrubber::Counts scrubbed;
};

/// The tar shards of one output folder, opened as they fill.
class ShardWriter {
 public:
  ShardWriter(fs::path folder, int64_t limit) : folder_(std::move(folder)), limit_(limit) {}
  void add(const std::string& name, const std::string& png, StudyImage& image) {
    if (!tar_) {
      name_ = fmt::format("images-{:05}.tar", count_++);
      tar_.emplace(folder_ / name_);
    }
    const io::TarSpan span = tar_->add(name, png);
    image.shard = name_;
    image.offset = span.offset;
    image.bytes = span.bytes;
    if (tar_->offset() >= limit_) close();
  }
  void close() {
    if (!tar_) return;
    tar_->commit();
    digests_.emplace_back(name_, tar_->sha256());
    tar_.reset();
  }
  /// Name and SHA-256 of each shard that is closed.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& digests() const {
    return digests_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> digests_;
  fs::path folder_;
  int64_t limit_;
  int64_t count_ = 0;
  std::string name_;
  std::optional<io::TarWriter> tar_;
};

Json to_json(const Refusal& refusal) {
  return {{"schema", "unirg.rejected/1"},
          {"file", refusal.file},
          {"line", refusal.line},
          {"reason", refusal.reason}};
}

class Ingest {
 public:
  Ingest(const IngestOptions& options, IngestCounts& counts)
      : options_(options),
        counts_(counts),
        folder_(options.output),
        shards_(folder_.temporary(), options.shard_bytes),
        studies_(std::in_place, folder_.temporary()),
        links_({options.splits, options.heldout_sites, options.hold_out, options.seed}) {
    if (!options.salt_file.empty()) names_ = Pseudonyms::load(options.salt_file);
    if (!options.lexicon.empty()) labeler_.emplace(options.lexicon);
    if (!options.categories.empty()) categories_.emplace(options.categories);
    if (!options.scrub_rules.empty()) {
      scrubber_.emplace(options.scrub_rules);
      scrubbed_.resize(scrubber_->rules().size());
    }
    if (!options.cache.empty()) cache_.emplace(options.cache, options.warn);
    for (const fs::path& source : options.forbid) forbidden_.add_source(source, options.threads);
    counts_.short_identifiers = forbidden_.too_short();
    for (const fs::path& file : options.exclude) read_exclusion(file, exclusion_);
  }
  bool run(io::RunRecord& record, const std::function<bool()>& go_on);

 private:
  bool decode_all(IngestPlan plan, const std::function<bool()>& go_on);
  void take(Draft& draft, const Decoded& decoded);
  void refuse_draft(const Draft& draft, const std::string& reason, const Decoded& decoded);
  std::string why_unusable(const Draft& draft, const Decoded& decoded) const;
  void add_to_shards(const Decoded& decoded, Study& study);
  void account(const Decoded& decoded, const Study& study);
  void label(Study& study) const;
  void read_breast(Study& study) const;
  void refuse_forbidden() const;
  void write_studies(io::AtomicFile& file);
  Line line_of(size_t study) const;
  void disguise_refusals();
  void scrub(Study& study, text::Scrubber::Counts& counts) const;
  void scrub(Json& value, text::Scrubber::Counts& counts) const;
  Json summarize();
  Json find_leaks_among_all();
  void write(io::RunRecord& record);

  const IngestOptions& options_;
  IngestCounts& counts_;
  io::AtomicFolder folder_;
  ShardWriter shards_;
  std::optional<text::Labeler> labeler_;
  std::optional<text::Categories> categories_;
  Exclusion exclusion_;
  std::optional<IngestParts> parts_;
  Pseudonyms names_;
  std::optional<PictureCache> cache_;
  std::optional<text::Scrubber> scrubber_;
  text::Scrubber::Counts scrubbed_;
  Identifiers forbidden_;
  std::optional<StudyShelf> studies_;  ///< finished ones, until they are written
  StudyLinks links_;
  PseudonymCheck check_{names_};
  std::vector<Refusal> refusals_;  ///< of files
  std::vector<Refusal> rows_;      ///< of table rows and reports
};

/// "" if the draft makes a study.
std::string Ingest::why_unusable(const Draft& draft, const Decoded& decoded) const {
  const bool needs_picture = options_.source.needs_picture();
  if (needs_picture && draft.pictures.empty())
    return "missing image: no file below the folder belongs to this row";
  if (needs_picture && decoded.pictures.empty()) return "no image of the study could be used";
  const bool has_report = draft.study.findings || draft.study.impression;
  if (!has_report && !(options_.source.allow_missing_report && needs_picture))
    return "empty report: neither findings nor impression";
  return "";
}

/// A study that is not made: its report is refused, and so are its pictures that had decoded.
void Ingest::refuse_draft(const Draft& draft, const std::string& reason, const Decoded& decoded) {
  if (!draft.place.file.empty())
    (draft.place.line > 0 ? rows_ : refusals_)
        .push_back({draft.place.file, draft.place.line, reason});
  if (!draft.report_file.empty()) refusals_.push_back({draft.report_file, 0, reason});
  for (const UsedFile& file : decoded.used) refusals_.push_back({file.name, 0, reason});
  for (const std::string& file : decoded.left_out) refusals_.push_back({file, 0, reason});
}

void Ingest::label(Study& study) const {
  if (!labeler_ || !study.labels.empty()) return;
  const std::string report = study.findings.value_or("") + " " + study.impression.value_or("");
  const text::Labels labels = labeler_->read(report).labels;
  for (size_t c = 0; c < labels.size(); ++c)
    study.labels.push_back({std::string(text::kConditions[c]), labels[c]});
}

void Ingest::take(Draft& draft, const Decoded& decoded) {
  refusals_.insert(refusals_.end(), decoded.refusals.begin(), decoded.refusals.end());
  if (const std::string why = why_unusable(draft, decoded); !why.empty())
    return refuse_draft(draft, why, decoded);
  Study& study = draft.study;
  std::string key;  // id of the picture that the source names as the key one
  for (const Picture& picture : decoded.pictures) {
    if (picture.is_key) key = picture.image.id;
    if (!study.modality && !picture.modality.empty()) study.modality = picture.modality;
    study.images.push_back(picture.image);
  }
  order_images(study.images, study.modality.value_or(""));
  std::stable_partition(study.images.begin(), study.images.end(),
                        [&](const StudyImage& image) { return image.id == key; });
  if (options_.max_images > 0 && std::ssize(study.images) > options_.max_images)
    study.images.resize(static_cast<size_t>(options_.max_images));
  add_to_shards(decoded, study);
  label(study);
  read_breast(study);
  account(decoded, study);
  counts_.used += report_files(draft);
  check_.add(study);
  links_.add(study);
  studies_->add(std::move(study));
}

/// The pictures that the study keeps, in the order of the source.
void Ingest::add_to_shards(const Decoded& decoded, Study& study) {
  std::unordered_map<std::string_view, StudyImage*> kept;
  for (StudyImage& image : study.images) kept.emplace(image.id, &image);
  for (const Picture& picture : decoded.pictures) {
    const auto found = kept.find(picture.image.id);
    if (found == kept.end()) continue;
    StudyImage& image = *found->second;
    shards_.add(safe_name(names_.study(study.study_id)) + "/" +
                    names_.image(study.study_id, image.id) + ".png",
                picture.png, image);
    counts_.burned_in += image.burned_in_annotation == "YES" ? 1 : 0;
    counts_.overlaid += image.overlays > 0 ? 1 : 0;
    counts_.tiles += image.extra.contains("tile") ? 1 : 0;
  }
}

/// Files of pictures that the study keeps are used, the others ignored.
void Ingest::account(const Decoded& decoded, const Study& study) {
  std::set<std::string_view> sources;
  for (const StudyImage& image : study.images) sources.insert(image.source);
  for (const UsedFile& file : decoded.used)
    ++(sources.contains(file.source) ? counts_.used : counts_.over_limit);
  counts_.localizers += decoded.localizers;
  counts_.left_out += std::ssize(decoded.left_out) - decoded.localizers;
}

/// What a mammography report states, as words that studies can be grouped by.
void Ingest::read_breast(Study& study) const {
  if (!categories_ || study.modality != "MG") return;
  const std::string report = study.findings.value_or("") + "\n" + study.impression.value_or("");
  for (size_t c = 0; c < categories_->infos().size(); ++c) {
    const std::string& name = categories_->infos()[c].name;
    const char* field = name == "birads" ? "birads" : name == "density" ? "breast_density" : "";
    if (*field == '\0' || study.extra.contains(field)) continue;
    if (const auto value = categories_->read(c, report)) study.extra[field] = *value;
  }
}

void Ingest::write(io::RunRecord& record) {
  shards_.close();
  check_.finish();
  links_.link([&](size_t i) { return studies_->get(i); });
  const auto add_file = [&](const char* name, const auto& content) {
    io::AtomicFile file(folder_.temporary() / name);
    content(file);
    file.commit();
    record.add_output(options_.output / name, file.sha256());
  };
  add_file("studies.jsonl", [&](io::AtomicFile& file) { write_studies(file); });
  disguise_refusals();
  add_file("rejected.jsonl", [&](io::AtomicFile& file) {
    for (const auto* list : {&refusals_, &rows_}) {
      for (const Refusal& r : *list) file.write(io::json_line(to_json(r)));
    }
  });
  const Json summary = summarize();
  studies_.reset();
  add_file("summary.json", [&](io::AtomicFile& file) { file.write(summary.dump(2) + "\n"); });
  for (const auto& [name, digest] : shards_.digests())
    record.add_output(options_.output / name, digest);
  record.note("counts", summary);
  if (cache_) {
    counts_.cache_found = cache_->found();
    counts_.cache_made = cache_->made();
    record.note("cache", {{"found", counts_.cache_found}, {"made", counts_.cache_made}});
  }
  record.write(folder_.temporary() / "run.json");
  if (!options_.forbid.empty()) refuse_forbidden();
  folder_.commit();
}

void Ingest::refuse_forbidden() const {
  auto places = find_identifiers(folder_.temporary(), forbidden_);
  for (IdentifierPlace& place : places)
    place.file = fs::path(place.file).lexically_relative(folder_.temporary()).string();
  refuse_identifiers(places, "nothing was written");
}

/// Report text, and text that a source has besides.
void Ingest::scrub(Study& study, text::Scrubber::Counts& counts) const {
  for (auto* section : {&study.indication, &study.technique, &study.comparison, &study.findings,
                        &study.impression}) {
    if (*section) **section = scrubber_->scrub(**section, counts);
  }
  for (Json& value : study.extra) scrub(value, counts);
}

void Ingest::scrub(Json& value, text::Scrubber::Counts& counts) const {
  if (value.is_string()) value = scrubber_->scrub(value.get_ref<const std::string&>(), counts);
  if (value.is_structured()) {
    for (Json& part : value) scrub(part, counts);
  }
}

/// The last that happens to a record is that it gets private: all before works on what the source
/// says.
Line Ingest::line_of(size_t i) const {
  Line line{{}, text::Scrubber::Counts(scrubbed_.size())};
  Study study = studies_->get(i);
  links_.apply(i, study, [&](size_t k) { return studies_->get(k); });
  if (scrubber_) scrub(study, line.scrubbed);
  names_.disguise(study);
  line.text = io::json_line(to_json(study));
  return line;
}

void Ingest::write_studies(io::AtomicFile& file) {
  ordered_parallel(
      options_.threads, static_cast<int64_t>(studies_->size()),
      [&](int64_t i) { return line_of(static_cast<size_t>(i)); },
      [&](int64_t, const Line& line) {
        file.write(line.text);
        for (size_t r = 0; r < scrubbed_.size(); ++r) scrubbed_[r] += line.scrubbed[r];
        return true;
      });
}

void Ingest::disguise_refusals() {
  if (!names_.active()) return;
  for (auto* list : {&refusals_, &rows_}) {
    for (Refusal& refusal : *list) refusal = names_.disguised(std::move(refusal));
    std::sort(list->begin(), list->end(), [](const Refusal& a, const Refusal& b) {
      return std::tie(a.file, a.line, a.reason) < std::tie(b.file, b.line, b.reason);
    });
  }
}

Json Ingest::find_leaks_among_all() {
  Leaks leaks = find_leaks(
      [&](const StudyTaker& take) {
        for (size_t i = 0; i < studies_->size(); ++i) {
          Study study = studies_->get(i);
          study.split = links_.split(i);
          take(study);
        }
      },
      exclusion_, options_.near_duplicate);
  counts_.image_leaks = static_cast<int64_t>(leaks.image.size());
  counts_.text_leaks = static_cast<int64_t>(leaks.text.size());
  names_.disguise(leaks);
  return to_json(leaks, options_.near_duplicate);
}

/// Counts, and the leaks where they are looked for.
Json Ingest::summarize() {
  counts_.studies = static_cast<int64_t>(studies_->size());
  counts_.refused = static_cast<int64_t>(refusals_.size());
  counts_.refused_rows = static_cast<int64_t>(rows_.size());
  Json summary = {{"schema", "unirg.ingest/1"},
                  {"studies", counts_.studies},
                  {"files", counts_.files},
                  {"used", counts_.used},
                  {"rejected", counts_.refused},
                  {"ignored", counts_.ignored},
                  {"rejected_rows", counts_.refused_rows},
                  {"burned_in_annotation", counts_.burned_in},
                  {"overlay", counts_.overlaid}};
  if (counts_.tiles > 0) summary["tiles"] = counts_.tiles;
  if (counts_.localizers > 0) summary["ct_localizers"] = counts_.localizers;
  if (counts_.left_out > 0) summary["ct_left_out"] = counts_.left_out;
  if (counts_.over_limit > 0) summary["over_max_images"] = counts_.over_limit;
  if (!options_.exclude.empty()) summary["excluded"] = counts_.excluded;
  if (options_.check_leaks || !options_.exclude.empty()) summary["leaks"] = find_leaks_among_all();
  if (scrubber_) {
    for (size_t r = 0; r < scrubbed_.size(); ++r)
      summary["scrubbed"][scrubber_->rules()[r].name] = scrubbed_[r];
  }
  return summary;
}

/// False if `go_on` ended it. What the plan takes is free again when all is decoded.
bool Ingest::decode_all(IngestPlan plan, const std::function<bool()>& go_on) {
  const Supply supply{parts_ ? &*parts_ : nullptr, &names_, cache_ ? &*cache_ : nullptr};
  const auto count = static_cast<int64_t>(plan.drafts.size());
  bool stopped = false;
  options_.source.watch.begin("study", count);
  ordered_parallel(
      options_.threads, count,
      [&](int64_t i) {
        Undertaken study{plan.drafts.get(static_cast<size_t>(i)), {}};
        study.decoded = decode_draft(options_, supply, study.draft);
        return study;
      },
      [&](int64_t, Undertaken study) {
        take(study.draft, study.decoded);
        stopped = !go_on();
        return !stopped;
      });
  return !stopped;
}

bool Ingest::run(io::RunRecord& record, const std::function<bool()>& go_on) {
  if (!options_.parts.empty()) parts_.emplace(options_.parts, record.json());
  SourceOptions source = options_.source;
  source.threads = options_.threads;
  source.scratch = folder_.temporary();
  std::optional<UnpackedArchive> unpacked;
  if (is_archive(source.root)) {
    unpacked.emplace(source.root, folder_.temporary() / "input", options_.archive,
                     options_.stopped);
    if (!unpacked->whole()) return false;
    source.root = unpacked->folder();
  }
  IngestPlan plan = plan_ingest(source);
  if (!plan.whole) return false;
  if (unpacked) {
    plan.files += static_cast<int64_t>(unpacked->refused().size());
    for (const auto& [name, reason] : unpacked->refused())
      plan.refusals.push_back({name, 0, reason});
  }
  order_by_pseudonym(names_, plan);
  if (options_.shard.count > 1) keep_own_part(options_.shard, plan);
  if (!exclusion_.empty()) counts_.excluded = leave_out_listed(exclusion_, plan);
  counts_.files = plan.files;
  counts_.ignored = plan.ignored;
  for (Refusal& r : plan.refusals) (r.line > 0 ? rows_ : refusals_).push_back(std::move(r));
  plan.refusals = {};
  if (!decode_all(std::move(plan), go_on)) return false;
  unpacked.reset();
  counts_.ignored += counts_.localizers + counts_.left_out + counts_.over_limit;
  UNIRG_ASSERT(
      counts_.used + static_cast<int64_t>(refusals_.size()) + counts_.ignored == counts_.files,
      "an input file is not accounted for");
  write(record);
  return true;
}

}  // namespace

bool run_ingest(const IngestOptions& options, io::RunRecord& record,
                const std::function<bool()>& go_on, IngestCounts& counts) {
  return Ingest(options, counts).run(record, go_on);
}

}  // namespace unirg::data
