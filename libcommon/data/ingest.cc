// SPDX-License-Identifier: Apache-2.0
#include "data/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "data/archive.h"
#include "data/exclusion.h"
#include "data/ingest_parts.h"
#include "data/leaks.h"
#include "image/dicom.h"
#include "image/resize.h"
#include "io/tar.h"
#include "text/labeler.h"

namespace unirg::data {
namespace fs = std::filesystem;
namespace {

/// A draft after decoding.
struct Decoded {
  std::vector<Picture> pictures;
  std::vector<Refusal> refusals;
};

image::Image8 scaled(image::Image8 picture, int64_t longest) {
  const int64_t side = std::max(picture.width, picture.height);
  if (longest <= 0 || side <= longest) return picture;
  const auto shrink = [&](int64_t n) {
    return std::max<int64_t>(1, (n * longest + side / 2) / side);
  };
  return image::resize_bicubic(picture, shrink(picture.width), shrink(picture.height));
}

bool is_constant(const image::Image8& picture) {
  return std::all_of(picture.pixels.begin(), picture.pixels.end(),
                     [&](uint8_t v) { return v == picture.pixels.front(); });
}

Result<Picture> decode_dicom(const fs::path& path, int64_t longest) {
  const auto dicom = image::read_dicom(path);
  if (!dicom) return tl::unexpected(dicom.error());
  auto gray = image::render_grayscale(*dicom);
  if (!gray) return tl::unexpected(gray.error());
  const image::Image8 picture = scaled(std::move(*gray), longest);
  Picture out;
  out.image.view = dicom->metadata.view_position;
  out.image.width = picture.width;
  out.image.height = picture.height;
  out.image.decoder = dicom->decoder;
  out.image.pixels_sha256 = image::stored_pixel_sha256(*dicom);
  const std::string& burned_in = dicom->metadata.burned_in_annotation;
  out.image.burned_in_annotation = burned_in == "NO" ? "" : burned_in;
  out.image.overlays = dicom->metadata.overlays;
  out.modality = dicom->metadata.modality;
  out.png = image::encode_png(picture);
  return out;
}

Result<Picture> decode_picture(const fs::path& path, int64_t longest) {
  const std::string bytes = io::read_file(path);
  auto decoded = image::decode_image(bytes);
  if (!decoded) return tl::unexpected(decoded.error());
  const image::Image8 picture = scaled(image::to_gray(*decoded), longest);
  if (is_constant(picture)) return bad_record("every pixel has one value");
  Picture out;
  out.image.width = picture.width;
  out.image.height = picture.height;
  out.image.decoder = bytes.starts_with("\x89PNG") ? "png" : "jpeg";
  out.png = image::encode_png(picture);
  return out;
}

/// By what the file holds: datasets come as DICOM and as pictures, under the same names. A slide of
/// gigabytes is told from them by its first bytes, not read.
Result<Picture> decode_any(const fs::path& path, int64_t longest) {
  std::array<char, 132> head{};
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());
  const std::string_view bytes(head.data(), head.size());
  if (bytes.substr(128) == "DICM") return decode_dicom(path, longest);
  if (bytes.starts_with("\x89PNG") || bytes.starts_with("\xff\xd8"))
    return decode_picture(path, longest);
  return bad_record("neither DICOM, PNG nor JPEG");
}

/// Ids that are safe as file names inside a tar.
std::string safe_name(const std::string& text) {
  std::string name;
  for (const char c : text)
    name +=
        std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ? c : '_';
  return name.substr(0, 90);
}

std::string image_id(const fs::path& file) { return safe_name(file.stem().string()); }

/// As a part has it. What the parts rejected is decoded again, since only that tells why: they say
/// of a picture whose study has no report that its study has none.
Result<Picture> get_picture(const IngestOptions& options, const IngestParts* parts,
                            const Study& study, const SourcePicture& source) {
  if (parts) {
    if (auto picture = parts->find(study, source.name)) return std::move(*picture);
  }
  const auto decode = !options.source.layout.empty()     ? decode_any
                      : options.source.source == "dicom" ? decode_dicom
                                                         : decode_picture;
  return decode(source.path, options.longest_side);
}

Decoded decode_draft(const IngestOptions& options, const IngestParts* parts, const Draft& draft) {
  Decoded decoded;
  std::set<std::string> ids;
  for (const SourcePicture& source : draft.pictures) {
    auto picture = get_picture(options, parts, draft.study, source);
    if (!picture) {
      decoded.refusals.push_back({source.name, 0, picture.error().reason});
      continue;
    }
    const std::string stem = image_id(source.name);
    std::string id = stem;
    for (int k = 2; !ids.insert(id).second; ++k) id = fmt::format("{}-{}", stem, k);
    picture->image.id = id;
    picture->image.source = source.name;
    if (!source.view.empty()) picture->image.view = source.view;
    picture->is_key = source.is_key;
    picture->image.sha256 = sha256_hex(picture->png);
    decoded.pictures.push_back(std::move(*picture));
  }
  return decoded;
}

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

/// Files that the draft's text is from: an XML file, a Structured Report.
int64_t report_files(const Draft& draft) {
  const bool is_file = !draft.place.file.empty() && draft.place.line == 0;
  return (is_file ? 1 : 0) + (draft.report_file.empty() ? 0 : 1);
}

class Ingest {
 public:
  Ingest(const IngestOptions& options, IngestCounts& counts)
      : options_(options),
        counts_(counts),
        folder_(options.output),
        shards_(folder_.temporary(), options.shard_bytes) {
    if (!options.lexicon.empty()) labeler_.emplace(options.lexicon);
    for (const fs::path& file : options.exclude) read_exclusion(file, exclusion_);
  }
  bool run(io::RunRecord& record, const std::function<bool()>& go_on);

 private:
  void take(Draft& draft, const Decoded& decoded);
  void refuse_draft(const Draft& draft, const std::string& reason, const Decoded& decoded);
  void keep_own_part(IngestPlan& plan) const;
  void leave_out_listed(IngestPlan& plan);
  std::string why_unusable(const Draft& draft, const Decoded& decoded) const;
  void label(Study& study) const;
  Json summarize();
  void write(io::RunRecord& record);

  const IngestOptions& options_;
  IngestCounts& counts_;
  io::AtomicFolder folder_;
  ShardWriter shards_;
  std::optional<text::Labeler> labeler_;
  Exclusion exclusion_;
  std::optional<IngestParts> parts_;
  std::vector<Study> studies_;
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
  for (const Picture& picture : decoded.pictures)
    refusals_.push_back({picture.image.source, 0, reason});
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
    StudyImage image = picture.image;
    if (picture.is_key) key = image.id;
    shards_.add(safe_name(study.study_id) + "/" + image.id + ".png", picture.png, image);
    if (!study.modality && !picture.modality.empty()) study.modality = picture.modality;
    counts_.burned_in += image.burned_in_annotation == "YES" ? 1 : 0;
    counts_.overlaid += image.overlays > 0 ? 1 : 0;
    study.images.push_back(std::move(image));
  }
  order_images(study.images);
  std::stable_partition(study.images.begin(), study.images.end(),
                        [&](const StudyImage& image) { return image.id == key; });
  label(study);
  counts_.used += static_cast<int64_t>(study.images.size()) + report_files(draft);
  studies_.push_back(std::move(study));
}

void Ingest::write(io::RunRecord& record) {
  shards_.close();
  link_priors(studies_);
  assign_splits(studies_, options_.splits, options_.heldout_sites, options_.seed);
  hold_out(studies_, options_.hold_out, options_.seed);
  const auto add_file = [&](const char* name, const auto& content) {
    io::AtomicFile file(folder_.temporary() / name);
    content(file);
    file.commit();
    record.add_output(options_.output / name, file.sha256());
  };
  add_file("studies.jsonl", [&](io::AtomicFile& file) {
    for (const Study& study : studies_) file.write(io::json_line(to_json(study)));
  });
  add_file("rejected.jsonl", [&](io::AtomicFile& file) {
    for (const auto* list : {&refusals_, &rows_}) {
      for (const Refusal& r : *list) file.write(io::json_line(to_json(r)));
    }
  });
  const Json summary = summarize();
  add_file("summary.json", [&](io::AtomicFile& file) { file.write(summary.dump(2) + "\n"); });
  for (const auto& [name, digest] : shards_.digests())
    record.add_output(options_.output / name, digest);
  record.note("counts", summary);
  record.write(folder_.temporary() / "run.json");
  folder_.commit();
}

/// Counts, and the leaks where they are looked for.
Json Ingest::summarize() {
  counts_.studies = static_cast<int64_t>(studies_.size());
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
  if (!options_.exclude.empty()) summary["excluded"] = counts_.excluded;
  if (options_.check_leaks || !options_.exclude.empty()) {
    const Leaks leaks = find_leaks(studies_, exclusion_, options_.near_duplicate);
    counts_.image_leaks = static_cast<int64_t>(leaks.image.size());
    counts_.text_leaks = static_cast<int64_t>(leaks.text.size());
    summary["leaks"] = to_json(leaks, options_.near_duplicate);
  }
  return summary;
}

/// Shard i/n takes whole patients, so that priors and encounters are those of one run, and every
/// n-th of the rest.
void Ingest::keep_own_part(IngestPlan& plan) const {
  const auto keep = [&](auto& list, const auto& ordinal) {
    std::remove_reference_t<decltype(list)> own;
    for (auto& item : list) {
      if (options_.shard.has(ordinal(item))) own.push_back(std::move(item));
    }
    list = std::move(own);
  };
  std::unordered_map<std::string, int64_t> patients;
  keep(plan.drafts, [&](const Draft& d) {
    return patients.emplace(d.study.patient_id, static_cast<int64_t>(patients.size()))
        .first->second;
  });
  int64_t count = 0;
  keep(plan.refusals, [&](const Refusal&) { return count++; });
  keep(plan.ignored, [&](const fs::path&) { return count++; });
  plan.files = static_cast<int64_t>(plan.ignored.size());
  for (const Refusal& r : plan.refusals) plan.files += r.line == 0 ? 1 : 0;
  for (const Draft& d : plan.drafts)
    plan.files += static_cast<int64_t>(d.pictures.size()) + report_files(d);
}

/// Listed studies stay where they are tested and nowhere else.
void Ingest::leave_out_listed(IngestPlan& plan) {
  const auto is_out = [&](const Draft& draft) {
    std::vector<std::string> sources;
    for (const SourcePicture& picture : draft.pictures) sources.push_back(picture.name);
    return draft.study.split != "test" && exclusion_.has(draft.study.study_id, sources);
  };
  const auto out = std::stable_partition(plan.drafts.begin(), plan.drafts.end(),
                                         [&](const Draft& draft) { return !is_out(draft); });
  for (auto draft = out; draft != plan.drafts.end(); ++draft) {
    ++counts_.excluded;
    for (const SourcePicture& picture : draft->pictures) plan.ignored.emplace_back(picture.name);
    if (!draft->place.file.empty() && draft->place.line == 0)
      plan.ignored.emplace_back(draft->place.file);
  }
  plan.drafts.erase(out, plan.drafts.end());
}

bool Ingest::run(io::RunRecord& record, const std::function<bool()>& go_on) {
  if (!options_.parts.empty()) parts_.emplace(options_.parts, record.json());
  SourceOptions source = options_.source;
  source.threads = options_.threads;
  std::optional<UnpackedArchive> unpacked;
  if (is_archive(source.root)) {
    unpacked.emplace(source.root, folder_.temporary() / "input", options_.archive,
                     options_.stopped);
    if (!unpacked->whole()) return false;
    source.root = unpacked->folder();
  }
  IngestPlan plan = plan_ingest(source);
  if (unpacked) {
    plan.files += static_cast<int64_t>(unpacked->refused().size());
    for (const auto& [name, reason] : unpacked->refused())
      plan.refusals.push_back({name, 0, reason});
  }
  if (options_.shard.count > 1) keep_own_part(plan);
  if (!exclusion_.empty()) leave_out_listed(plan);
  counts_.files = plan.files;
  counts_.ignored = static_cast<int64_t>(plan.ignored.size());
  for (Refusal& r : plan.refusals) (r.line > 0 ? rows_ : refusals_).push_back(std::move(r));
  bool stopped = false;
  ordered_parallel(
      options_.threads, static_cast<int64_t>(plan.drafts.size()),
      [&](int64_t i) {
        return decode_draft(options_, parts_ ? &*parts_ : nullptr,
                            plan.drafts[static_cast<size_t>(i)]);
      },
      [&](int64_t i, const Decoded& decoded) {
        take(plan.drafts[static_cast<size_t>(i)], decoded);
        stopped = !go_on();
        return !stopped;
      });
  if (stopped) return false;
  unpacked.reset();
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
